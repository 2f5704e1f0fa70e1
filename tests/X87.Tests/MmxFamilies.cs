using System;
using System.Collections.Generic;
using Vmm.Interpretation.FloatingPoint;

namespace X87.Tests;

/// <summary>The MMX instructions and the mm forms of SSE, SSE2 and SSSE3 instructions.</summary>
internal static class MmxFamilies
{
    // ModR/M: mm1, mm2; mm1, [rdi]; mm3, mm3.
    private static readonly byte[] s_operands = [0xCA, 0x0F, 0xDB];

    public static List<InstructionFamily> Build()
    {
        List<InstructionFamily> all = [];
        foreach (string row in new[]
        {
            "60 punpcklbw", "61 punpcklwd", "62 punpckldq", "63 packsswb", "64 pcmpgtb", "65 pcmpgtw", "66 pcmpgtd", "67 packuswb",
            "68 punpckhbw", "69 punpckhwd", "6A punpckhdq", "6B packssdw", "6F movq", "74 pcmpeqb", "75 pcmpeqw", "76 pcmpeqd",
            "D1 psrlw", "D2 psrld", "D3 psrlq", "D4 paddq", "D5 pmullw", "D8 psubusb", "D9 psubusw", "DA pminub", "DB pand",
            "DC paddusb", "DD paddusw", "DE pmaxub", "DF pandn", "E0 pavgb", "E1 psraw", "E2 psrad", "E3 pavgw", "E4 pmulhuw", "E5 pmulhw",
            "E8 psubsb", "E9 psubsw", "EA pminsw", "EB por", "EC paddsb", "ED paddsw", "EE pmaxsw", "EF pxor", "F1 psllw", "F2 pslld",
            "F3 psllq", "F4 pmuludq", "F5 pmaddwd", "F6 psadbw", "F8 psubb", "F9 psubw", "FA psubd", "FB psubq", "FC paddb", "FD paddw",
            "FE paddd",
            "3800 pshufb", "3801 phaddw", "3802 phaddd", "3803 phaddsw", "3804 pmaddubsw", "3805 phsubw", "3806 phsubd", "3807 phsubsw",
            "3808 psignb", "3809 psignw", "380A psignd", "380B pmulhrsw", "381C pabsb", "381D pabsw", "381E pabsd",
        })
        {
            string[] parts = row.Split(' ');
            all.Add(Family("mmx-" + parts[1], s_operands, [], [0x0F, .. Convert.FromHexString(parts[0])]));
        }

        AddImmediates(all);
        AddMoves(all);
        // CVTPI2PS from memory: the SDM makes all tags valid, AMD's processors do not.
        foreach (string row in new[] { "0F2A cvtpi2ps", "0F2C cvttps2pi", "0F2D cvtps2pi", "660F2A cvtpi2pd", "660F2C cvttpd2pi", "660F2D cvtpd2pi" })
        {
            string[] parts = row.Split(' ');
            all.Add(Family("mmx-" + parts[1], parts[1] == "cvtpi2ps" ? [0xC1, 0xC8] : [0xC1, 0x0F, 0xC8], [], Convert.FromHexString(parts[0])));
        }

        return all;
    }

    private static void AddImmediates(List<InstructionFamily> all)
    {
        byte[] immediates = [0, 1, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 0x1B, 0x8D, 255];
        all.Add(Family("mmx-pshufw", s_operands, immediates, [0x0F, 0x70]));
        all.Add(Family("mmx-palignr", s_operands, immediates, [0x0F, 0x3A, 0x0F]));
        all.Add(Family("mmx-shift-words", [0xD1, 0xE2, 0xF3], immediates, [0x0F, 0x71]));
        all.Add(Family("mmx-shift-doublewords", [0xD1, 0xE2, 0xF3], immediates, [0x0F, 0x72]));
        all.Add(Family("mmx-shift-quadword", [0xD1, 0xF3], immediates, [0x0F, 0x73]));
        // mm1 from eax and memory; eax from mm2.
        all.Add(Family("mmx-pinsrw", [0xC8, 0x0F], immediates, [0x0F, 0xC4]));
        all.Add(Family("mmx-pextrw", [0xC2], immediates, [0x0F, 0xC5]));
    }

