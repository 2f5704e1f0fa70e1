using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using Vmm.Buses;
using Vmm.Snapshots;

namespace Vmm.Devices.Pci;

/// <summary>
/// One PCI function: 256 bytes of configuration registers with a mask of what software can write, base address registers, a capability list,
/// an INTx pin and optionally MSI-X (PCI Local Bus 3.0, chapter 6). A chip derives from it and answers in
/// <see cref="ReadRegion"/> and <see cref="WriteRegion"/>.
/// </summary>
internal abstract class PciDevice : ISnapshotted
{
    protected const int BarCount = 6;
    private const int ConfigSizeBytes = 256;
    private const int FirstCapability = 0x40;

    private readonly byte[] _config = new byte[ConfigSizeBytes];
    private readonly byte[] _writable = new byte[ConfigSizeBytes];
    private readonly PciBar[] _bars = new PciBar[BarCount];
    private PciBus? _bus;
    private IrqLine? _interruptLine;
    private MsixCapability? _msix;
    private int _lastCapability;
    private int _nextCapability = FirstCapability;
    private bool _interruptAsserted;

    protected PciDevice(string snapshotName, PciIdentity identity)
    {
        SnapshotName = snapshotName;
        Preset16(PciRegisters.VendorId, identity.VendorId);
        Preset16(PciRegisters.DeviceId, identity.DeviceId);
        Preset(PciRegisters.RevisionId, identity.RevisionId);
        Preset(PciRegisters.ClassCode, (byte)identity.ClassCode);
        Preset16(PciRegisters.ClassCode + 1, (ushort)(identity.ClassCode >> 8));
        Preset16(PciRegisters.SubsystemVendorId, identity.SubsystemVendorId);
        Preset16(PciRegisters.SubsystemId, identity.SubsystemId);
        Preset16(PciRegisters.Command, 0, 0x0547);
        Preset(PciRegisters.InterruptLine, 0, 0xFF);
        Preset(0x0C, 0, 0xFF); // Cache line size and latency timer mean nothing here, but read back.
        Preset(0x0D, 0, 0xFF);
    }

    public string SnapshotName { get; }

    /// <summary>0 for none, 1 for INTA .. 4 for INTD.</summary>
    public int InterruptPin => _config[PciRegisters.InterruptPin];

    /// <summary>MSI-X, if the function has it.</summary>
    public MsixCapability? Msix => _msix;

    protected ushort Command => Config16(PciRegisters.Command);

    /// <summary>Reads configuration registers; <paramref name="sizeBytes"/> is 1, 2 or 4 and the access does not cross a dword.</summary>
    public virtual uint ReadConfig(int offset, int sizeBytes)
    {
        uint value = 0;
        for (int i = 0; i < sizeBytes; i++) value |= (uint)ConfigByte(offset + i) << (8 * i);
        return value;
    }

    /// <summary>Writes configuration registers: what is read-only stays, and decoding, interrupts and MSI-X follow.</summary>
    public virtual void WriteConfig(int offset, int sizeBytes, uint value)
    {
        for (int i = 0; i < sizeBytes; i++)
        {
            ref byte register = ref _config[offset + i];
            byte mask = _writable[offset + i];
            register = (byte)((register & ~mask) | ((byte)(value >> (8 * i)) & mask));
        }
        OnConfigWritten(offset, sizeBytes);
    }

    /// <summary>Reads at an offset of a region: a BAR's number, or one that <see cref="CollectWindows"/> added.</summary>
    protected internal abstract ulong ReadRegion(int region, ulong offset, int sizeBytes);

    protected internal abstract void WriteRegion(int region, ulong offset, int sizeBytes, ulong value);

    public void Save(StateWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write("config", _config);
        writer.Write("interruptAsserted", _interruptAsserted);
        _msix?.Save(writer);
        SaveFunction(writer);
    }

    public void Restore(StateReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        reader.Read("config", _config);
        _interruptAsserted = reader.ReadBoolean("interruptAsserted");
        _msix?.Restore(reader);
        RestoreFunction(reader);
        _interruptLine?.Restore(InterruptLevel);
        _bus?.RebuildWindows();
    }

