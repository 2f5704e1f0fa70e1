using System;
using System.Buffers.Binary;
using Vmm.Devices.Pci;
using Vmm.Memory;
using Vmm.Snapshots;

namespace Vmm.Devices.Virtio;

/// <summary>
/// A virtio console with one port (virtio 1.2, 5.3): the receive queue takes what arrives from outside, the transmit queue goes to a sink.
/// Not modelled: several ports, the size of the terminal.
/// </summary>
internal sealed class VirtioConsole : VirtioPciDevice
{
    /// <summary>Bytes that wait for the driver to offer room; more are lost, as on a serial line that is overrun.</summary>
    public const int ReceiveCapacity = 65536;

    private const ushort DeviceType = 3;
    private const int ReceiveQueue = 0, TransmitQueue = 1, EmergencyWrite = 8, ConfigSizeBytes = 12;
    private const long MaximumTransmitBytes = 1 << 20;
    private const ulong FeatureEmergencyWrite = 1UL << 2;

    private readonly IByteSink _output;
    private readonly byte[] _received = new byte[ReceiveCapacity];
    private readonly byte[] _block = new byte[PagedMemory.PageSizeBytes];
    private int _receivedCount;

    public VirtioConsole(string name, IByteSink output, PhysicalMemory memory, IMsiSink messages)
        : base(name, DeviceType, 0x07_80_00, FeatureEmergencyWrite, 2, memory, messages) => _output = output;

    /// <summary>Bytes arrive from outside; returns how many there was room for.</summary>
    public int Receive(ReadOnlySpan<byte> bytes)
    {
        int count = Math.Min(bytes.Length, ReceiveCapacity - _receivedCount);
        bytes[..count].CopyTo(_received.AsSpan(_receivedCount));
        _receivedCount += count;
        Deliver();
        return count;
    }

    protected override void SaveFunction(StateWriter writer)
    {
        base.SaveFunction(writer);
        writer.Write("received", _received.AsSpan(0, _receivedCount));
    }

    protected override void RestoreFunction(StateReader reader)
    {
        base.RestoreFunction(reader);
        ReadOnlySpan<byte> received = reader.ReadBytes("received");
        if (received.Length > ReceiveCapacity)
            throw new StateFormatException($"the snapshot's {SnapshotName} holds {received.Length} received bytes");
        received.CopyTo(_received);
        _receivedCount = received.Length;
    }

    private protected override void ReadDeviceConfig(int offset, Span<byte> destination)
    {
        Span<byte> config = stackalloc byte[ConfigSizeBytes];
        config.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(config[4..], 1); // max_nr_ports
        CopyConfig(config, offset, destination);
    }

    /// <summary>Emergency write: a byte that goes out without any queue, for early boot (5.3.4).</summary>
    private protected override void WriteDeviceConfig(int offset, ReadOnlySpan<byte> source)
    {
        if (offset == EmergencyWrite) _output.WriteByte(source[0]);
    }

    private protected override void OnNotify(int queueIndex)
    {
        if (queueIndex == ReceiveQueue) Deliver();
        else Transmit();
    }

    private void Transmit()
    {
        bool any = false;
        for (int i = 0; i < QueueCapacity && TryPop(TransmitQueue, MaximumTransmitBytes); i++)
        {
            for (long at = 0; at < Chain.ReadableBytes;)
            {
                int count = Chain.Read(at, _block);
                for (int b = 0; b < count; b++) _output.WriteByte(_block[b]);
                at += count;
            }
            PushUsed(TransmitQueue, Chain.Head, 0);
            any = true;
        }
        if (any) InterruptQueue(TransmitQueue);
    }

    private void Deliver()
    {
        bool any = false;
        while (_receivedCount > 0 && TryPop(ReceiveQueue, long.MaxValue))
        {
            int count = Chain.Write(0, _received.AsSpan(0, _receivedCount));
            _received.AsSpan(count, _receivedCount - count).CopyTo(_received);
            _receivedCount -= count;
            PushUsed(ReceiveQueue, Chain.Head, (uint)count);
            any = true;
            if (count == 0) break; // a chain without room for a byte: go on at the next notification
        }
        if (any) InterruptQueue(ReceiveQueue);
    }
}
