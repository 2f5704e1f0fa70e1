using System;
using Vmm.Interpretation.Sse;
using Xunit;

namespace Sse.Tests;

/// <summary>RCPSS and RSQRTSS have no exact answers, only a bound and special cases (SDM 2B).</summary>
public sealed class ReciprocalTests
{
    private const double Bound = 1.5 / 4096;

    [Fact]
    public void ReciprocalIsWithinTheBound()
    {
        // Every interval's ends and middle, in exponents from the smallest to the largest whose reciprocal is normal.
        for (uint exponent = 1; exponent < 253; exponent += 18)
        {
            for (uint interval = 0; interval < 2048; interval++)
            {
                foreach (uint low in new uint[] { 0, 1, 2047, 2048, 4095 })
                {
                    uint bits = exponent << 23 | interval << 12 | low;
                    double exact = 1.0 / BitConverter.UInt32BitsToSingle(bits);
                    double error = Math.Abs(BitConverter.UInt32BitsToSingle(SseReciprocal.Reciprocal(bits)) / exact - 1);
                    Assert.True(error <= Bound, $"1/{bits:X8}: relative error {error * 4096} * 2^-12");
                }
            }
        }
    }

    [Fact]
    public void ReciprocalRootIsWithinTheBound()
    {
        for (uint exponent = 1; exponent < 255; exponent += 17)
        {
            for (uint interval = 0; interval < 2048; interval++)
            {
                foreach (uint low in new uint[] { 0, 1, 2047, 2048, 4095 })
                {
                    uint bits = exponent << 23 | interval << 12 | low;
                    double exact = 1.0 / Math.Sqrt(BitConverter.UInt32BitsToSingle(bits));
                    double error = Math.Abs(BitConverter.UInt32BitsToSingle(SseReciprocal.ReciprocalRoot(bits)) / exact - 1);
                    Assert.True(error <= Bound, $"1/sqrt({bits:X8}): relative error {error * 4096} * 2^-12");
                }
            }
        }
    }

    [Theory]
    [InlineData(0x0000_0000u, 0x7F80_0000u)]
    [InlineData(0x8000_0000u, 0xFF80_0000u)]
    [InlineData(0x0000_0001u, 0x7F80_0000u)]
    [InlineData(0x807F_FFFFu, 0xFF80_0000u)]
    [InlineData(0x7F80_0000u, 0x0000_0000u)]
    [InlineData(0xFF80_0000u, 0x8000_0000u)]
    [InlineData(0x7F80_0001u, 0x7FC0_0001u)]
    [InlineData(0x7F7F_FFFFu, 0x0000_0000u)]
    public void ReciprocalOfSpecialValues(uint operand, uint expected) => Assert.Equal(expected, SseReciprocal.Reciprocal(operand));

    [Theory]
    [InlineData(0x0000_0000u, 0x7F80_0000u)]
    [InlineData(0x8000_0000u, 0xFF80_0000u)]
    [InlineData(0x8000_0001u, 0xFF80_0000u)]
    [InlineData(0x7F80_0000u, 0x0000_0000u)]
    [InlineData(0xFF80_0000u, 0xFFC0_0000u)]
    [InlineData(0xBF80_0000u, 0xFFC0_0000u)]
    [InlineData(0xFF80_0001u, 0xFFC0_0001u)]
    public void ReciprocalRootOfSpecialValues(uint operand, uint expected) => Assert.Equal(expected, SseReciprocal.ReciprocalRoot(operand));

    /// <summary>Recordings hold these values: they may never change. Computed independently, in Python.</summary>
    [Fact]
    public void ValuesAreFrozen()
    {
        Assert.Equal(0x3F7F_F000u, SseReciprocal.Reciprocal(0x3F80_0000));
        Assert.Equal(0x3EAA_A38Eu, SseReciprocal.Reciprocal(0x4040_0000));
        Assert.Equal(0x3F7F_F800u, SseReciprocal.ReciprocalRoot(0x3F80_0000));
        Assert.Equal(0x3F13_CA25u, SseReciprocal.ReciprocalRoot(0x4040_0000));
        ulong checksum = 0;
        for (uint interval = 0; interval < 4096; interval++)
        {
            uint operand = 0x3F80_0000 + (interval << 12);
            checksum = checksum * 31 + SseReciprocal.Reciprocal(operand);
            checksum = checksum * 31 + SseReciprocal.ReciprocalRoot(operand);
        }

        Assert.Equal(0x947B_480C_854B_EA40UL, checksum);
    }
}