    /// <summary>Saves the function's own registers, after those of this class.</summary>
    protected abstract void SaveFunction(StateWriter writer);

    protected abstract void RestoreFunction(StateReader reader);

    /// <summary>Registers were written and hold their new values. Overrides call the base.</summary>
    protected virtual void OnConfigWritten(int offset, int sizeBytes)
    {
        bool command = offset < PciRegisters.Command + 2 && offset + sizeBytes > PciRegisters.Command;
        bool bars = offset < PciRegisters.Bar0 + 4 * BarCount && offset + sizeBytes > PciRegisters.Bar0;
        if (command || bars) _bus?.RebuildWindows();
        if (_msix is not null && offset <= _msix.ControlOffset + 1 && offset + sizeBytes > _msix.ControlOffset) _msix.ControlWritten(MsixControl);
        _interruptLine?.Set(InterruptLevel);
    }

    /// <summary>Adds what the function decodes now.</summary>
    internal virtual void CollectWindows(List<PciWindow> ports, List<PciWindow> memory)
    {
        for (int i = 0; i < BarCount; i++)
        {
            PciBar bar = _bars[i];
            if (bar.Kind == PciBarKind.None) continue;
            bool isIo = bar.Kind == PciBarKind.Io;
            if ((Command & (isIo ? PciRegisters.CommandIoSpace : PciRegisters.CommandMemorySpace)) == 0) continue;
            uint first = Config32(PciRegisters.Bar0 + 4 * i) & ~(bar.SizeBytes - 1);
            // Address 0 is "not assigned"; an I/O BAR above 64 KiB is out of the processor's reach, as while it is being sized.
            if (first == 0 || (isIo && first > 0xFFFF)) continue;
            (isIo ? ports : memory).Add(new PciWindow(first, bar.SizeBytes, this, i));
        }
    }

    internal void Attach(PciBus bus, int devfn, IrqLine interruptLine)
    {
        Invariant.Check(_bus is null && devfn is >= 0 and < 256);
        _bus = bus;
        _interruptLine = interruptLine;
    }

    internal void MarkMultiFunction() => _config[PciRegisters.HeaderType] |= PciRegisters.MultiFunction;

    internal void AssignBars(ref uint nextPort, ref uint nextAddress)
    {
        ushort command = Command;
        for (int i = 0; i < BarCount; i++)
        {
            PciBar bar = _bars[i];
            if (bar.Kind == PciBarKind.None) continue;
            ref uint next = ref nextPort;
            if (bar.Kind == PciBarKind.Memory32) next = ref nextAddress;
            next = (next + bar.SizeBytes - 1) & ~(bar.SizeBytes - 1);
            WriteConfig(PciRegisters.Bar0 + 4 * i, 4, next);
            next += bar.SizeBytes;
            command |= bar.Kind == PciBarKind.Io ? PciRegisters.CommandIoSpace : PciRegisters.CommandMemorySpace;
            command |= PciRegisters.CommandBusMaster;
        }
        WriteConfig(PciRegisters.Command, 2, command);
    }

    /// <summary>Tells the bus that what the function decodes has changed by other means than its BARs.</summary>
    protected void RebuildWindows() => _bus?.RebuildWindows();

    /// <summary>Fixes a register at reset. Only while the function is built.</summary>
    /// <param name="offset">Its offset.</param>
    /// <param name="value">Its value at reset.</param>
    /// <param name="writable">Which bits software can write.</param>
    protected void Preset(int offset, byte value, byte writable = 0)
    {
        _config[offset] = value;
        _writable[offset] = writable;
    }

