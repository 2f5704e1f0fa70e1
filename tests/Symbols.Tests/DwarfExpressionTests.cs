using System;
using Symbols.Dwarf.Expressions;
using Xunit;

namespace Symbols.Tests;

/// <summary>The stack machine, one line for each case: bytes, what is pushed first, result or "!" for a problem.</summary>
public sealed class DwarfExpressionTests
{
    [Theory]
    [InlineData("35", 0ul, 5ul)] // lit5
    [InlineData("08 FF", 0ul, 255ul)] // const1u
    [InlineData("09 FF", 0ul, ulong.MaxValue)] // const1s
    [InlineData("10 80 01", 0ul, 128ul)] // constu
    [InlineData("11 7F", 0ul, ulong.MaxValue)] // consts
    [InlineData("77 08", 0ul, 0x8008ul)] // breg7 + 8
    [InlineData("92 10 7F", 0ul, 0x10ffful)] // bregx 16 - 1
    [InlineData("23 10", 0x20ul, 0x30ul)] // plus_uconst on the initial value
    [InlineData("0A 00 10 06", 0ul, ~0x1000ul)] // deref
    [InlineData("0A 00 10 94 01", 0ul, 0xfful)] // deref_size 1
    [InlineData("33 32 1C", 0ul, 1ul)] // 3 - 2
    [InlineData("33 32 16 1C", 0ul, ulong.MaxValue)] // swapped
    [InlineData("31 32 33 17 1C", 0ul, ulong.MaxValue)] // rot: 3 1 2 -> 1 - 2
    [InlineData("31 32 14", 0ul, 1ul)] // over
    [InlineData("31 32 33 15 02", 0ul, 1ul)] // pick 2
    [InlineData("37 12 1E", 0ul, 49ul)] // dup, mul
    [InlineData("09 F9 32 1B", 0ul, unchecked((ulong)-3))] // -7 / 2
    [InlineData("37 35 1D", 0ul, 2ul)] // mod
    [InlineData("31 34 24", 0ul, 16ul)] // shl
    [InlineData("09 F0 32 26", 0ul, unchecked((ulong)-4))] // shra
    [InlineData("09 F0 08 3C 25", 0ul, 15ul)] // shr
    [InlineData("09 FE 19", 0ul, 2ul)] // abs
    [InlineData("31 1F", 0ul, ulong.MaxValue)] // neg
    [InlineData("30 20", 0ul, ulong.MaxValue)] // not
    [InlineData("09 FF 31 2D", 0ul, 1ul)] // -1 < 1
    [InlineData("31 28 01 00 96 39", 0ul, 9ul)] // bra over the nop
    // The PLT's rule: rsp + 8 + ((rip & 15) >= 11) * 8.
    [InlineData("77 08 80 00 3F 1A 3B 2A 33 24 22", 0ul, 0x8008ul)]
    public void Operations_give_values(string hex, ulong initial, ulong expected)
    {
        Assert.True(Evaluate(hex, initial, 8, out ulong value, out string? problem), problem);
        Assert.Equal(expected, value);
    }

    [Theory]
    [InlineData("22")] // plus with one value
    [InlineData("13")] // nothing left
    [InlineData("2F FD FF")] // skip back for ever
    [InlineData("12 2F FC FF")] // dup for ever
    [InlineData("31 30 1B")] // divided by zero
    [InlineData("31 06")] // memory that is not there
    [InlineData("08 12 92 40 00")] // register 64
    [InlineData("0C 00")] // cut off
    [InlineData("2F 00 70")] // a branch to nowhere
    [InlineData("FF")]
    public void Bad_expressions_give_a_reason(string hex)
    {
        Assert.False(Evaluate(hex, 0, 8, out _, out string? problem));
        Assert.EndsWith(".", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Values_are_as_wide_as_an_address()
    {
        Assert.True(Evaluate("09 FF 31 22", 0, 4, out ulong value, out _));
        Assert.Equal(0ul, value);
    }

    private static bool Evaluate(string hex, ulong initial, int size, out ulong value, out string? problem) => DwarfExpression.TryEvaluate(
        Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal)), new ConstantContext(), size, initial, out value, out problem);
}
