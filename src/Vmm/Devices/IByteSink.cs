namespace Vmm.Devices;

/// <summary>Where a chip's output bytes go.</summary>
public interface IByteSink
{
    void WriteByte(byte value);
}
