using System;

namespace Symbols.Dwarf.Frames;

/// <summary>A Frame Description Entry: the unwind table of one range of code (DWARF 5, 6.4.1).</summary>
public sealed record FrameDescription
{
    public required ulong Offset { get; init; }

    public required CommonInformation Common { get; init; }

    public required AddressRange Range { get; init; }

    internal ReadOnlyMemory<byte> Instructions { get; init; }

    internal ulong InstructionsOffset { get; init; }
}
