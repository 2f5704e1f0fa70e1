using System;
using System.Globalization;

namespace Introspection.State;

/// <summary>An address: linear in the address space of a vCPU, or guest-physical.</summary>
public readonly record struct MemoryPlace(ulong Address, bool IsPhysical = false)
{
    private const string PhysicalPrefix = "phys:";

    /// <summary>As the protocol's memory references are written: hexadecimal, with "phys:" before what is guest-physical.</summary>
    public override string ToString() => $"{(IsPhysical ? PhysicalPrefix : "")}0x{Address:x}";

    public static MemoryPlace? TryParse(string reference)
    {
        string text = reference.Trim();
        bool isPhysical = text.StartsWith(PhysicalPrefix, StringComparison.Ordinal);
        if (isPhysical) text = text[PhysicalPrefix.Length..];
        bool isHexadecimal = text.StartsWith("0x", StringComparison.OrdinalIgnoreCase);
        var style = isHexadecimal ? NumberStyles.AllowHexSpecifier : NumberStyles.None;
        return ulong.TryParse(isHexadecimal ? text[2..] : text, style, CultureInfo.InvariantCulture, out ulong address)
            ? new MemoryPlace(address, isPhysical) : null;
    }
}
