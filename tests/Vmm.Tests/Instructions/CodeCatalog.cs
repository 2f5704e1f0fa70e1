using System;
using System.Collections.Generic;
using Iced.Intel;

namespace Vmm.Tests.Instructions;

/// <summary>Which instructions the host can be asked about from user mode, and the family (file) that each belongs to.</summary>
internal static class CodeCatalog
{
    /// <summary>CPUID features of x86-64-v2 but x87.</summary>
    private static readonly HashSet<CpuidFeature> Features =
    [
        CpuidFeature.INTEL8086, CpuidFeature.INTEL8086_ONLY, CpuidFeature.INTEL186, CpuidFeature.INTEL286, CpuidFeature.INTEL386, CpuidFeature.INTEL486,
        CpuidFeature.X64, CpuidFeature.CMOV, CpuidFeature.CX8, CpuidFeature.CMPXCHG16B, CpuidFeature.POPCNT, CpuidFeature.SSE4_2,
        CpuidFeature.MULTIBYTENOP, CpuidFeature.PAUSE, CpuidFeature.PREFETCHW,
        CpuidFeature.MMX, CpuidFeature.SSE, CpuidFeature.SSE2, CpuidFeature.SSE3, CpuidFeature.SSSE3, CpuidFeature.SSE4_1,
    ];

    private static readonly Dictionary<Mnemonic, string> FamilyOf = BuildFamilies();

    public static IReadOnlyCollection<string> Families { get; } = new SortedSet<string>([.. FamilyOf.Values, "mmx", "sse"], StringComparer.Ordinal);

    private static string? FamilyOfCode(Code code)
    {
        string? vector = VectorFamily(code);
        return vector ?? FamilyOf.GetValueOrDefault(code.Mnemonic());
    }

    /// <summary>"mmx" or "sse" when the instruction names such a register.</summary>
    private static string? VectorFamily(Code code)
    {
        OpCodeInfo op = code.ToOpCode();
        string? family = op.Mnemonic switch { Mnemonic.Emms => "mmx", Mnemonic.Ldmxcsr or Mnemonic.Stmxcsr => "sse", _ => null };
        for (int operand = 0; operand < op.OpCount; operand++)
        {
            switch (op.GetOpKind(operand))
            {
                case OpCodeOperandKind.xmm_reg or OpCodeOperandKind.xmm_or_mem or OpCodeOperandKind.xmm_rm: return "sse";
                case OpCodeOperandKind.mm_reg or OpCodeOperandKind.mm_or_mem or OpCodeOperandKind.mm_rm: family = "mmx"; break;
            }
        }
        return family;
    }

    /// <summary>The codes of a family that exist in the mode, in Iced's order.</summary>
    public static IEnumerable<Code> Codes(string family, int bitness)
    {
        foreach (Code code in Enum.GetValues<Code>())
            if (FamilyOfCode(code) == family && IsAnswerable(code, bitness)) yield return code;
    }

    /// <summary>All codes of all families in the mode.</summary>
    public static IReadOnlyList<Code> Codes(int bitness)
    {
        List<Code> codes = [];
        foreach (string family in Families) codes.AddRange(Codes(family, bitness));
        return codes;
    }

    private static bool IsAnswerable(Code code, int bitness)
    {
        OpCodeInfo op = code.ToOpCode();
        if (!op.IsInstruction || op.Encoding != EncodingKind.Legacy || !op.IsAvailableInMode(bitness)) return false;
        foreach (CpuidFeature feature in code.CpuidFeatures())
            if (!Features.Contains(feature)) return false;
        for (int operand = 0; operand < op.OpCount; operand++)
        {
            switch (op.GetOpKind(operand))
            {
                // What these do depends on descriptor tables or on paging: the privileged oracle has them.
                case OpCodeOperandKind.seg_reg or OpCodeOperandKind.cr_reg or OpCodeOperandKind.dr_reg or OpCodeOperandKind.tr_reg
                    or OpCodeOperandKind.farbr2_2 or OpCodeOperandKind.farbr4_2:
                case OpCodeOperandKind.es or OpCodeOperandKind.cs or OpCodeOperandKind.ss or OpCodeOperandKind.ds or OpCodeOperandKind.fs
                    or OpCodeOperandKind.gs:
                    return false;
            }
        }
        // CALL and JMP to a far pointer in memory.
        return !code.IsCallFarIndirect() && !code.IsJmpFarIndirect() && !IsOdd(code, bitness);
    }

