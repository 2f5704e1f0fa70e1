namespace Gdb.Registers;

/// <summary>Where in the vCPU's state a register of gdb's is.</summary>
internal enum RegisterKind
{
    /// <summary>Number: the SDM's register number, 0 RAX to 15 R15.</summary>
    General,
    InstructionPointer,
    Flags,
    /// <summary>Number: a SegmentIndex.</summary>
    Selector,
    /// <summary>Number: a SegmentIndex.</summary>
    SegmentBase,
    KernelGsBase,
    /// <summary>Number: 0 for ST(0).</summary>
    X87Stack,
    X87Control,
    X87Status,
    X87Tag,
    X87InstructionSelector,
    X87InstructionOffset,
    X87DataSelector,
    X87DataOffset,
    X87Opcode,
    Xmm,
    Mxcsr,
    /// <summary>Number: 0, 2, 3, 4 or 8.</summary>
    ControlRegister,
    Efer,
}

/// <summary>A register as gdb sees it.</summary>
/// <param name="Name">gdb's name.</param>
/// <param name="SizeBytes">How many bytes it has in a packet.</param>
/// <param name="Type">Its type in the target description.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Number">Which of that kind.</param>
/// <param name="Feature">The feature of the target description that it belongs to.</param>
internal sealed record RegisterDescription(string Name, int SizeBytes, string Type, RegisterKind Kind, int Number, string Feature);
