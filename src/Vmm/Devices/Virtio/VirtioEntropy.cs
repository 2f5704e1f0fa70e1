using System;
using Vmm.Devices.Pci;
using Vmm.Memory;

namespace Vmm.Devices.Virtio;

/// <summary>A virtio entropy device (virtio 1.2, 5.4). Its bytes are inputs of the machine. At most 4 KiB are given per request.</summary>
internal sealed class VirtioEntropy : VirtioPciDevice
{
    private const ushort DeviceType = 4;
    private const int RequestQueue = 0, MaximumFillBytes = 4096;

    private readonly IEntropySource _source;
    private readonly byte[] _bytes = new byte[MaximumFillBytes];

    public VirtioEntropy(string name, IEntropySource source, PhysicalMemory memory, IMsiSink messages)
        : base(name, DeviceType, 0x00_FF_00, 0, 1, memory, messages) => _source = source;

    private protected override void ReadDeviceConfig(int offset, Span<byte> destination) => destination.Clear();

    private protected override void OnNotify(int queueIndex)
    {
        bool any = false;
        for (int i = 0; i < QueueCapacity && TryPop(RequestQueue, long.MaxValue); i++)
        {
            Span<byte> bytes = _bytes.AsSpan(0, (int)Math.Min(Chain.WritableBytes, MaximumFillBytes));
            if (bytes.Length > 0) _source.Fill(bytes);
            PushUsed(RequestQueue, Chain.Head, (uint)Chain.Write(0, bytes));
            any = true;
        }
        if (any) InterruptQueue(RequestQueue);
    }
}
