namespace Vmm.Devices.Pci;

/// <summary>Takes message-signalled interrupts: the platform decodes them to APIC messages (SDM 3A 11.11).</summary>
internal interface IMsiSink
{
    /// <param name="address">Where the function writes, usually 0xFEExxxxx.</param>
    /// <param name="data">What it writes: vector, delivery mode, trigger mode.</param>
    void SendMessage(ulong address, uint data);
}
