namespace Vmm.Translation;

/// <summary>Bits of RFLAGS, as masks of what is known to be in the host's flags.</summary>
internal static class HostFlag
{
    public const int Carry = 1, Parity = 4, Adjust = 16, Zero = 64, Sign = 128, Overflow = 2048, OfResult = Zero | Sign | Parity, All = Carry | Parity | Adjust | Zero | Sign | Overflow;

    /// <summary>What a condition looks at.</summary>
    public static int Of(Condition condition) => ((int)condition >> 1) switch
    {
        0 => Overflow,
        1 => Carry,
        2 => Zero,
        3 => Carry | Zero,
        4 => Sign,
        5 => Parity,
        6 => Sign | Overflow,
        _ => Zero | Sign | Overflow,
    };
}

internal enum FlagSourceKind
{
    /// <summary>The kind does not need it.</summary>
    None,
    /// <summary>A guest register that has not been written since.</summary>
    Guest,
    /// <summary>The room's field has it already.</summary>
    Stored,
    Constant,
}

/// <summary>Where X or Y of a <see cref="FlagKind"/> can be had at a point of the code.</summary>
/// <param name="Kind">Where.</param>
/// <param name="Guest">The guest register.</param>
/// <param name="Constant">The value of a constant.</param>
internal readonly record struct FlagSource(FlagSourceKind Kind, int Guest, long Constant)
{
    public static FlagSource OfGuest(int guest) => new(FlagSourceKind.Guest, guest, 0);
    public static FlagSource Of(long constant) => new(FlagSourceKind.Constant, 0, constant);
    public static FlagSource Stored => new(FlagSourceKind.Stored, 0, 0);

    public bool IsGuest(int guest) => Kind == FlagSourceKind.Guest && Guest == guest;
}

internal enum FlagPlace
{
    /// <summary>The room's fields describe the flags.</summary>
    Room,
    /// <summary>Sources do; the room is out of date.</summary>
    Sources,
    /// <summary>Nobody can ask for them before they are written again.</summary>
    Unneeded,
}

/// <summary>What is known about the guest's flags at a point of the code.</summary>
/// <param name="Place">Where they can be had.</param>
/// <param name="Kind">What they come from; <see cref="FlagKind.Settled"/>: not known here.</param>
/// <param name="SizeBytes">Operand size of the kind.</param>
/// <param name="X">See <see cref="FlagKind"/>.</param>
/// <param name="Y">See <see cref="FlagKind"/>.</param>
/// <param name="Host">Which of them the host's flags hold as well (<see cref="HostFlag"/>).</param>
/// <param name="HasNoIncrement">No INC or DEC lies above the room's other fields.</param>
internal readonly record struct FlagTrack(FlagPlace Place, FlagKind Kind, int SizeBytes, FlagSource X, FlagSource Y, int Host, bool HasNoIncrement)
{
    /// <summary>At the top of a block.</summary>
    public static FlagTrack AtEntry => new(FlagPlace.Room, FlagKind.Settled, 0, default, default, 0, false);

    public bool DependsOn(int guest) => Place == FlagPlace.Sources && (X.IsGuest(guest) || Y.IsGuest(guest));
}
