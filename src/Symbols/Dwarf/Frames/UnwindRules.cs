using System;

namespace Symbols.Dwarf.Frames;

/// <summary>How a caller's register is found (DWARF 5, 6.4.1).</summary>
public enum RegisterRuleKind : byte
{
    /// <summary>Nothing was said: on x86 the register is as it was, as compilers leave callee-saved registers out.</summary>
    Unspecified,

    /// <summary>The value is lost.</summary>
    Undefined,
    SameValue,

    /// <summary>In memory at CFA + offset.</summary>
    Offset,

    /// <summary>Is CFA + offset.</summary>
    ValueOffset,

    /// <summary>In another register.</summary>
    Register,

    /// <summary>In memory at the address that an expression gives, from the CFA.</summary>
    Expression,

    /// <summary>Is what an expression gives, from the CFA.</summary>
    ValueExpression,
}

/// <summary>The rule for one register.</summary>
/// <param name="Kind">Which one.</param>
/// <param name="Offset">Bytes for the offset rules, the number for <see cref="RegisterRuleKind.Register"/>.</param>
/// <param name="Expression">For the expression rules.</param>
public readonly record struct RegisterRule(RegisterRuleKind Kind, long Offset, ReadOnlyMemory<byte> Expression);

/// <summary>How the canonical frame address is found: a register and an offset, or an expression.</summary>
/// <param name="Register">DWARF's number; -1 if the rule is an expression or there is none.</param>
/// <param name="Offset">Bytes.</param>
/// <param name="Expression">Empty for register and offset.</param>
public readonly record struct CfaRule(int Register, long Offset, ReadOnlyMemory<byte> Expression);
