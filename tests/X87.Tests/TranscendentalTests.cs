using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using Vmm.Interpretation.FloatingPoint;
using Xunit;

namespace X87.Tests;

/// <summary>The transcendental functions against golden/transcendental.txt: correctly rounded, which hosts' processors are not always.</summary>
public sealed class TranscendentalTests
{
    [Fact]
    public void ResultsAreCorrectlyRounded()
    {
        List<string> failures = [];
        int count = 0;
        foreach (string line in File.ReadLines(Path.Combine(AppContext.BaseDirectory, "golden", "transcendental.txt")))
        {
            if (line.StartsWith('#')) continue;
            string[] words = line.Split(' ');
            int arrow = Array.IndexOf(words, "->");
            Float80 first = Parse(words[1]), last = Parse(words[arrow - 1]);
            Float80Context context = new(RoundingMode.Nearest, 24, X87Exceptions.Maskable);
            Float80 result = words[0] switch
            {
                "fsin" => Float80Transcendental.Sine(ref context, last),
                "fcos" => Float80Transcendental.Cosine(ref context, last),
                "fptan" => Float80Transcendental.Tangent(ref context, last),
                "fpatan" => Float80Transcendental.ArcTangent(ref context, first, last),
                "f2xm1" => Float80Transcendental.PowerOfTwoMinusOne(ref context, last),
                "fyl2x" => Float80Transcendental.Logarithm(ref context, first, last),
                "fyl2xp1" => Float80Transcendental.LogarithmOfOnePlus(ref context, first, last),
                _ => throw new InvalidDataException(line),
            };
            count++;
            bool up = words[^1] == "up";
            if (result.ToString() != words[arrow + 1] || up != context.RoundedUp || context.Raised != X87Exceptions.Precision)
                failures.Add($"{line}: got {result} {(context.RoundedUp ? "up" : "")} {context.Raised}");
        }

        Assert.True(failures.Count == 0, $"{failures.Count} of {count} differ\n{string.Join('\n', failures)}");
        Assert.True(count > 1000);
    }

    [Theory]
    [InlineData((int)RoundingMode.Down)]
    [InlineData((int)RoundingMode.Up)]
    [InlineData((int)RoundingMode.Truncate)]
    public void DirectedRoundingKnowsOnWhichSideATinyArgumentsFunctionLies(int rounding)
    {
        RoundingMode mode = (RoundingMode)rounding;
        // At 2^-80 sin x, atan x and 2^x - 1 cannot be told from their linear terms in 64 bits, but they are not equal to them.
        Float80 x = new(Float80.Bias - 80, Float80.IntegerBit), below = new(Float80.Bias - 81, ulong.MaxValue);
        Float80 above = new(Float80.Bias - 80, Float80.IntegerBit + 1);
        Float80Context context = new(mode, 64, X87Exceptions.Maskable);
        bool up = mode == RoundingMode.Up;
        Assert.Equal((up ? x : below).ToString(), Float80Transcendental.Sine(ref context, x).ToString());
        Assert.Equal((up ? x : below).ToString(), Float80Transcendental.ArcTangent(ref context, x, Float80.One).ToString());
        Assert.Equal((up ? above : x).ToString(), Float80Transcendental.Tangent(ref context, x).ToString());
        Assert.Equal(up ? "3FFF:8000000000000000" : "3FFE:FFFFFFFFFFFFFFFF", Float80Transcendental.Cosine(ref context, x).ToString());
    }

    private static Float80 Parse(string text) => new(
        ushort.Parse(text.AsSpan(0, 4), NumberStyles.HexNumber, CultureInfo.InvariantCulture),
        ulong.Parse(text.AsSpan(5), NumberStyles.HexNumber, CultureInfo.InvariantCulture));
}
