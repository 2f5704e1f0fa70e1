namespace Symbols.Dwarf.Entries;

/// <summary>The shape of a DIE: its tag and the forms of its attributes (DWARF 5, 7.5.3).</summary>
/// <param name="Tag">What it describes.</param>
/// <param name="HasChildren">Entries below it follow.</param>
/// <param name="Attributes">In the order of the values.</param>
/// <param name="SizeBytes">What all values take together; -1 where that depends on them.</param>
internal sealed record Abbreviation(DwTag Tag, bool HasChildren, AttributeShape[] Attributes, int SizeBytes);

/// <summary>One attribute of an <see cref="Abbreviation"/>.</summary>
/// <param name="Name">What it says.</param>
/// <param name="Form">How it is encoded.</param>
/// <param name="SizeBytes">What the value takes: <see cref="FormReader.SizeOf"/>.</param>
/// <param name="ImplicitConstant">The value itself, of DW_FORM_implicit_const.</param>
internal readonly record struct AttributeShape(DwAt Name, DwForm Form, short SizeBytes, long ImplicitConstant);
