using System;
using System.Collections.Generic;

namespace Symbols.Dwarf.Macros;

/// <summary>The macros of a file that are constants, by name.</summary>
internal sealed class MacroIndex
{
    internal MacroIndex(DwarfInfo owner) => _ = owner;

    internal ulong? Evaluate(string name, Func<string, ulong?> other) => null;
}
