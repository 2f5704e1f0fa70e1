namespace Symbols.Variables;

/// <summary>The bytes of a value, some of which may not be known.</summary>
/// <param name="Bytes">Little-endian as in memory; unknown bits are zero.</param>
/// <param name="Unknown">The bits of <paramref name="Bytes"/> that are not known; null: all are.</param>
/// <param name="Problem">One sentence where it could not be read altogether or in part; null otherwise, also if it is optimized out.</param>
public sealed record ValueBytes(byte[] Bytes, byte[]? Unknown, string? Problem)
{
    /// <summary>Every bit is known.</summary>
    public bool IsComplete => Unknown is null && Problem is null;

    /// <summary>No bit is known.</summary>
    public bool IsUnknown
    {
        get
        {
            if (Unknown is null) return Problem is not null;
            foreach (byte mask in Unknown)
                if (mask != 0xff) return false;
            return true;
        }
    }
}
