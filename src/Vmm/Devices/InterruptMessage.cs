namespace Vmm.Devices;

/// <summary>What a message does to its destination (SDM 3A 11.6.1, "Delivery Mode"; the numbers are the registers').</summary>
internal enum DeliveryMode
{
    Fixed = 0,
    LowestPriority = 1,
    Smi = 2,
    Nmi = 4,
    Init = 5,
    Startup = 6,
    ExtInt = 7,
}

/// <summary>Destination shorthand of the interrupt command register (SDM 3A 11.6.1).</summary>
internal enum DestinationShorthand
{
    None = 0,
    Self = 1,
    AllIncludingSelf = 2,
    AllExcludingSelf = 3,
}

/// <summary>An interrupt message between APICs.</summary>
/// <param name="Destination">An APIC ID or a logical set; <see cref="Broadcast"/> is everyone.</param>
/// <param name="IsLogical">The destination is matched against LDR and DFR.</param>
/// <param name="Mode">What it does.</param>
/// <param name="Vector">Vector, or the start page of a SIPI.</param>
/// <param name="IsLevelTriggered">The destination's EOI is broadcast to the I/O APIC.</param>
/// <param name="IsAsserted">False only for the INIT level de-assert message, which nothing listens to.</param>
internal readonly record struct InterruptMessage(uint Destination, bool IsLogical, DeliveryMode Mode, byte Vector, bool IsLevelTriggered,
    bool IsAsserted)
{
    public const uint Broadcast = uint.MaxValue;

    /// <summary>An 8-bit destination as the registers have it: 0xFF is everyone.</summary>
    public static uint WidenDestination(byte destination) => destination == 0xFF ? Broadcast : destination;
}
