using Vmm.Snapshots;

namespace Vmm.Devices;

/// <summary>
/// Two ways to reset a PC: the PIIX reset control register at 0xCF9 (Intel 82371SB, 290550) and system control
/// port A at 0x92 (PS/2). Soft and hard resets are the same here. A20 is always on; its bit in port A can be written and
/// read back.
/// </summary>
internal sealed class ResetControl(IPowerControl power) : IBytePortDevice, ISnapshotted
{
    public const int ResetPort = 0xCF9;
    public const int PortA = 0x92;
    private const byte ResetCpu = 0x04, SystemReset = 0x02, A20 = 0x02, FastReset = 0x01;

    private byte _resetControl;
    private byte _portA = A20;

    public string SnapshotName => "reset-control";

    public byte ReadByte(int port) => port switch
    {
        ResetPort => _resetControl,
        PortA => _portA,
        _ => 0xFF,
    };

    public void WriteByte(int port, byte value)
    {
        switch (port)
        {
            case ResetPort:
                bool resets = (value & ~_resetControl & ResetCpu) != 0;
                _resetControl = (byte)(value & (SystemReset | ResetCpu));
                if (resets) power.Reset();
                break;
            case PortA:
                bool pulses = (value & ~_portA & FastReset) != 0;
                _portA = value;
                if (pulses) power.Reset();
                break;
        }
    }

    public void Save(StateWriter writer)
    {
        writer.Write("resetControl", (uint)_resetControl);
        writer.Write("portA", (uint)_portA);
    }

    public void Restore(StateReader reader)
    {
        _resetControl = reader.ReadByte("resetControl");
        _portA = reader.ReadByte("portA");
    }
}