    /// <summary>Encodings whose meaning differs between makers of CPUs, or that are undefined.</summary>
    private static bool IsOdd(Code code, int bitness)
    {
        OpCodeInfo op = code.ToOpCode();
        // Approximations, which every maker computes differently.
        if (op.Mnemonic is Mnemonic.Rcpps or Mnemonic.Rcpss or Mnemonic.Rsqrtps or Mnemonic.Rsqrtss) return true;
        if (code is Code.Bswap_r16 or Code.Popw_CS or Code.Ud0) return true;
        // 16-bit near branches in 64-bit mode: Intel ignores the prefix, AMD cuts RIP.
        bool branches = code.Mnemonic() is Mnemonic.Call or Mnemonic.Jmp or Mnemonic.Ret || code.IsJccShortOrNear() || code.IsLoop() || code.IsLoopcc() || code.IsJcxShort();
        return branches && op.OperandSize == 16 && bitness == 64;
    }

    private static Dictionary<Mnemonic, string> BuildFamilies()
    {
        Dictionary<Mnemonic, string> families = [];
        Add("arithmetic", "Add Adc Sub Sbb Cmp Inc Dec Neg");
        Add("logic", "And Or Xor Test Not");
        Add("shifts", "Shl Sal Shr Sar Rol Ror Rcl Rcr Shld Shrd");
        Add("bits", "Bt Bts Btr Btc Bsf Bsr Bswap Popcnt Crc32");
        Add("muldiv", "Mul Imul Div Idiv");
        Add("moves", "Mov Movsx Movsxd Movzx Xchg Lea Xlatb Movnti");
        Add("exchange", "Xadd Cmpxchg Cmpxchg8b Cmpxchg16b");
        Add("convert", "Cbw Cwde Cdqe Cwd Cdq Cqo");
        Add("strings", "Movsb Movsw Movsd Movsq Cmpsb Cmpsw Cmpsd Cmpsq Scasb Scasw Scasd Scasq Lodsb Lodsw Lodsd Lodsq Stosb Stosw Stosd Stosq");
        Add("stack", "Push Pop Pusha Pushad Popa Popad Pushf Pushfd Pushfq Popf Popfd Popfq Enter Leave");
        Add("branches", "Jmp Call Ret Jo Jno Jb Jae Je Jne Jbe Ja Js Jns Jp Jnp Jl Jge Jle Jg Loop Loope Loopne Jcxz Jecxz Jrcxz");
        Add("conditions", "Cmovo Cmovno Cmovb Cmovae Cmove Cmovne Cmovbe Cmova Cmovs Cmovns Cmovp Cmovnp Cmovl Cmovge Cmovle Cmovg "
            + "Seto Setno Setb Setae Sete Setne Setbe Seta Sets Setns Setp Setnp Setl Setge Setle Setg");
        Add("flags", "Stc Clc Cmc Std Cld Lahf Sahf Salc");
        Add("bcd", "Aaa Aas Aam Aad Daa Das");
        Add("faults", "Ud0 Ud1 Ud2 Hlt Cli Sti In Out Insb Insw Insd Outsb Outsw Outsd Clts Invd Wbinvd Invlpg Rdmsr Wrmsr Into Bound Arpl Lgdt Lidt");
        Add("nops", "Nop Pause Prefetchnta Prefetcht0 Prefetcht1 Prefetcht2 Prefetchw Lfence Mfence Sfence");
        return families;

        void Add(string family, string mnemonics)
        {
            foreach (string name in mnemonics.Split(' ')) families.Add(Enum.Parse<Mnemonic>(name), family);
        }
    }
}
