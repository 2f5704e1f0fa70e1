using System;

namespace Symbols.Dwarf.Frames;

/// <summary>The rules from one address up to the next row's.</summary>
public sealed class UnwindRow
{
    /// <summary>Rules are kept for registers 0 to 33: the general ones, the return address, x87 and XMM0-15 on both machines.</summary>
    public const int RegisterCount = 34;

    private readonly RegisterRule[] _rules = new RegisterRule[RegisterCount];

    internal UnwindRow(ulong address) => Address = address;

    /// <summary>Where the row starts.</summary>
    public ulong Address { get; internal set; }

    public CfaRule Cfa { get; internal set; } = new(-1, 0, default);

    public RegisterRule this[int register]
    {
        get => (uint)register < RegisterCount ? _rules[register] : default;
        internal set
        {
            if ((uint)register < RegisterCount) _rules[register] = value;
        }
    }

    internal UnwindRow Copy()
    {
        var copy = new UnwindRow(Address) { Cfa = Cfa };
        Array.Copy(_rules, copy._rules, RegisterCount);
        return copy;
    }

    internal void RestoreRules(UnwindRow from)
    {
        Cfa = from.Cfa;
        Array.Copy(from._rules, _rules, RegisterCount);
    }
}