    protected void Preset16(int offset, ushort value, ushort writable = 0)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(_config.AsSpan(offset), value);
        BinaryPrimitives.WriteUInt16LittleEndian(_writable.AsSpan(offset), writable);
    }

    protected void Preset32(int offset, uint value, uint writable = 0)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(_config.AsSpan(offset), value);
        BinaryPrimitives.WriteUInt32LittleEndian(_writable.AsSpan(offset), writable);
    }

    protected ushort Config16(int offset) => BinaryPrimitives.ReadUInt16LittleEndian(_config.AsSpan(offset));

    protected uint Config32(int offset) => BinaryPrimitives.ReadUInt32LittleEndian(_config.AsSpan(offset));

    /// <summary>Uses INTA (1) .. INTD (4).</summary>
    protected void UseInterruptPin(int pin) => Preset(PciRegisters.InterruptPin, (byte)pin);

    protected void AddIoBar(int index, uint sizeBytes) => AddBar(index, new PciBar(PciBarKind.Io, sizeBytes), 1);

    protected void AddMemoryBar(int index, uint sizeBytes) => AddBar(index, new PciBar(PciBarKind.Memory32, sizeBytes), 0);

    /// <summary>Appends a capability and returns its offset; its first two bytes (id, next) are filled in here.</summary>
    /// <param name="id">Capability id, PCI Local Bus 3.0 appendix H.</param>
    /// <param name="body">The bytes after id and next.</param>
    protected int AddCapability(byte id, ReadOnlySpan<byte> body)
    {
        int offset = _nextCapability;
        Invariant.Check(offset + 2 + body.Length <= ConfigSizeBytes);
        Preset(offset, id);
        body.CopyTo(_config.AsSpan(offset + 2));
        Preset(_lastCapability == 0 ? PciRegisters.CapabilitiesPointer : _lastCapability + 1, (byte)offset);
        _config[PciRegisters.Status] |= PciRegisters.StatusCapabilitiesList;
        _lastCapability = offset;
        _nextCapability = (offset + 2 + body.Length + 3) & ~3;
        return offset;
    }

    /// <summary>Lets software write some bits of registers, of a capability for example.</summary>
    protected void MakeWritable(int offset, ReadOnlySpan<byte> mask) => mask.CopyTo(_writable.AsSpan(offset));

    /// <summary>Adds MSI-X whose table starts at offset 0 of a BAR and whose pending bits start at 2 KiB.</summary>
    /// <param name="bar">A memory BAR of 4 KiB, used for nothing else.</param>
    /// <param name="vectorCount">1..128.</param>
    /// <param name="sink">Where messages go.</param>
    protected void AddMsix(int bar, int vectorCount, IMsiSink sink)
    {
        AddMemoryBar(bar, MsixCapability.BarSizeBytes);
        Span<byte> body = stackalloc byte[10];
        BinaryPrimitives.WriteUInt16LittleEndian(body, (ushort)(vectorCount - 1));
        BinaryPrimitives.WriteUInt32LittleEndian(body[2..], (uint)bar);
        BinaryPrimitives.WriteUInt32LittleEndian(body[6..], MsixCapability.PendingOffset | (uint)bar);
        int offset = AddCapability(MsixCapability.CapabilityId, body);
        MakeWritable(offset + 3, [0xC0]);
        _msix = new MsixCapability(vectorCount, offset + 2, sink);
    }

    /// <summary>Drives the INTx pin; the wire follows unless the command register or MSI-X disables it.</summary>
    protected void SetInterrupt(bool asserted)
    {
        _interruptAsserted = asserted;
        _interruptLine?.Set(InterruptLevel);
    }

    private bool InterruptLevel =>
        _interruptAsserted && (Command & PciRegisters.CommandInterruptDisable) == 0 && _msix is not { IsEnabled: true };

    private ushort MsixControl => Config16(_msix!.ControlOffset);

    private byte ConfigByte(int offset)
    {
        byte value = _config[offset];
        // The interrupt status bit shows the pin even while the command register keeps it from the wire (6.2.3).
        if (offset == PciRegisters.Status && _interruptAsserted) value |= PciRegisters.StatusInterrupt;
        return value;
    }

    private void AddBar(int index, PciBar bar, uint flags)
    {
        Invariant.Check(bar.SizeBytes >= 4 && (bar.SizeBytes & (bar.SizeBytes - 1)) == 0 && _bars[index].Kind == PciBarKind.None);
        _bars[index] = bar;
        Preset32(PciRegisters.Bar0 + 4 * index, flags, ~(bar.SizeBytes - 1));
    }
}
