using Iced.Intel;
using Vmm.Cpu;

namespace Introspection.Origins;

/// <summary>Which bytes of one register instructions write. One thread's.</summary>
internal sealed class RegisterWrites(ValueLocation location)
{
    private const uint WholeXmm = 0xFFFF, UpperHalf = 0xF0;
    private readonly InstructionInfoFactory _factory = new();

    /// <summary>A bit for each byte of the register that an instruction may write, whatever the state.</summary>
    public uint Possible(in Instruction instruction)
    {
        if (location.Kind == LocationKind.Flags) return WritesFlags(instruction) ? 0xFFu : 0;
        if (location.Kind == LocationKind.Xmm && instruction.Mnemonic is Mnemonic.Fxrstor or Mnemonic.Fxrstor64 or Mnemonic.Xrstor or Mnemonic.Xrstor64) return WholeXmm;
        uint mask = 0;
        ref readonly InstructionInfo info = ref _factory.GetInfo(instruction, InstructionInfoOptions.NoMemoryUsage);
        foreach (UsedRegister used in info.GetUsedRegisters())
        {
            bool isWritten = used.Access is OpAccess.Write or OpAccess.ReadWrite or OpAccess.CondWrite or OpAccess.ReadCondWrite;
            if (isWritten && RegisterPart.Of(used.Register) is { } part && part.Kind == location.Kind && part.Number == location.Number) mask |= part.Mask;
        }
        return mask;
    }

    /// <summary>The bytes that it did write, now that it has executed.</summary>
    public uint Actual(in Instruction instruction, uint possible, VcpuState before, VcpuState after)
    {
        if (possible == 0) return 0;
        bool isNothing = Writes(instruction, before, after) switch { true => false, false => true, null => false };
        if (!isNothing) return possible;
        // Nothing was written to the operand; but where its width is 32 bits in 64-bit code, the upper half is cleared all the same.
        bool clears = location.Kind == LocationKind.General && before.IsLongMode && instruction.CodeSize == CodeSize.Code64
            && instruction.Op0Register.IsGPR32() && ClearsAnyway(instruction);
        return clears ? possible & UpperHalf : 0;
    }

    private static bool WritesFlags(in Instruction instruction) =>
        instruction.RflagsModified != RflagsBits.None || instruction.Mnemonic is Mnemonic.Popf or Mnemonic.Popfd or Mnemonic.Popfq or Mnemonic.Iret or Mnemonic.Iretd or Mnemonic.Iretq
            or Mnemonic.Sysret or Mnemonic.Sysretq;

    // CMOVcc and shifts by zero (SDM 2A, CMOVcc; 1, 3.4.1.1).
    private static bool ClearsAnyway(in Instruction instruction) => instruction.ConditionCode != ConditionCode.None || Shifts.IsShift(instruction.Mnemonic);

    // Whether the destination is written, for the instructions where it depends; null: it always is.
    private bool? Writes(in Instruction instruction, VcpuState before, VcpuState after)
    {
        if (Shifts.IsShift(instruction.Mnemonic)) return Shifts.Count(instruction, before) != 0;
        if (instruction.Mnemonic is >= Mnemonic.Cmova and <= Mnemonic.Cmovs) return Conditions.IsMet(instruction.ConditionCode, before.ReadRFlags());
        if (instruction.HasRepPrefix || instruction.HasRepnePrefix)
            return instruction.IsStringInstruction ? RepeatCount(instruction, before) != 0 : null;
        bool isZero = (after.ReadRFlags() & RFlags.Zero) != 0;
        bool isAccumulator = location is { Kind: LocationKind.General, Number: 0 };
        switch (instruction.Mnemonic)
        {
            case Mnemonic.Bsf or Mnemonic.Bsr: return location.Kind == LocationKind.Flags || !isZero;
            case Mnemonic.Cmpxchg: return location.Kind == LocationKind.Flags || isAccumulator != isZero;
            case Mnemonic.Cmpxchg8b or Mnemonic.Cmpxchg16b: return location.Kind == LocationKind.Flags || !isZero;
            case Mnemonic.Lar or Mnemonic.Lsl: return location.Kind == LocationKind.Flags || isZero;
            default: return null;
        }
    }

