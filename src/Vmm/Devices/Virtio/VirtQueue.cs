using System;
using System.Buffers.Binary;
using Vmm.Memory;
using Vmm.Snapshots;

namespace Vmm.Devices.Virtio;

/// <summary>
/// A split virtqueue (virtio 1.2, 2.7) as the device sees it. The driver is not trusted: a chain that is cyclic, too long, outside RAM or
/// malformed makes the queue broken, and a broken queue gives nothing until the device is reset.
/// </summary>
internal sealed class VirtQueue
{
    public const int MaximumSize = 256;

    private const ushort FlagNext = 1, FlagWrite = 2, FlagIndirect = 4;
    private const ushort AvailableFlagNoInterrupt = 1;
    private const int DescriptorSizeBytes = 16;

    private readonly PhysicalMemory _memory;
    private ushort _nextAvailable, _nextUsed;

    public VirtQueue(PhysicalMemory memory)
    {
        _memory = memory;
        Reset();
    }

    public ushort Size { get; set; }
    public bool IsEnabled { get; set; }
    public bool IsBroken { get; private set; }
    public ushort MsixVector { get; set; }

    // Guest-physical addresses of the three parts: descriptor table, available ring (driver area), used ring (device area).
    public ulong DescriptorTable, AvailableRing, UsedRing;

    public void Reset()
    {
        Size = MaximumSize;
        IsEnabled = IsBroken = false;
        MsixVector = VirtioPciDevice.NoVector;
        DescriptorTable = AvailableRing = UsedRing = 0;
        _nextAvailable = _nextUsed = 0;
    }

    /// <summary>Whether size and addresses are what the driver must give (2.7): a power of two, aligned, in RAM.</summary>
    public bool HasValidLayout =>
        Size is > 0 and <= MaximumSize && (Size & (Size - 1)) == 0
        && DescriptorTable % 16 == 0 && AvailableRing % 2 == 0 && UsedRing % 4 == 0
        && IsRam(DescriptorTable, (uint)Size * DescriptorSizeBytes) && IsRam(AvailableRing, 6u + 2u * Size) && IsRam(UsedRing, 6u + 8u * Size);

    /// <summary>Takes the next chain that the driver offers; false when there is none, or the queue is broken.</summary>
    public bool TryPop(VirtioChain chain, long maximumBytes)
    {
        if (!IsEnabled || IsBroken) return false;
        ushort offered = (ushort)(_memory.Read<ushort>(new GuestPhysicalAddress(AvailableRing + 2)) - _nextAvailable);
        if (offered == 0) return false;
        // More chains than entries cannot be outstanding (2.7.6).
        if (offered > Size) return Break();
        ushort head = _memory.Read<ushort>(new GuestPhysicalAddress(AvailableRing + 4 + 2UL * (uint)(_nextAvailable % Size)));
        _nextAvailable++;
        return TryWalk(head, chain, maximumBytes) || Break();
    }

    /// <summary>Gives a chain back with the number of bytes written to it (2.7.8).</summary>
    public void PushUsed(ushort head, uint bytesWritten)
    {
        if (!IsEnabled || IsBroken) return;
        ulong entry = UsedRing + 4 + 8UL * (uint)(_nextUsed % Size);
        _memory.Write(new GuestPhysicalAddress(entry), (ulong)bytesWritten << 32 | head);
        _nextUsed++;
        _memory.Write(new GuestPhysicalAddress(UsedRing + 2), _nextUsed);
    }

    /// <summary>Whether the driver wants to be interrupted for used buffers.</summary>
    public bool WantsInterrupt => (_memory.Read<ushort>(new GuestPhysicalAddress(AvailableRing)) & AvailableFlagNoInterrupt) == 0;

    public void Save(StateWriter writer)
    {
        writer.Write("size", (uint)Size);
        writer.Write("enabled", IsEnabled);
        writer.Write("broken", IsBroken);
        writer.Write("vector", (uint)MsixVector);
        writer.Write("descriptorTable", DescriptorTable);
        writer.Write("availableRing", AvailableRing);
        writer.Write("usedRing", UsedRing);
        writer.Write("nextAvailable", (uint)_nextAvailable);
        writer.Write("nextUsed", (uint)_nextUsed);
    }

    public void Restore(StateReader reader)
    {
        Size = (ushort)reader.ReadUInt32("size");
        IsEnabled = reader.ReadBoolean("enabled");
        IsBroken = reader.ReadBoolean("broken");
        MsixVector = (ushort)reader.ReadUInt32("vector");
        DescriptorTable = reader.ReadUInt64("descriptorTable");
        AvailableRing = reader.ReadUInt64("availableRing");
        UsedRing = reader.ReadUInt64("usedRing");
        _nextAvailable = (ushort)reader.ReadUInt32("nextAvailable");
        _nextUsed = (ushort)reader.ReadUInt32("nextUsed");
        if (IsEnabled && !HasValidLayout) throw new StateFormatException("the snapshot has a virtqueue that is enabled but not in RAM");
    }

    private bool Break()
    {
        IsBroken = true;
        return false;
    }

    private bool TryWalk(ushort head, VirtioChain chain, long maximumBytes)
    {
        Span<byte> descriptor = stackalloc byte[DescriptorSizeBytes];
        chain.Begin(_memory, head);
        ulong table = DescriptorTable;
        uint tableSize = Size, index = head;
        bool isIndirect = false;
        // A chain has at most as many descriptors as the queue (2.7.5.1), so a cycle ends here; one more for the indirect one itself.
        for (int step = 0; step <= Size; step++)
        {
            if (index >= tableSize) return false;
            _memory.Read(new GuestPhysicalAddress(table + index * (ulong)DescriptorSizeBytes), descriptor);
            ulong address = BinaryPrimitives.ReadUInt64LittleEndian(descriptor);
            uint length = BinaryPrimitives.ReadUInt32LittleEndian(descriptor[8..]);
            ushort flags = BinaryPrimitives.ReadUInt16LittleEndian(descriptor[12..]);
            if (!IsRam(address, length)) return false;
            if ((flags & FlagIndirect) != 0)
            {
                // One level only, last in the chain, a whole number of descriptors (2.7.5.3).
                if (isIndirect || (flags & FlagNext) != 0 || length == 0 || length % DescriptorSizeBytes != 0) return false;
                isIndirect = true;
                table = address;
                tableSize = length / DescriptorSizeBytes;
                index = 0;
                continue;
            }
            if (!chain.TryAdd(address, length, (flags & FlagWrite) != 0) || chain.TotalBytes > maximumBytes) return false;
            if ((flags & FlagNext) == 0) return true;
            index = BinaryPrimitives.ReadUInt16LittleEndian(descriptor[14..]);
        }
        return false;
    }

    private bool IsRam(ulong address, uint length)
    {
        if (length == 0) return true;
        ulong last = address + length - 1;
        if (last < address) return false;
        // RAM is at most two ranges, so both ends in the same one means all of it.
        ulong low = _memory.LowSizeBytes, high = PhysicalMemory.HoleEnd + _memory.HighSizeBytes;
        return last < low || (address >= PhysicalMemory.HoleEnd && last < high);
    }
}
