namespace Symbols.Dwarf.Entries;

/// <summary>The shape of a DIE: its tag and the forms of its attributes (DWARF 5, 7.5.3).</summary>
/// <param name="Tag">What it describes.</param>
/// <param name="HasChildren">Entries below it follow.</param>
/// <param name="FirstAttribute">An index into the shapes of its table: <see cref="AbbreviationTable.AttributesOf"/>.</param>
/// <param name="AttributeCount">How many there are, in the order of the values.</param>
/// <param name="SizeBytes">What all values take together; -1 where that depends on them.</param>
internal readonly record struct Abbreviation(DwTag Tag, bool HasChildren, int FirstAttribute, int AttributeCount, int SizeBytes);

/// <summary>One attribute of an <see cref="Abbreviation"/>.</summary>
/// <param name="Name">What it says.</param>
/// <param name="Form">How it is encoded.</param>
/// <param name="SizeBytes">What the value takes: <see cref="FormReader.SizeOf"/>.</param>
/// <param name="Distance">Where the value is, from the first attribute's on; -1 where that depends on other values.</param>
/// <param name="ImplicitConstant">The value itself, of DW_FORM_implicit_const.</param>
internal readonly record struct AttributeShape(DwAt Name, DwForm Form, short SizeBytes, short Distance, long ImplicitConstant);
