using System;
using System.Buffers.Binary;
using Vmm.Snapshots;

namespace Vmm.Devices.Pci;

/// <summary>
/// MSI-X of one function (PCI Local Bus 3.0, 6.8.2): a table of messages and a bit per vector that is pending while masked, both in one
/// memory BAR of the function.
/// </summary>
internal sealed class MsixCapability
{
    internal const byte CapabilityId = 0x11;
    internal const uint BarSizeBytes = 4096;
    internal const uint PendingOffset = 2048;

    private const int EntrySizeBytes = 16;
    private const ushort ControlEnable = 0x8000, ControlFunctionMask = 0x4000;
    private const byte VectorMasked = 1;

    private readonly IMsiSink _sink;
    private readonly byte[] _table;
    private readonly byte[] _pending = new byte[16];
    private bool _functionMasked;

    internal MsixCapability(int vectorCount, int controlOffset, IMsiSink sink)
    {
        Invariant.Check(vectorCount is >= 1 and <= (int)PendingOffset / EntrySizeBytes);
        VectorCount = vectorCount;
        ControlOffset = controlOffset;
        _sink = sink;
        _table = new byte[vectorCount * EntrySizeBytes];
        // Every vector starts out masked (6.8.2.9).
        for (int vector = 0; vector < vectorCount; vector++) _table[vector * EntrySizeBytes + 12] = VectorMasked;
    }

    public int VectorCount { get; }
    public bool IsEnabled { get; private set; }

    internal int ControlOffset { get; }

    /// <summary>Sends a vector's message, or makes it pending while it is masked. Does nothing while MSI-X is off.</summary>
    public void Signal(int vector)
    {
        if (!IsEnabled || vector >= VectorCount) return;
        if (IsMasked(vector)) _pending[vector >> 3] |= (byte)(1 << (vector & 7));
        else Send(vector);
    }

    internal void ControlWritten(ushort control)
    {
        IsEnabled = (control & ControlEnable) != 0;
        _functionMasked = (control & ControlFunctionMask) != 0;
        if (!IsEnabled) return;
        for (int vector = 0; vector < VectorCount; vector++) SendIfPending(vector);
    }

    internal ulong ReadBar(ulong offset, int sizeBytes)
    {
        ulong value = 0;
        for (int i = 0; i < sizeBytes; i++) value |= (ulong)ReadByte((int)offset + i) << (8 * i);
        return value;
    }

    internal void WriteBar(ulong offset, int sizeBytes, ulong value)
    {
        int at = (int)offset;
        for (int i = 0; i < sizeBytes && at + i < _table.Length; i++) _table[at + i] = (byte)(value >> (8 * i));
        if (at < _table.Length) SendIfPending(at / EntrySizeBytes);
    }

    internal void Save(StateWriter writer)
    {
        writer.Write("msixTable", _table);
        writer.Write("msixPending", _pending);
        writer.Write("msixEnabled", IsEnabled);
        writer.Write("msixMasked", _functionMasked);
    }

    internal void Restore(StateReader reader)
    {
        reader.Read("msixTable", _table);
        reader.Read("msixPending", _pending);
        IsEnabled = reader.ReadBoolean("msixEnabled");
        _functionMasked = reader.ReadBoolean("msixMasked");
    }

    private bool IsMasked(int vector) => _functionMasked || (_table[vector * EntrySizeBytes + 12] & VectorMasked) != 0;

    private void SendIfPending(int vector)
    {
        byte bit = (byte)(1 << (vector & 7));
        if (!IsEnabled || (_pending[vector >> 3] & bit) == 0 || IsMasked(vector)) return;
        _pending[vector >> 3] &= (byte)~bit;
        Send(vector);
    }

    private void Send(int vector)
    {
        ReadOnlySpan<byte> entry = _table.AsSpan(vector * EntrySizeBytes, EntrySizeBytes);
        _sink.SendMessage(BinaryPrimitives.ReadUInt64LittleEndian(entry) & ~3UL, BinaryPrimitives.ReadUInt32LittleEndian(entry[8..]));
    }

    private byte ReadByte(int offset)
    {
        if (offset < _table.Length) return _table[offset];
        int pending = offset - (int)PendingOffset;
        return pending >= 0 && pending < _pending.Length ? _pending[pending] : (byte)0;
    }
}
