using System;
using Iced.Intel;
using Vmm.Tests.TestKit;

namespace Vmm.Tests.Instructions;

/// <summary>Values for XMM and MMX operands: floats at every boundary, small integers, and anything.</summary>
internal static class VectorValues
{
    private static ReadOnlySpan<uint> Singles =>
    [
        0, 0x8000_0000, 0x3F80_0000, 0xBF80_0000, 0x4000_0000, 0x3F00_0000, 0x7F80_0000, 0xFF80_0000, 0x7FC0_0000, 0x7F80_0001, 0xFFC1_2345, 1, 0x007F_FFFF,
        0x0080_0000, 0x7F7F_FFFF, 0xFF7F_FFFF, 0x4F00_0000, 0xCF00_0000, 0x4B00_0001, 0x3FC0_0000, 0x4020_0000, 0x5F00_0000, 0x3480_0000,
    ];

    private static ReadOnlySpan<ulong> Doubles =>
    [
        0, 0x8000_0000_0000_0000, 0x3FF0_0000_0000_0000, 0xBFF0_0000_0000_0000, 0x4000_0000_0000_0000, 0x3FE0_0000_0000_0000, 0x7FF0_0000_0000_0000,
        0xFFF0_0000_0000_0000, 0x7FF8_0000_0000_0000, 0x7FF0_0000_0000_0001, 0xFFF8_1234_5678_9ABC, 1, 0x000F_FFFF_FFFF_FFFF, 0x0010_0000_0000_0000,
        0x7FEF_FFFF_FFFF_FFFF, 0x41E0_0000_0000_0000, 0xC1E0_0000_0000_0000, 0x43E0_0000_0000_0000, 0x3FF8_0000_0000_0000, 0x4004_0000_0000_0000,
        0x36A0_0000_0000_0000, 0x47EF_FFFF_F000_0000,
    ];

    public static bool IsVector(Code code)
    {
        OpCodeInfo op = code.ToOpCode();
        if (op.Mnemonic is Mnemonic.Emms or Mnemonic.Ldmxcsr or Mnemonic.Stmxcsr) return true;
        for (int operand = 0; operand < op.OpCount; operand++)
        {
            if (op.GetOpKind(operand) is OpCodeOperandKind.xmm_reg or OpCodeOperandKind.xmm_or_mem or OpCodeOperandKind.xmm_rm or OpCodeOperandKind.mm_reg
                or OpCodeOperandKind.mm_or_mem or OpCodeOperandKind.mm_rm) return true;
        }
        return false;
    }

    public static UInt128 Any(SeededRandom random) => random.Below(5) switch
    {
        0 => new UInt128(Pair(random), Pair(random)),
        1 => new UInt128(random.Pick(Doubles), random.Pick(Doubles)),
        2 => new UInt128(OperandValues.Any(random, 8), OperandValues.Any(random, 8)),
        3 => new UInt128(SmallWords(random), SmallWords(random)),
        _ => new UInt128(random.Next(), random.Next()),
    };

    private static ulong Pair(SeededRandom random) => random.Pick(Singles) | ((ulong)random.Pick(Singles) << 32);

    private static ulong SmallWords(SeededRandom random)
    {
        ulong value = 0;
        for (int word = 0; word < 4; word++) value |= OperandValues.Any(random, 2) << (16 * word);
        return value;
    }
}
