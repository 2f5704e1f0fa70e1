using Introspection.Layouts;
using Introspection.Programs;

namespace Introspection.Atomics;

/// <summary>A word in memory that several vCPUs change without a lock.</summary>
/// <param name="Address">Of its first byte.</param>
/// <param name="SizeBytes">1 to 16.</param>
/// <param name="IsPhysical">The address is guest-physical; else linear, in whatever address space is current.</param>
public readonly record struct AtomicTarget(ulong Address, int SizeBytes, bool IsPhysical = false)
{
    /// <summary>No instruction compares and swaps more.</summary>
    public const int MaximumBytes = 16;

    private const int DefaultBytes = 8;

    /// <summary>The word that a user means: a symbol, "symbol+0x10" or a number. Null: there is no such symbol.</summary>
    /// <param name="text">What the user wrote.</param>
    /// <param name="symbols">Of the guest.</param>
    /// <param name="sizeBytes">Null: what the symbol takes if that is a word, else 8.</param>
    public static AtomicTarget? Find(string text, ISymbolSource symbols, int? sizeBytes = null)
    {
        if (SymbolPlace.Resolve(text, symbols.AddressOf) is not { } address) return null;
        return new AtomicTarget(address, sizeBytes ?? (symbols.SizeOf(text) is { } size and (1 or 2 or 4 or 8 or 16) ? (int)size : DefaultBytes));
    }
}
