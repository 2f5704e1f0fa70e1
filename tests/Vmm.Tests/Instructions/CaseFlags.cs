using Vmm.Cpu;

namespace Vmm.Tests.Instructions;

/// <summary>The flags that a case names.</summary>
internal static class CaseFlags
{
    public const ulong All = RFlags.Arithmetic | RFlags.Direction;

    /// <summary>Everything but RF, which a host sets in the context that it saves for a fault.</summary>
    public const ulong Compared = All | RFlags.Trap | RFlags.Interrupt | RFlags.Iopl | RFlags.NestedTask | RFlags.AlignmentCheck | RFlags.Identification;

    public static (string Name, ulong Bit)[] Named { get; } =
    [
        ("cf", RFlags.Carry), ("pf", RFlags.Parity), ("af", RFlags.Adjust), ("zf", RFlags.Zero), ("sf", RFlags.Sign), ("df", RFlags.Direction),
        ("of", RFlags.Overflow), ("tf", RFlags.Trap), ("if", RFlags.Interrupt), ("nt", RFlags.NestedTask), ("ac", RFlags.AlignmentCheck),
        ("id", RFlags.Identification),
    ];

    public static bool TryFind(string name, out ulong bit)
    {
        foreach ((string candidate, ulong value) in Named)
        {
            if (candidate != name) continue;
            bit = value;
            return true;
        }
        bit = 0;
        return false;
    }
}
