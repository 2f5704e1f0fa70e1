namespace Symbols;

/// <summary>Linear addresses from <paramref name="Start"/> up to, not including, <paramref name="End"/>.</summary>
public readonly record struct AddressRange(ulong Start, ulong End)
{
    /// <summary>Bytes; zero for an empty or reversed range.</summary>
    public ulong SizeBytes => End > Start ? End - Start : 0;

    public bool Contains(ulong address) => address >= Start && address < End;

    /// <summary>From an address and a size; a range that would wrap around ends at the last address.</summary>
    public static AddressRange FromSize(ulong start, ulong sizeBytes) => new(start, start + sizeBytes < start ? ulong.MaxValue : start + sizeBytes);

    public override string ToString() => $"0x{Start:x}-0x{End:x}";
}
