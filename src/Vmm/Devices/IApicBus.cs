namespace Vmm.Devices;

/// <summary>What connects local APICs and the I/O APIC.</summary>
internal interface IApicBus
{
    /// <summary>A processor's interrupt command. <paramref name="sourceCpu"/> is what the shorthands count from.</summary>
    void SendIpi(int sourceCpu, DestinationShorthand shorthand, in InterruptMessage message);

    /// <summary>A message of the I/O APIC or of a device (MSI).</summary>
    void Send(in InterruptMessage message);

    /// <summary>A processor ended a level-triggered interrupt.</summary>
    void BroadcastEoi(byte vector);
}
