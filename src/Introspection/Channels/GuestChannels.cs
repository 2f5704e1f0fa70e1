using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using Introspection.Layouts;
using Introspection.Locks.Queues;
using Introspection.Locks.Tasks;
using Introspection.Programs;
using Vmm.Platform;

namespace Introspection.Channels;

/// <summary>A number in memory at its address.</summary>
internal readonly record struct ChannelField(ulong Address, int SizeBytes)
{
    public bool IsTouchedBy(ulong address, int sizeBytes) => address < Address + (ulong)SizeBytes && address + (ulong)sizeBytes > Address;
}

/// <summary>A channel of the guest's.</summary>
public sealed class GuestChannel
{
    /// <summary>As declared, with its index where there are several.</summary>
    public required string Name { get; init; }

    /// <summary>Linear.</summary>
    public required ulong Address { get; init; }

    /// <summary>Of its first message.</summary>
    public required ulong Ring { get; init; }

    public required int SlotCount { get; init; }

    public required int MessageBytes { get; init; }

    /// <summary>Where a message's number is in it.</summary>
    public required int SequenceOffset { get; init; }

    public required int SequenceBytes { get; init; }

    internal ChannelField? Sent { get; init; }
    internal ChannelField? Received { get; init; }
    internal ChannelField? Acknowledged { get; init; }
    internal ChannelField? FullStalls { get; init; }
    internal ChannelField? EmptyStalls { get; init; }
    internal ChannelField? Sender { get; init; }
    internal ChannelField? Receiver { get; init; }

    internal ulong SlotAddress(int slot) => Ring + (ulong)slot * (ulong)MessageBytes;

    /// <summary>The number of a message with these contents.</summary>
    internal ulong NumberIn(ReadOnlySpan<byte> contents)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        bytes.Clear();
        contents.Slice(SequenceOffset, SequenceBytes).CopyTo(bytes);
        return BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    }
}

/// <summary>The channels of a guest, as declared. Everything about them begins here. Found once; usable on every machine of the recording.</summary>
public sealed class GuestChannels
{
    private readonly List<GuestChannel> _channels = [];
    private readonly List<string> _problems = [];
    private readonly List<Watch> _watches = [];

    private GuestChannels(ICurrentTask tasks) => Tasks = tasks;

    public IReadOnlyList<GuestChannel> Channels => _channels;

    /// <summary>What is declared and not there, a sentence each.</summary>
    public IReadOnlyList<string> Problems => _problems;

    /// <summary>What vCPUs run.</summary>
    public ICurrentTask Tasks { get; }

    internal IReadOnlyList<Watch> Watches => _watches;

    /// <summary>Finds them by symbols and types.</summary>
    public static GuestChannels Find(IReadOnlyList<GuestLayout> declared, ICurrentTask tasks, SymbolSet symbols)
    {
        var guest = new GuestChannels(tasks);
        var fields = new DeclaredFields(symbols.Types, guest._problems);
        foreach (GuestLayout layout in declared)
            foreach (ChannelLayout channel in layout.Channels ?? []) guest.Add(channel, fields, symbols);
        return guest;
    }

    /// <summary>A channel by name; null: there is none.</summary>
    public GuestChannel? Find(string name) => _channels.Find(channel => channel.Name == name);

    private void Add(ChannelLayout layout, DeclaredFields fields, SymbolSet symbols)
    {
        if (SymbolPlace.Resolve(layout.At, symbols.AddressOf) is not { } first)
        {
            _problems.Add($"There is no symbol for '{layout.At}': the guest has none of that name.");
            return;
        }
        int count = layout.Count ?? 1;
        ulong stride = (ulong?)layout.Stride ?? fields.SizeOf(layout.Structure) ?? 0;
        MemoryField? sequence = fields.Place(layout.Message, layout.Sequence);
        if (fields.PlaceArray(layout.Structure, layout.Ring) is not { } ring || sequence is not { } number) return;
        int slots = layout.Slots ?? ring.Count, bytes = layout.MessageBytes ?? ring.ElementBytes;
        if (slots is <= 0 or > ChannelLayoutCheck.MaximumSlots || bytes is <= 0 or > ChannelLayoutCheck.MaximumMessageBytes || (count > 1 && stride == 0)
            || number.OffsetBytes < 0 || number.OffsetBytes + number.SizeBytes > bytes)
        {
            _problems.Add($"Channel '{layout.Called}': how many messages it takes, how long they are or how far channels are apart is not known, or the number is not in a message.");
            return;
        }
        MemoryField?[] places =
        [
            fields.Place(layout.Structure, layout.Sent), fields.Place(layout.Structure, layout.Received), fields.Place(layout.Structure, layout.Acknowledged),
            fields.Place(layout.Structure, layout.FullStalls), fields.Place(layout.Structure, layout.EmptyStalls), fields.Place(layout.Structure, layout.Sender),
            fields.Place(layout.Structure, layout.Receiver),
        ];
        for (int i = 0; i < count && _channels.Count < ChannelLayoutCheck.MaximumChannels; i++)
        {
            ulong at = first + (ulong)i * stride;
            var channel = new GuestChannel
            {
                Name = layout.Count is null ? layout.Called : $"{layout.Called}[{i}]", Address = at, Ring = at + (ulong)ring.Offset, SlotCount = slots, MessageBytes = bytes,
                SequenceOffset = (int)number.OffsetBytes, SequenceBytes = number.SizeBytes, Sent = At(0), Received = At(1), Acknowledged = At(2), FullStalls = At(3), EmptyStalls = At(4),
                Sender = At(5), Receiver = At(6),
            };
            _channels.Add(channel);
            _watches.Add(new Watch(false, channel.Ring, slots * bytes, Reads: false, Writes: true));
            foreach (ChannelField? field in (ChannelField?[])[channel.Sent, channel.Received, channel.Acknowledged, channel.FullStalls, channel.EmptyStalls])
                if (field is { } there) _watches.Add(new Watch(false, there.Address, there.SizeBytes, Reads: false, Writes: true));

            ChannelField? At(int place) => places[place] is { } field ? new ChannelField(at + (ulong)field.OffsetBytes, field.SizeBytes) : null;
        }
    }
}
