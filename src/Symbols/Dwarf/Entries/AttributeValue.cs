namespace Symbols.Dwarf.Entries;

/// <summary>An attribute as it is encoded; what it means depends on its form and its unit.</summary>
/// <param name="Form">The form, <see cref="DwForm.Indirect"/> already followed.</param>
/// <param name="Value">The number, or for blocks and inline strings the position of their bytes in the unit.</param>
/// <param name="SizeBytes">The length of a block or inline string.</param>
internal readonly record struct AttributeValue(DwForm Form, ulong Value, int SizeBytes)
{
    internal bool IsPresent => Form != DwForm.None;

    /// <summary>A number that is not an address, string or reference.</summary>
    internal bool IsConstant => Form is DwForm.Data1 or DwForm.Data2 or DwForm.Data4 or DwForm.Data8
        or DwForm.UnsignedData or DwForm.SignedData or DwForm.ImplicitConstant;

    internal bool IsAddress => Form is DwForm.Address or DwForm.AddressIndex or DwForm.GnuAddressIndex
        or (>= DwForm.AddressIndex1 and <= DwForm.AddressIndex4);

    /// <summary>Bytes, as expressions and long constants are.</summary>
    internal bool IsBlock => Form is DwForm.Block1 or DwForm.Block2 or DwForm.Block4 or DwForm.Block or DwForm.Expression or DwForm.Data16;

    /// <summary>Refers to a DIE in the same unit, by its distance from the unit's start.</summary>
    internal bool IsUnitReference => Form is >= DwForm.Reference1 and <= DwForm.ReferenceUnsigned;
}
