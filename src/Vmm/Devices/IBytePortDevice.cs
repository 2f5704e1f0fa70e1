using Vmm.Buses;

namespace Vmm.Devices;

/// <summary>
/// A chip with an 8-bit data bus. Wider accesses reach it as one access per byte, lowest port first, as the ISA bus
/// controller splits them: "outw 0x3d4" writes a CRTC index and its data.
/// </summary>
internal interface IBytePortDevice : IPortDevice
{
    /// <summary>Ports that are not the chip's read as 0xFF.</summary>
    byte ReadByte(int port);

    /// <summary>Ports that are not the chip's ignore writes.</summary>
    void WriteByte(int port, byte value);

    uint IPortDevice.ReadPort(PortNumber port, int sizeBytes)
    {
        uint value = 0;
        for (int i = 0; i < sizeBytes; i++) value |= (uint)ReadByte(port.Value + i) << (8 * i);
        return value;
    }

    void IPortDevice.WritePort(PortNumber port, int sizeBytes, uint value)
    {
        for (int i = 0; i < sizeBytes; i++) WriteByte(port.Value + i, (byte)(value >> (8 * i)));
    }
}