    private static ulong RepeatCount(in Instruction instruction, VcpuState before) => StringAddressSize(instruction) switch
    {
        8 => before.Rcx, 4 => (uint)before.Rcx, _ => (ushort)before.Rcx,
    };

    /// <summary>Bytes of the address registers of a string instruction.</summary>
    public static int StringAddressSize(in Instruction instruction)
    {
        for (int i = 0; i < instruction.OpCount; i++)
        {
            switch (instruction.GetOpKind(i))
            {
                case OpKind.MemorySegDI or OpKind.MemorySegSI or OpKind.MemoryESDI: return 2;
                case OpKind.MemorySegEDI or OpKind.MemorySegESI or OpKind.MemoryESEDI: return 4;
                case OpKind.MemorySegRDI or OpKind.MemorySegRSI or OpKind.MemoryESRDI: return 8;
            }
        }
        return instruction.CodeSize switch { CodeSize.Code64 => 8, CodeSize.Code32 => 4, _ => 2 };
    }
}

/// <summary>Which bytes of which followed register a name of Iced's stands for.</summary>
internal readonly record struct RegisterPart(LocationKind Kind, int Number, int Offset, int SizeBytes)
{
    public uint Mask => (uint)((1UL << SizeBytes) - 1) << Offset;

    /// <summary>Null: no register that values are followed in.</summary>
    public static RegisterPart? Of(Register register)
    {
        if (register.IsGPR64()) return new RegisterPart(LocationKind.General, register - Register.RAX, 0, 8);
        if (register.IsGPR32()) return new RegisterPart(LocationKind.General, register - Register.EAX, 0, 4);
        if (register.IsGPR16()) return new RegisterPart(LocationKind.General, register - Register.AX, 0, 2);
        if (register is >= Register.AH and <= Register.BH) return new RegisterPart(LocationKind.General, register - Register.AH, 1, 1);
        if (register.IsGPR8()) return new RegisterPart(LocationKind.General, register < Register.AH ? register - Register.AL : register - Register.SPL + 4, 0, 1);
        return register is >= Register.XMM0 and <= Register.XMM15 ? new RegisterPart(LocationKind.Xmm, register - Register.XMM0, 0, 16) : null;
    }
}

/// <summary>Shifts and rotations by a count, which do nothing when it is zero (SDM 2B, SAL/SAR/SHL/SHR).</summary>
internal static class Shifts
{
    public static bool IsShift(Mnemonic mnemonic) => mnemonic is Mnemonic.Shl or Mnemonic.Sal or Mnemonic.Shr or Mnemonic.Sar or Mnemonic.Rol or Mnemonic.Ror or Mnemonic.Rcl
        or Mnemonic.Rcr or Mnemonic.Shld or Mnemonic.Shrd;

    public static int Count(in Instruction instruction, VcpuState before)
    {
        int operand = instruction.OpCount - 1;
        bool isWide = instruction.OpCount > 0 && (instruction.Op0Register.IsGPR64() || instruction.MemorySize.GetSize() == 8);
        ulong count = instruction.GetOpKind(operand) == OpKind.Register ? (byte)before.Rcx : instruction.GetImmediate(operand);
        return (int)(count & (isWide ? 63u : 31u));
    }
}

/// <summary>Conditions of Jcc, SETcc and CMOVcc (SDM 1, appendix B).</summary>
internal static class Conditions
{
    public static bool IsMet(ConditionCode condition, ulong flags)
    {
        bool carry = (flags & RFlags.Carry) != 0, zero = (flags & RFlags.Zero) != 0, sign = (flags & RFlags.Sign) != 0;
        bool overflow = (flags & RFlags.Overflow) != 0, parity = (flags & RFlags.Parity) != 0;
        return condition switch
        {
            ConditionCode.o => overflow, ConditionCode.no => !overflow, ConditionCode.b => carry, ConditionCode.ae => !carry,
            ConditionCode.e => zero, ConditionCode.ne => !zero, ConditionCode.be => carry || zero, ConditionCode.a => !carry && !zero,
            ConditionCode.s => sign, ConditionCode.ns => !sign, ConditionCode.p => parity, ConditionCode.np => !parity,
            ConditionCode.l => sign != overflow, ConditionCode.ge => sign == overflow, ConditionCode.le => zero || sign != overflow, ConditionCode.g => !zero && sign == overflow,
            _ => true,
        };
    }
}
