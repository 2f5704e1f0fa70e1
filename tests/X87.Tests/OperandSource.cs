using Vmm.Interpretation.FloatingPoint;

namespace X87.Tests;

/// <summary>Seeded operands: boundaries of the format, near misses of them, and values of every magnitude.</summary>
internal sealed class OperandSource(ulong seed)
{
    private static readonly Float80[] s_boundaries =
    [
        new(0x0000, 0), new(0x8000, 0), new(0x0000, 1), new(0x8000, 1), new(0x0000, 0x7FFF_FFFF_FFFF_FFFF), new(0x0000, 1ul << 63),
        new(0x8000, ~0ul), new(0x0001, 1ul << 63), new(0x0001, ~0ul), new(0x8001, 1ul << 63), new(0x7FFE, ~0ul), new(0xFFFE, ~0ul),
        new(0x7FFE, 1ul << 63), new(0x7FFF, 1ul << 63), new(0xFFFF, 1ul << 63), new(0x7FFF, 3ul << 62), new(0xFFFF, 3ul << 62),
        new(0x7FFF, (1ul << 63) | 1), new(0xFFFF, (1ul << 63) | 0x1234_5000_0000), new(0x7FFF, ~0ul), new(0xFFFF, 0xDEAD_BEEF_0000_0001),
        new(0x7FFF, 0), new(0x7FFF, 5), new(0xFFFF, 1ul << 62), new(0x3FFF, 1ul << 62), new(0xC000, 0), new(0x0001, 1), new(0x7FFE, 7),
        new(0x3FFF, 1ul << 63), new(0xBFFF, 1ul << 63), new(0x4000, 1ul << 63), new(0x3FFE, 1ul << 63), new(0xBFFE, 1ul << 63),
        new(0x3FFF, (1ul << 63) | 1), new(0x3FFE, ~0ul), new(0x3FFE, 3ul << 62), new(0xBFFF, 3ul << 62), new(0x4000, 5ul << 61),
        new(0x403E, 1ul << 63), new(0xC03E, 1ul << 63), new(0x403D, ~0ul), new(0x403E, ~0ul), new(0x403F, 1ul << 63), new(0xC03D, ~0ul),
        new(0x400D, 0xFFFE_0000_0000_0000), new(0xC00E, 1ul << 63), new(0x400D, ~0ul), new(0x401D, 0xFFFF_FFFE_0000_0000), new(0xC01E, 1ul << 63),
        new(0x403A, 0xDE0B_6B3A_763F_FFF0), new(0x403A, 0xDE0B_6B3A_7640_0000), new(0xC03A, 0xDE0B_6B3A_763F_FFF8),
        new(0x3F81, 1ul << 63), new(0x3F80, ~0ul), new(0x3F6A, 1ul << 63), new(0x3C01, 1ul << 63), new(0x3C00, ~0ul), new(0x3BCD, 1ul << 63),
        new(0x407E, 0xFFFF_FF00_0000_0000), new(0x407E, 0xFFFF_FF80_0000_0000), new(0x43FE, 0xFFFF_FFFF_FFFF_F800), new(0x43FE, ~0ul),
        new(0x4000, 0xC90F_DAA2_2168_C235), new(0x3FFF, 0xC90F_DAA2_2168_C235), new(0x3FFE, 0xC90F_DAA2_2168_C234),
    ];

    private ulong _state = seed;

    /// <summary>SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).</summary>
    public ulong Next()
    {
        ulong z = _state += 0x9E37_79B9_7F4A_7C15;
        z = (z ^ (z >> 30)) * 0xBF58_476D_1CE4_E5B9;
        z = (z ^ (z >> 27)) * 0x94D0_49BB_1331_11EB;
        return z ^ (z >> 31);
    }

    public int Below(int limit) => (int)(Next() % (uint)limit);

    public Float80 Any() => Below(8) switch
    {
        0 or 1 => s_boundaries[Below(s_boundaries.Length)],
        2 => new((ushort)Next(), Significand()),
        3 => new((ushort)(Sign() | Below(80)), Significand()),
        4 => new((ushort)(Sign() | (0x7FFE - Below(80))), Significand()),
        5 => new((ushort)(Sign() | 0x3FFF), Significand()),
        6 => Integer(),
        _ => Within(70),
    };

    /// <summary>A normal number whose exponent is within <paramref name="range"/> of 0.</summary>
    public Float80 Within(int range) => new((ushort)(Sign() | (0x3FFF + Below((2 * range) + 1) - range)), Significand());

    public Float80 Integer() => Float80Conversions.FromInteger((long)Next() >> Below(64));

    private int Sign() => (int)(Next() & 0x8000);

    // Short and full significands, long runs of ones and zeros.
    private ulong Significand() => Below(6) switch
    {
        0 => (Next() << Below(64)) | (1ul << 63),
        1 => (1ul << 63) | (Next() >> Below(63)),
        2 => ~(Next() >> (1 + Below(63))),
        3 => (ulong)(long.MinValue >> Below(64)),
        _ => Next() | (1ul << 63),
    };

    /// <summary>Any rounding and precision; mostly all exceptions masked.</summary>
    public ushort ControlWord(bool masked)
    {
        int masks = masked || Below(4) != 0 ? 0x3F : (int)(Next() & 0x3F);
        int precision = Below(3) switch { 0 => 0, 1 => 2, _ => 3 };
        return (ushort)(0x40 | masks | (precision << 8) | (Below(4) << 10));
    }
}
