using System;
using System.Collections.Generic;
using Iced.Intel;

namespace Vmm.Tests.Instructions;

/// <summary>Which instructions the host can be asked about from user mode, and the family (file) that each belongs to.</summary>
internal static class CodeCatalog
{
    /// <summary>CPUID features of the integer part of x86-64-v2.</summary>
    private static readonly HashSet<CpuidFeature> Features =
    [
        CpuidFeature.INTEL8086, CpuidFeature.INTEL8086_ONLY, CpuidFeature.INTEL186, CpuidFeature.INTEL286, CpuidFeature.INTEL386, CpuidFeature.INTEL486,
        CpuidFeature.X64, CpuidFeature.CMOV, CpuidFeature.CX8, CpuidFeature.CMPXCHG16B, CpuidFeature.POPCNT, CpuidFeature.SSE4_2,
        CpuidFeature.MULTIBYTENOP, CpuidFeature.PAUSE, CpuidFeature.SSE2, CpuidFeature.SSE, CpuidFeature.PREFETCHW,
    ];

    private static readonly Dictionary<Mnemonic, string> FamilyOf = BuildFamilies();

    public static IReadOnlyCollection<string> Families { get; } = new SortedSet<string>(FamilyOf.Values, StringComparer.Ordinal);

    /// <summary>The codes of a family that exist in the mode, in Iced's order.</summary>
    public static IEnumerable<Code> Codes(string family, int bitness)
    {
        foreach (Code code in Enum.GetValues<Code>())
            if (FamilyOf.TryGetValue(code.Mnemonic(), out string? its) && its == family && IsUserInteger(code, bitness)) yield return code;
    }

    /// <summary>All codes of all families in the mode.</summary>
    public static IReadOnlyList<Code> Codes(int bitness)
    {
        List<Code> codes = [];
        foreach (string family in Families) codes.AddRange(Codes(family, bitness));
        return codes;
    }

    private static bool IsUserInteger(Code code, int bitness)
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
                case OpCodeOperandKind.xmm_reg or OpCodeOperandKind.xmm_or_mem or OpCodeOperandKind.mm_reg or OpCodeOperandKind.mm_or_mem
                    or OpCodeOperandKind.xmm_rm or OpCodeOperandKind.mm_rm:
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
