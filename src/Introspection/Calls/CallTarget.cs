using Symbols.Types;

namespace Introspection.Calls;

/// <summary>A function whose calls are looked for.</summary>
/// <param name="Entry">Linear address of its first instruction.</param>
/// <param name="Name">Null: it has none.</param>
/// <param name="SizeBytes">Of its code: a jump to the first instruction from within is no call. 0: unknown.</param>
/// <param name="Prototype">Null: unknown; then registers are shown as they are.</param>
public sealed record CallTarget(ulong Entry, string? Name, ulong SizeBytes, FunctionType? Prototype)
{
    /// <summary>An address of its code, which is in one piece here.</summary>
    public bool Contains(ulong address) => address == Entry || address - Entry < SizeBytes;
}
