using Symbols.Types;

namespace Introspection.Calls;

/// <summary>An argument or a result.</summary>
/// <param name="Name">Of the parameter; of the register, where the prototype is unknown; "ret" of a result.</param>
/// <param name="Type">Null: unknown.</param>
/// <param name="Number">As 64 bits, extended by its type's sign; null: it is no number, or could not be read.</param>
/// <param name="Text">For people.</param>
public sealed record CallValue(string Name, DebugType? Type, ulong? Number, string Text)
{
    /// <summary>What could be read of it; empty: nothing, or it has no type.</summary>
    public System.ReadOnlyMemory<byte> Bytes { get; init; }
}