    private static void AddMoves(List<InstructionFamily> all)
    {
        all.Add(Family("mmx-movd-to", [0xC8, 0x0F], [], [0x0F, 0x6E]));
        all.Add(Family("mmx-movd-from", [0xC8, 0x0F], [], [0x0F, 0x7E]));
        all.Add(Family("mmx-movq-to", [0xC8, 0x0F], [], [0x48, 0x0F, 0x6E]));
        all.Add(Family("mmx-movq-from", [0xC8, 0x0F], [], [0x48, 0x0F, 0x7E]));
        all.Add(Family("mmx-movq-store", s_operands, [], [0x0F, 0x7F]));
        all.Add(Family("mmx-movntq", [0x0F], [], [0x0F, 0xE7]));
        all.Add(Family("mmx-maskmovq", [0xCA, 0xD1], [], [0x0F, 0xF7]));
        all.Add(Family("mmx-pmovmskb", [0xC2], [], [0x0F, 0xD7]));
        all.Add(Family("mmx-movdq2q", [0xC8], [], [0xF2, 0x0F, 0xD6]));
        all.Add(Family("mmx-movq2dq", [0xC1], [], [0xF3, 0x0F, 0xD6]));
        all.Add(new() { Name = "mmx-emms", Encodings = [[0x0F, 0x77]], IsMmx = true });
    }

    private static InstructionFamily Family(string name, byte[] operands, byte[] immediates, byte[] opcode)
    {
        List<byte[]> encodings = [];
        foreach (byte operand in operands)
        {
            if (immediates.Length == 0) encodings.Add([.. opcode, operand]);
            foreach (byte immediate in immediates) encodings.Add([.. opcode, operand, immediate]);
        }

        return new() { Name = name, Encodings = [.. encodings], IsMmx = true };
    }

    /// <summary>Elements at the limits of every width, shift counts, and floats around the limits of integers.</summary>
    public static void Fill(CaseRecord record, OperandSource operands)
    {
        for (int i = 0; i < 8; i++) record.SetSt(i, new Float80((ushort)operands.Next(), Elements(operands)));
        for (int i = 0; i < 32; i += 8)
        {
            BitConverter.TryWriteBytes(record.Memory[i..], operands.Below(2) == 0 ? Elements(operands) : Floats(operands));
            BitConverter.TryWriteBytes(record.Xmm[i..], operands.Below(8) == 0 ? operands.Next() : Floats(operands));
        }

        // All masked: the host's SIGFPE would hide the flags. Rounding and DAZ vary.
        record.Mxcsr = 0x1F80u | ((uint)operands.Below(4) << 13) | ((uint)operands.Below(2) << 6) | (uint)operands.Below(2);
    }

    private static ulong Elements(OperandSource o) => o.Below(6) switch
    {
        0 => (ulong)o.Below(70),
        1 => 0x7F80_FF01_0080_7FFF ^ (o.Next() & 0x0101_0101_8080_8080),
        2 => 0x8000_7FFF_FFFF_0001 ^ (o.Next() & 0x8000_8000_0001_0001),
        3 => o.Next() & o.Next() & o.Next(),
        _ => o.Next(),
    };

    private static ulong Floats(OperandSource o)
    {
        double value = (double)((long)o.Next() >> o.Below(64)) / (1 << o.Below(30));
        ulong pair = BitConverter.SingleToUInt32Bits((float)value) | ((ulong)BitConverter.SingleToUInt32Bits((float)-value) << 32);
        return o.Below(2) == 0 ? BitConverter.DoubleToUInt64Bits(value) : pair;
    }
}
