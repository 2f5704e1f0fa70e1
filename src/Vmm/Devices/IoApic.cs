using Vmm.Buses;
using Vmm.Snapshots;

namespace Vmm.Devices;

/// <summary>
/// The I/O APIC (Intel 82093AA datasheet, 290566) at 0xFEC00000 with 24 inputs, version 0x20 with the EOI register
/// that later chipsets have. Index register at 0x00, data window at 0x10, EOI at 0x40. Not modelled:
/// active-low inputs (IrqLine is a logical level, whatever the polarity bit says), ExtINT and SMI delivery, and delivery
/// status: a message arrives at once.
/// </summary>
internal sealed class IoApic(IApicBus bus) : IIrqSink, IMmioDevice, ISnapshotted
{
    public const ulong BaseAddress = 0xFEC0_0000;
    public const ulong SizeBytes = 0x1000;
    public const int InputCount = 24;
    private const uint VersionRegister = (InputCount - 1) << 16 | 0x20;
    private const ulong RemoteIrr = 1 << 14, LevelTriggered = 1 << 15, Masked = 1 << 16;
    private const ulong Writable = 0xFF00_0000_0001_AFFF;

    private readonly ulong[] _redirection = CreateMasked();
    private uint _lines;
    private byte _index;
    private uint _id;

    private static ulong[] CreateMasked()
    {
        var table = new ulong[InputCount];
        System.Array.Fill(table, Masked);
        return table;
    }

    public string SnapshotName => "ioapic";

    public void SetIrqLevel(int input, bool high)
    {
        uint bit = 1u << input;
        if (!high)
        {
            _lines &= ~bit;
            return;
        }
        bool rises = (_lines & bit) == 0;
        _lines |= bit;
        if (!rises) return;
        // An edge on a masked input is lost, not held pending (82093AA, redirection table, bit 16).
        if ((_redirection[input] & LevelTriggered) != 0) ServiceLevel(input);
        else if ((_redirection[input] & Masked) == 0) Send(_redirection[input]);
    }

    private void ServiceLevel(int input)
    {
        ulong entry = _redirection[input];
        if ((entry & (LevelTriggered | Masked | RemoteIrr)) != LevelTriggered || (_lines >> input & 1) == 0) return;
        _redirection[input] = entry | RemoteIrr;
        Send(entry);
    }

    private void Send(ulong entry)
    {
        var mode = (DeliveryMode)(entry >> 8 & 7);
        // Level triggering means something for fixed and lowest-priority delivery; NMI and INIT are edges.
        bool isLevel = (entry & LevelTriggered) != 0 && mode is DeliveryMode.Fixed or DeliveryMode.LowestPriority;
        uint destination = InterruptMessage.WidenDestination((byte)(entry >> 56));
        bus.Send(new InterruptMessage(destination, (entry & 0x800) != 0, mode, (byte)entry, isLevel, true));
    }

    /// <summary>
    /// A processor's EOI: level-triggered inputs with this vector are free again, and deliver again while their line is
    /// high.
    /// </summary>
    public void EndOfInterrupt(byte vector)
    {
        for (int i = 0; i < InputCount; i++)
        {
            if ((byte)_redirection[i] != vector || (_redirection[i] & LevelTriggered) == 0) continue;
            _redirection[i] &= ~RemoteIrr;
            ServiceLevel(i);
        }
    }

    public ulong ReadMmio(ulong offset, int sizeBytes)
    {
        uint value = (offset & ~3UL) switch
        {
            0x00 => _index,
            0x10 => ReadRegister(),
            _ => 0,
        };
        return value >> (8 * ((int)offset & 3));
    }

    public void WriteMmio(ulong offset, int sizeBytes, ulong value)
    {
        switch (offset)
        {
            case 0x00: _index = (byte)value; break;
            case 0x10: if (sizeBytes >= 4) WriteRegister((uint)value); break;
            case 0x40: EndOfInterrupt((byte)value); break;
        }
    }

    private uint ReadRegister()
    {
        switch (_index)
        {
            case 0: return _id;
            case 1: return VersionRegister;
            case 2: return _id; // arbitration ID
            case >= 0x10 and < 0x10 + 2 * InputCount:
                return (uint)(_redirection[(_index - 0x10) >> 1] >> (32 * (_index & 1)));
            default: return 0;
        }
    }

    private void WriteRegister(uint value)
    {
        if (_index == 0)
        {
            _id = value & 0x0F00_0000;
            return;
        }
        if (_index is < 0x10 or >= 0x10 + 2 * InputCount) return;
        int input = (_index - 0x10) >> 1;
        int shift = 32 * (_index & 1);
        ulong written = (ulong)uint.MaxValue << shift & Writable;
        ulong entry = _redirection[input] & ~written | (ulong)value << shift & written;
        // Software clears a stuck remote IRR by making the input edge-triggered for a moment.
        if ((entry & LevelTriggered) == 0) entry &= ~RemoteIrr;
        _redirection[input] = entry;
        ServiceLevel(input);
    }

    public void Save(StateWriter writer)
    {
        foreach (ulong entry in _redirection) writer.Write("redirection", entry);
        writer.Write("lines", _lines);
        writer.Write("index", (uint)_index);
        writer.Write("id", _id);
    }

    public void Restore(StateReader reader)
    {
        for (int i = 0; i < InputCount; i++) _redirection[i] = reader.ReadUInt64("redirection");
        _lines = reader.ReadUInt32("lines");
        _index = reader.ReadByte("index");
        _id = reader.ReadUInt32("id");
    }
}
