using System;

namespace Symbols.Dwarf.Frames;

/// <summary>A Common Information Entry (DWARF 5, 6.4.1): what many functions' unwind tables share.</summary>
public sealed record CommonInformation
{
    public required ulong Offset { get; init; }

    public required byte Version { get; init; }

    public required string Augmentation { get; init; }

    public int AddressSizeBytes { get; init; }

    public ulong CodeAlignmentFactor { get; init; }

    public long DataAlignmentFactor { get; init; }

    public int ReturnAddressRegister { get; init; }

    /// <summary>The augmentation has an 'S': the frame was entered by a signal or interrupt, so that its address is not behind a call.</summary>
    public bool IsSignalFrame { get; init; }

    /// <summary>The augmentation has a 'z': a size of what follows is given.</summary>
    internal bool HasAugmentationSize { get; init; }

    /// <summary>DW_EH_PE_* of the addresses in the functions' entries.</summary>
    internal byte PointerEncoding { get; init; }

    internal ReadOnlyMemory<byte> Instructions { get; init; }

    /// <summary>Where the instructions are in the section, for pc-relative operands.</summary>
    internal ulong InstructionsOffset { get; init; }
}
