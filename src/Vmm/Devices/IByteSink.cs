namespace Vmm.Devices;

/// <summary>Where a character device's output goes.</summary>
internal interface IByteSink
{
    void WriteByte(byte value);
}
