using System;
using System.Collections.Generic;
using System.Linq;
using Iced.Intel;

namespace Sse.Tests;

/// <summary>Every instruction that the SSE handlers must cover, from Iced's tables, and one instance of each.</summary>
public static class InstructionForms
{
    /// <summary>Legacy-encoded instructions of SSE to SSE4.2 that have no MMX or x87 operand.</summary>
    public static IEnumerable<Code> All() => Enum.GetValues<Code>().Where(IsCovered);

    /// <summary>Those of them that compute on registers, so that both the host and a bare vCPU can execute them.</summary>
    public static IEnumerable<Code> Computing() => All().Where(code => code.ToOpCode().OpCount > 0 && !OperandKinds(code).Any(kind =>
        kind is OpCodeOperandKind.mem or OpCodeOperandKind.seg_rDI));

    public static bool IsReciprocal(Code code) =>
        code is Code.Rcpps_xmm_xmmm128 or Code.Rcpss_xmm_xmmm32 or Code.Rsqrtps_xmm_xmmm128 or Code.Rsqrtss_xmm_xmmm32;

    public static IEnumerable<OpCodeOperandKind> OperandKinds(Code code)
    {
        OpCodeInfo info = code.ToOpCode();
        return Enumerable.Range(0, info.OpCount).Select(info.GetOpKind);
    }

    /// <summary>The instruction on XMM1 and XMM2, or RAX and RCX where it takes general registers.</summary>
    public static Instruction Create(Code code, byte immediate, bool sameRegister)
    {
        Instruction instruction = default;
        instruction.Code = code;
        int index = 0;
        foreach (OpCodeOperandKind kind in OperandKinds(code))
        {
            if (kind == OpCodeOperandKind.imm8)
            {
                instruction.SetOpKind(index, OpKind.Immediate8);
                instruction.Immediate8 = immediate;
            }
            else
            {
                instruction.SetOpKind(index, OpKind.Register);
                instruction.SetOpRegister(index, RegisterOf(kind, first: index == 0 || sameRegister));
            }

            index++;
        }

        return instruction;
    }

    /// <summary>Those that have a form with an ordinary memory operand.</summary>
    public static IEnumerable<Code> WithMemory() => All().Where(code => OperandKinds(code).Any(IsMemory));

    /// <summary>The instruction on memory at RSI, and XMM1 and XMM2, RAX and RCX as in <see cref="Create"/>.</summary>
    public static Instruction CreateWithMemory(Code code, byte immediate)
    {
        Instruction instruction = default;
        instruction.Code = code;
        int index = 0;
        foreach (OpCodeOperandKind kind in OperandKinds(code))
        {
            if (IsMemory(kind))
            {
                instruction.SetOpKind(index, OpKind.Memory);
                instruction.MemoryBase = Register.RSI;
            }
            else if (kind == OpCodeOperandKind.imm8)
            {
                instruction.SetOpKind(index, OpKind.Immediate8);
                instruction.Immediate8 = immediate;
            }
            else
            {
                instruction.SetOpKind(index, OpKind.Register);
                instruction.SetOpRegister(index, RegisterOf(kind, first: index == 0));
            }

            index++;
        }

        return instruction;
    }

    private static bool IsMemory(OpCodeOperandKind kind) => kind is OpCodeOperandKind.mem or OpCodeOperandKind.xmm_or_mem
        or OpCodeOperandKind.r8_or_mem or OpCodeOperandKind.r16_or_mem or OpCodeOperandKind.r32_or_mem or OpCodeOperandKind.r64_or_mem;

    private static Register RegisterOf(OpCodeOperandKind kind, bool first) => kind switch
    {
        OpCodeOperandKind.xmm_reg or OpCodeOperandKind.xmm_rm or OpCodeOperandKind.xmm_or_mem => first ? Register.XMM1 : Register.XMM2,
        OpCodeOperandKind.r64_reg or OpCodeOperandKind.r64_or_mem => first ? Register.RAX : Register.RCX,
        OpCodeOperandKind.r32_reg or OpCodeOperandKind.r32_or_mem => first ? Register.EAX : Register.ECX,
        OpCodeOperandKind.r16_or_mem => first ? Register.AX : Register.CX,
        OpCodeOperandKind.r8_or_mem => first ? Register.AL : Register.CL,
        _ => throw new InvalidOperationException($"unexpected operand {kind}"),
    };

    private static bool IsCovered(Code code)
    {
        OpCodeInfo info = code.ToOpCode();
        if (!info.IsInstruction || info.Encoding != EncodingKind.Legacy) return false;
        bool mmx = OperandKinds(code).Any(kind =>
            kind is OpCodeOperandKind.mm_reg or OpCodeOperandKind.mm_rm or OpCodeOperandKind.mm_or_mem);
        if (mmx) return false;
        CpuidFeature[] features = code.CpuidFeatures();
        return !features.Contains(CpuidFeature.FPU) && features.Any(feature => feature is CpuidFeature.SSE or CpuidFeature.SSE2
            or CpuidFeature.SSE3 or CpuidFeature.SSSE3 or CpuidFeature.SSE4_1 or CpuidFeature.SSE4_2 or CpuidFeature.CLFSH
            or CpuidFeature.PREFETCHW);
    }
}
