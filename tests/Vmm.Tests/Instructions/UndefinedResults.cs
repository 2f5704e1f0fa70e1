using Iced.Intel;
using Vmm.Cpu;

namespace Vmm.Tests.Instructions;

/// <summary>
/// What an instruction leaves undefined, for the operands that it has: Iced's RflagsUndefined, made exact where it depends on a shift
/// count, and the results that the SDM leaves undefined.
/// </summary>
internal static class UndefinedResults
{
    public static ulong Flags(in Instruction instruction, CaseState input)
    {
        ulong undefined = FromIced(instruction.RflagsUndefined);
        if (!IsShift(instruction.Mnemonic)) return undefined;
        int size = SizeBytes(instruction);
        int count = Count(instruction, input) & (size == 8 ? 63 : 31);
        if (count == 0) return 0;
        bool rotates = instruction.Mnemonic is Mnemonic.Rol or Mnemonic.Ror or Mnemonic.Rcl or Mnemonic.Rcr;
        // AF is undefined after a shift, untouched by a rotation; OF is defined for 1-bit shifts and rotations only (SDM 2B, SAL and RCL).
        undefined = rotates ? 0 : RFlags.Adjust;
        if (count != 1) undefined |= RFlags.Overflow;
        if (instruction.Mnemonic is Mnemonic.Shl or Mnemonic.Sal or Mnemonic.Shr && count >= 8 * size) undefined |= RFlags.Carry;
        return undefined;
    }

    /// <summary>
    /// A fault inside a repeated CMPS or SCAS: the SDM (2B, REP) restores the flags from before the instruction, others leave those of the last
    /// iteration.
    /// </summary>
    public static ulong FlagsOnFault(in Instruction instruction) =>
        (instruction.HasRepePrefix || instruction.HasRepnePrefix) && instruction.RflagsModified != RflagsBits.None ? RFlags.Arithmetic : 0;

    /// <summary>SHLD and SHRD with a count beyond the operand: everything is undefined, so that no case is made of it.</summary>
    public static bool IsMeaningless(in Instruction instruction, CaseState input) =>
        instruction.Mnemonic is Mnemonic.Shld or Mnemonic.Shrd && SizeBytes(instruction) == 2 && (Count(instruction, input) & 31) > 16;

    /// <summary>Bit n: general register n is undefined.</summary>
    public static uint Registers(in Instruction instruction, CaseState input, CaseOutcome outcome)
    {
        if (outcome.Vector != CaseOutcome.Completed || instruction.Op0Kind != OpKind.Register || SizeBytes(instruction) != 4) return 0;
        bool isZero = (outcome.State.RFlags & RFlags.Zero) != 0;
        bool varies = instruction.Mnemonic switch
        {
            // Of zero, AMD leaves the destination as it was, and so do we; the upper half of a 32-bit one varies.
            Mnemonic.Bsf or Mnemonic.Bsr => isZero,
            // When not equal, the SDM writes the destination back, which clears the upper half; AMD does not write it.
            Mnemonic.Cmpxchg => !isZero,
            _ => false,
        };
        int register = instruction.Op0Register.GetFullRegister() - Register.RAX;
        return varies && input.General[register] >> 32 != 0 ? 1u << register : 0;
    }

    public static ulong FromIced(RflagsBits bits)
    {
        ulong flags = 0;
        if ((bits & RflagsBits.CF) != 0) flags |= RFlags.Carry;
        if ((bits & RflagsBits.PF) != 0) flags |= RFlags.Parity;
        if ((bits & RflagsBits.AF) != 0) flags |= RFlags.Adjust;
        if ((bits & RflagsBits.ZF) != 0) flags |= RFlags.Zero;
        if ((bits & RflagsBits.SF) != 0) flags |= RFlags.Sign;
        if ((bits & RflagsBits.OF) != 0) flags |= RFlags.Overflow;
        return flags;
    }

    public static bool IsShift(Mnemonic mnemonic) => mnemonic is Mnemonic.Shl or Mnemonic.Sal or Mnemonic.Shr or Mnemonic.Sar or Mnemonic.Rol
        or Mnemonic.Ror or Mnemonic.Rcl or Mnemonic.Rcr or Mnemonic.Shld or Mnemonic.Shrd;

    private static int SizeBytes(in Instruction instruction) =>
        instruction.Op0Kind == OpKind.Register ? instruction.Op0Register.GetSize() : instruction.MemorySize.GetSize();

    private static int Count(in Instruction instruction, CaseState input)
    {
        int last = instruction.OpCount - 1;
        return instruction.GetOpKind(last) == OpKind.Register ? (byte)input.General[1] : (byte)instruction.GetImmediate(last);
    }
}
