using Vmm.Snapshots;
using Vmm.Time;

namespace Vmm.Devices;

/// <summary>
/// The PC/AT's system control port B at 0x61, as in the PIIX (Intel 82371SB, 290550, "NMI status and control"): bit 0
/// gate of timer channel 2, bit 1 speaker, bits 2 and 3 disable the parity and channel checks, bit 4 toggles with the
/// DRAM refresh request, bit 5 is OUT of timer channel 2, bits 6 and 7 (check errors) are always 0. The speaker is not
/// modelled.
/// </summary>
internal sealed class SystemControlPortB(IClock clock, Timer8254 timer) : IBytePortDevice, ISnapshotted
{
    public const int Port = 0x61;
    // Channel 1 requested a refresh every 18 ticks on the AT; software measures delays with the toggle.
    private const ulong RefreshTicks = 18;
    private static readonly Oscillator s_refresh = new(Timer8254.Hertz);

    private byte _control;

    public string SnapshotName => "port-b";

    public byte ReadByte(int port)
    {
        if (port != Port) return 0xFF;
        ulong now = clock.NowNanoseconds;
        int value = _control & 0x0E;
        if (timer.IsSpeakerGateHigh) value |= 0x01;
        if ((s_refresh.TicksAt(now) / RefreshTicks & 1) != 0) value |= 0x10;
        if (timer.IsSpeakerOutHigh(now)) value |= 0x20;
        return (byte)value;
    }

    public void WriteByte(int port, byte value)
    {
        if (port != Port) return;
        _control = (byte)(value & 0x0F);
        timer.SetSpeakerGate((value & 1) != 0);
    }

    public void Save(StateWriter writer) => writer.Write("control", (uint)_control);

    public void Restore(StateReader reader) => _control = reader.ReadByte("control");
}
