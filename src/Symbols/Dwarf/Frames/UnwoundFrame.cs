namespace Symbols.Dwarf.Frames;

/// <summary>A caller's registers, or why they cannot be found. Registers have DWARF's numbers.</summary>
public sealed class UnwoundFrame
{
    private readonly ulong[] _values;
    private readonly bool[] _isKnown;

    internal UnwoundFrame(int registerCount)
    {
        _values = new ulong[registerCount];
        _isKnown = new bool[registerCount];
    }

    /// <summary>The canonical frame address: the stack pointer before the call.</summary>
    public ulong Cfa { get; internal set; }

    /// <summary>Where the caller goes on; known unless <see cref="Problem"/> says otherwise.</summary>
    public ulong ReturnAddress { get; internal set; }

    /// <summary>The outermost frame: the return address is marked as undefined.</summary>
    public bool IsOutermost { get; internal set; }

    /// <summary>The frame that was unwound was entered by an interrupt: its caller's address is not behind a call.</summary>
    public bool IsSignalFrame { get; internal set; }

    /// <summary>One sentence; null if the caller was found.</summary>
    public string? Problem { get; internal set; }

    public bool TryRegister(int register, out ulong value)
    {
        bool isKnown = (uint)register < (uint)_values.Length && _isKnown[register];
        value = isKnown ? _values[register] : 0;
        return isKnown;
    }

    internal void Set(int register, ulong value)
    {
        if ((uint)register >= (uint)_values.Length) return;
        _values[register] = value;
        _isKnown[register] = true;
    }
}
