namespace Symbols.Dwarf.Entries;

/// <summary>The shape of a DIE: its tag and the forms of its attributes (DWARF 5, 7.5.3).</summary>
internal sealed record Abbreviation(DwTag Tag, bool HasChildren, AttributeShape[] Attributes);

/// <summary>One attribute of an <see cref="Abbreviation"/>.</summary>
internal readonly record struct AttributeShape(DwAt Name, DwForm Form, long ImplicitConstant);
