namespace Dap.Tests.Oracles;

/// <summary>A call that has not returned, or code that was interrupted, as single instructions have shown it.</summary>
/// <param name="Parent">Who called; null: where a stack begins.</param>
/// <param name="ReturnCode">Where the parent goes on.</param>
/// <param name="ReturnStack">Its RSP then.</param>
/// <param name="IsCall">By a call instruction or system call; else by an interrupt or exception.</param>
internal sealed record Activation(Activation? Parent, ulong ReturnCode, ulong ReturnStack, bool IsCall)
{
    /// <summary>CR3, where the parent is a program's code; 0: it is the kernel's.</summary>
    public ulong ParentAddressSpace { get; init; }

    public int Depth { get; } = Parent is null ? 0 : Parent.Depth + 1;

    // Two calls are never the same one.
    public bool Equals(Activation? other) => ReferenceEquals(this, other);

    public override int GetHashCode() => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(this);
}
