using System;

namespace Symbols.Dwarf.Variables;

/// <summary>Where a variable is while the instruction is in a range of addresses.</summary>
/// <param name="Range">Addresses as the file has them; null: everywhere that the other ranges do not say.</param>
/// <param name="Expression">The DWARF expression; empty: it is optimized out there.</param>
public sealed record VariableLocation(AddressRange? Range, ReadOnlyMemory<byte> Expression);
