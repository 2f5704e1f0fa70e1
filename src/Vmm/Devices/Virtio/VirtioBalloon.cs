using System;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Vmm.Devices.Pci;
using Vmm.Memory;
using Vmm.Snapshots;

namespace Vmm.Devices.Virtio;

/// <summary>
/// The traditional memory balloon (virtio 1.2, 5.5): the driver gives pages back through the inflate queue until it holds as many as the
/// target asks for. A page that is given back becomes zero in guest memory, so that the machine's state stays a function of
/// that memory alone. Not modelled: free page hinting and reporting, page poisoning.
/// </summary>
internal sealed class VirtioBalloon : VirtioPciDevice
{
    private const ushort DeviceType = 5;
    private const int InflateQueue = 0, DeflateQueue = 1, StatisticsQueue = 2, ConfigSizeBytes = 8, Actual = 4;
    private const long MaximumRequestBytes = 1 << 20;
    private const int StatisticSizeBytes = 10, StatisticCount = 16;
    private const ulong Features = 1UL << 0 | 1UL << 1 | 1UL << 2; // MUST_TELL_HOST, STATS_VQ, DEFLATE_ON_OOM

    private readonly byte[] _frames = new byte[PagedMemory.PageSizeBytes];
    private readonly byte[] _zeros = new byte[PagedMemory.PageSizeBytes];
    private readonly ulong[] _statistics = new ulong[StatisticCount];
    private uint _target, _actual;
    private int _heldStatistics = -1;

    public VirtioBalloon(string name, PhysicalMemory memory, IMsiSink messages)
        : base(name, DeviceType, 0x05_00_00, Features, 3, memory, messages) => _statistics.AsSpan().Fill(ulong.MaxValue);

    /// <summary>Pages of 4 KiB that the driver is asked to give back.</summary>
    public uint TargetPages => _target;

    /// <summary>Pages that the driver says it has given back.</summary>
    public uint ActualPages => _actual;

    /// <summary>Pages given back less pages taken again, as counted here.</summary>
    public ulong InflatedPages { get; private set; }

    /// <summary>The driver's last statistics by tag (5.5.6.4): 0 swap-in .. 9 huge page allocations failed; all ones where none was given.</summary>
    public ReadOnlySpan<ulong> Statistics => _statistics;

    /// <summary>Asks the driver to hold <paramref name="pages"/> pages of 4 KiB.</summary>
    public void SetTarget(uint pages)
    {
        if (_target == pages) return;
        _target = pages;
        ConfigurationChanged();
    }

    /// <summary>Asks the driver for new statistics by giving back its last buffer (5.5.6.3); false when it has not offered one.</summary>
    public bool RequestStatistics()
    {
        if (_heldStatistics < 0 || !IsRunning) return false;
        PushUsed(StatisticsQueue, (ushort)_heldStatistics, 0);
        _heldStatistics = -1;
        InterruptQueue(StatisticsQueue);
        return true;
    }

    protected override void SaveFunction(StateWriter writer)
    {
        base.SaveFunction(writer);
        writer.Write("target", _target);
        writer.Write("actual", _actual);
        writer.Write("inflated", InflatedPages);
        writer.Write("heldStatistics", _heldStatistics);
        writer.Write("statistics", MemoryMarshal.AsBytes(_statistics.AsSpan()));
    }

    protected override void RestoreFunction(StateReader reader)
    {
        base.RestoreFunction(reader);
        _target = reader.ReadUInt32("target");
        _actual = reader.ReadUInt32("actual");
        InflatedPages = reader.ReadUInt64("inflated");
        _heldStatistics = reader.ReadInt32("heldStatistics");
        reader.Read("statistics", MemoryMarshal.AsBytes(_statistics.AsSpan()));
    }

    private protected override void OnReset()
    {
        _actual = 0;
        InflatedPages = 0;
        _heldStatistics = -1;
        _statistics.AsSpan().Fill(ulong.MaxValue);
    }

    private protected override void ReadDeviceConfig(int offset, Span<byte> destination)
    {
        Span<byte> config = stackalloc byte[ConfigSizeBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(config, _target);
        BinaryPrimitives.WriteUInt32LittleEndian(config[Actual..], _actual);
        CopyConfig(config, offset, destination);
    }

    private protected override void WriteDeviceConfig(int offset, ReadOnlySpan<byte> source)
    {
        if (offset == Actual && source.Length == 4) _actual = BinaryPrimitives.ReadUInt32LittleEndian(source);
    }

    private protected override void OnNotify(int queueIndex)
    {
        if (queueIndex == StatisticsQueue)
        {
            TakeStatistics();
            return;
        }
        bool any = false;
        for (int i = 0; i < QueueCapacity && TryPop(queueIndex, MaximumRequestBytes); i++)
        {
            TakeFrames(isInflate: queueIndex == InflateQueue);
            PushUsed(queueIndex, Chain.Head, 0);
            any = true;
        }
        if (any) InterruptQueue(queueIndex);
    }

    private void TakeFrames(bool isInflate)
    {
        long count = Chain.ReadableBytes / 4;
        for (long at = 0; at < count * 4;)
        {
            int read = Chain.Read(at, _frames.AsSpan(0, (int)Math.Min(_frames.Length, count * 4 - at)));
            for (int i = 0; i + 4 <= read; i += 4) TakeFrame(BinaryPrimitives.ReadUInt32LittleEndian(_frames.AsSpan(i)), isInflate);
            at += read;
        }
    }

    private void TakeFrame(uint frame, bool isInflate)
    {
        ulong address = (ulong)frame << PagedMemory.PageShift;
        long offset = Memory.RamOffset(address);
        if (offset < 0 || (ulong)offset >= Memory.RamSizeBytes) return; // no RAM there: nothing was given
        if (!isInflate)
        {
            if (InflatedPages > 0) InflatedPages--;
            return;
        }
        InflatedPages++;
        Memory.Write(new GuestPhysicalAddress(address), _zeros);
    }

    /// <summary>Keeps the statistics and their buffer, which goes back when new ones are wanted.</summary>
    private void TakeStatistics()
    {
        Span<byte> statistic = stackalloc byte[StatisticSizeBytes];
        for (int i = 0; i < QueueCapacity && TryPop(StatisticsQueue, MaximumRequestBytes); i++)
        {
            // One buffer is outstanding at a time; one that is still held goes back first.
            if (_heldStatistics >= 0) PushUsed(StatisticsQueue, (ushort)_heldStatistics, 0);
            _heldStatistics = Chain.Head;
            _statistics.AsSpan().Fill(ulong.MaxValue);
            for (int at = 0; at < StatisticCount * StatisticSizeBytes && Chain.Read(at, statistic) == StatisticSizeBytes; at += StatisticSizeBytes)
            {
                int tag = BinaryPrimitives.ReadUInt16LittleEndian(statistic);
                if (tag < StatisticCount) _statistics[tag] = BinaryPrimitives.ReadUInt64LittleEndian(statistic[2..]);
            }
        }
    }
}
