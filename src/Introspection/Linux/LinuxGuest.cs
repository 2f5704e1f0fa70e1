using System;
using System.Collections.Generic;
using Introspection.Programs;
using Introspection.State;
using Symbols;
using Vmm.Platform;
using Vmm.Time;

namespace Introspection.Linux;

/// <summary>
/// The Linux kernel of a machine through time: finds it at whatever moment the machine stands, and keeps what stays the same. Names come from there; before the kernel is
/// decompressed, and in guests that run something else, there are none.
/// </summary>
public sealed class LinuxGuest : INameSource
{
    // A recording has one boot as a rule, and few.
    private const int MaximumImages = 4;

    private readonly Func<GuestView> _view;
    private readonly List<KernelImage> _images = [];
    private LinuxKernel? _kernel;
    private Machine? _machine;
    private Position _position;
    private ulong _root;
    private Mark? _nothingAt;

    /// <param name="view">Any vCPU of the machine as it is now; the machine itself may become another one.</param>
    public LinuxGuest(Func<GuestView> view) => _view = view;

    /// <summary>What was looked through in vain: the same again needs no second look.</summary>
    private sealed record Mark(ulong Start, ulong Bytes, ulong First, ulong Second);

    /// <summary>The kernel at this moment; null: none yet, or none. It is good for this moment only: ask again when the machine has moved.</summary>
    public LinuxKernel? Kernel
    {
        get
        {
            GuestView view = _view();
            ulong root = view.Paging.Root;
            if (ReferenceEquals(view.Machine, _machine) && view.Machine.Position == _position && root == _root) return _kernel;
            _machine = view.Machine;
            _position = view.Machine.Position;
            _root = root;
            return _kernel = Find(view);
        }
    }

    public string? NameOf(ulong linear, out ulong offset)
    {
        offset = 0;
        // The kernel is in the upper half: what programs do there is none of its business.
        return linear >> 63 == 0 ? null : Kernel?.NameOf(linear, out offset);
    }

    public IReadOnlyList<ulong> AddressesOf(string name) => Kernel?.AddressesOf(name) ?? [];

    public ulong? SizeOf(string name) => Kernel?.SizeOf(name);

    public IEnumerable<string> NamesFrom(string prefix, int limit) => Kernel?.NamesFrom(prefix, limit) ?? [];

    private LinuxKernel? Find(GuestView view)
    {
        foreach (KernelImage image in _images)
            if (LinuxKernel.TryFindKnown(view, image) is { } known) return known;
        Mark? mark = MarkOf(view);
        if (mark is null || mark == _nothingAt) return null;
        if (LinuxKernel.TryFind(view) is not { } found)
        {
            _nothingAt = mark;
            return null;
        }
        if (_images.Count >= MaximumImages) _images.RemoveAt(0);
        _images.Add(found.Image);
        return found;
    }

    private static Mark? MarkOf(GuestView view)
    {
        foreach (AddressSpaceReader memory in LinuxKernel.Candidates(view))
        {
            IReadOnlyList<AddressRange> ranges = memory.MappedRanges(KernelImage.Window.Start, KernelImage.Window.End);
            if (ranges.Count == 0) continue;
            ulong bytes = 0;
            foreach (AddressRange range in ranges) bytes += range.SizeBytes;
            return new Mark(ranges[0].Start, bytes, memory.ReadNumber(ranges[0].Start, 8) ?? 0, memory.ReadNumber(ranges[0].Start + (bytes / 2), 8) ?? 0);
        }
        return null;
    }
}
