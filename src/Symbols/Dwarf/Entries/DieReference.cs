namespace Symbols.Dwarf.Entries;

/// <summary>One entry: its unit, and where it is in the unit's section.</summary>
internal readonly record struct DieReference(DebugUnit Unit, ulong Offset);
