using System;
using System.Collections.Generic;
using Iced.Intel;
using Vmm.Tests.TestKit;

namespace Vmm.Tests.Instructions;

/// <summary>Makes cases for every instruction of a family and lets the host CPU write their outcomes.</summary>
internal static class LineCapture
{
    /// <summary>The cases of one code: as many as its operands deserve.</summary>
    public static IEnumerable<InstructionCase> Capture(Code code, int bitness, HostOracle oracle, int scalePercent = 100)
    {
        SeededRandom random = new(((ulong)code << 8) + (ulong)bitness);
        int wanted = Math.Max(1, CasesFor(code) * scalePercent / 100);
        for (int variant = 0, attempts = 0; variant < wanted && attempts < 50 * wanted; attempts++)
        {
            CaseState input = CaseState.Default(bitness);
            CaseBuilder builder = new(bitness, random, input);
            builder.SetRandomFlags();
            if (VectorValues.IsVector(code)) builder.SetRandomMxcsr();
            if (!builder.TryBuild(code, variant, CaseState.CodeStart, out byte[] bytes)) continue;
            InstructionCase captured = CaptureOne(code.ToString(), bytes, bitness, input, oracle);
            // Linux hides from a user program how its own half of the address space is mapped.
            if (captured.Expected.Vector == 14 && captured.Expected.FaultAddress >> 47 != 0) continue;
            variant++;
            yield return captured;
        }
    }

    /// <summary>Captures one instruction from one state.</summary>
    public static InstructionCase CaptureOne(string codeName, byte[] bytes, int bitness, CaseState input, HostOracle oracle)
    {
        Decoder decoder = Decoder.Create(bitness, new ByteArrayCodeReader(bytes), CaseState.CodeStart, DecoderOptions.None);
        decoder.Decode(out Instruction instruction);
        CaseOutcome outcome = oracle.Run(bitness, bytes, input);
        return new InstructionCase
        {
            Bitness = bitness,
            Bytes = bytes,
            CodeName = codeName,
            Input = input,
            Expected = outcome,
            UndefinedFlags = outcome.Vector == CaseOutcome.Completed ? UndefinedResults.Flags(instruction, input) : UndefinedResults.FlagsOnFault(instruction),
            UndefinedRegisters = UndefinedResults.Registers(instruction, input, outcome),
        };
    }

    private static int CasesFor(Code code)
    {
        OpCodeInfo op = code.ToOpCode();
        switch (op.Mnemonic)
        {
            case Mnemonic.Shl or Mnemonic.Sal or Mnemonic.Shr or Mnemonic.Sar or Mnemonic.Rol or Mnemonic.Ror or Mnemonic.Rcl or Mnemonic.Rcr
                or Mnemonic.Shld or Mnemonic.Shrd:
                return op.GetOpKind(op.OpCount - 1) == OpCodeOperandKind.imm8_const_1 ? 8 : OperandValues.ShiftCountCount;
            case Mnemonic.Aaa or Mnemonic.Aas or Mnemonic.Daa or Mnemonic.Das: return 64;
            case Mnemonic.Div or Mnemonic.Idiv or Mnemonic.Mul or Mnemonic.Imul or Mnemonic.Lea: return 24;
            case Mnemonic.Nop or Mnemonic.Prefetchnta or Mnemonic.Prefetcht0 or Mnemonic.Prefetcht1 or Mnemonic.Prefetcht2 or Mnemonic.Prefetchw: return 4;
        }
        if (op.Mnemonic is Mnemonic.Pcmpestri or Mnemonic.Pcmpestri64 or Mnemonic.Pcmpestrm or Mnemonic.Pcmpestrm64 or Mnemonic.Pcmpistri
            or Mnemonic.Pcmpistrm) return 40;
        if (VectorValues.IsVector(code)) return 8;
        if (op.Code.IsStringInstruction()) return 24;
        if (op.Code.ConditionCode() != ConditionCode.None) return 8;
        return op.OpCount == 0 ? 6 : 16;
    }
}
