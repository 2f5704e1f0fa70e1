using Symbols.Types;

namespace Introspection.Calls;

/// <summary>Who knows how functions are declared: debug information, a kernel's BTF.</summary>
public interface IPrototypeSource
{
    /// <summary>The parameters and the result of a function; null: unknown.</summary>
    /// <param name="name">Its name in the symbol table.</param>
    /// <param name="address">Linear, its first instruction.</param>
    FunctionType? PrototypeOf(string name, ulong address);
}
