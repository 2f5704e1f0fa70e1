using System;
using System.Buffers.Binary;
using Vmm.Cpu;

namespace Gdb.Registers;

/// <summary>Reads and writes a vCPU's registers in gdb's form: little end first, as many bytes as the description says.</summary>
internal static class RegisterAccess
{
    /// <summary>Offset of the top of stack in the x87 status word.</summary>
    private const int TopShift = 11;

    /// <param name="s">The vCPU's state.</param>
    /// <param name="register">Which register.</param>
    /// <param name="destination">At least its size.</param>
    public static void Read(in VcpuState s, RegisterDescription register, Span<byte> destination)
    {
        switch (register.Kind)
        {
            case RegisterKind.X87Stack:
                X87Register x87 = s.X87[Physical(s, register.Number)];
                BinaryPrimitives.WriteUInt64LittleEndian(destination, x87.Significand);
                BinaryPrimitives.WriteUInt16LittleEndian(destination[8..], (ushort)x87.SignExponent);
                return;
            case RegisterKind.Xmm:
                BinaryPrimitives.WriteUInt64LittleEndian(destination, s.Xmm[register.Number][0]);
                BinaryPrimitives.WriteUInt64LittleEndian(destination[8..], s.Xmm[register.Number][1]);
                return;
        }
        ulong value = Value(s, register);
        if (register.SizeBytes == 8) BinaryPrimitives.WriteUInt64LittleEndian(destination, value);
        else BinaryPrimitives.WriteUInt32LittleEndian(destination, (uint)value);
    }

    /// <summary>False: this register is for looking only, as its hidden parts would not follow.</summary>
    public static bool TryWrite(ref VcpuState s, RegisterDescription register, ReadOnlySpan<byte> source)
    {
        switch (register.Kind)
        {
            case RegisterKind.X87Stack:
                int physical = Physical(s, register.Number);
                s.X87[physical].Significand = BinaryPrimitives.ReadUInt64LittleEndian(source);
                s.X87[physical].SignExponent = BinaryPrimitives.ReadUInt16LittleEndian(source[8..]);
                s.X87Tags |= (byte)(1 << physical);
                return true;
            case RegisterKind.Xmm:
                s.Xmm[register.Number] = System.Runtime.Intrinsics.Vector128.Create(
                    BinaryPrimitives.ReadUInt64LittleEndian(source), BinaryPrimitives.ReadUInt64LittleEndian(source[8..]));
                return true;
        }
        ulong value = register.SizeBytes == 8
            ? BinaryPrimitives.ReadUInt64LittleEndian(source) : BinaryPrimitives.ReadUInt32LittleEndian(source);
        switch (register.Kind)
        {
            case RegisterKind.General: s.General[register.Number] = value; break;
            case RegisterKind.InstructionPointer: s.Rip = value; break;
            case RegisterKind.Flags: s.WriteRFlags((value & ~FixedFlags) | (s.ReadRFlags() & FixedFlags)); break;
            case RegisterKind.SegmentBase: s.Segment(register.Number).Base = value; break;
            case RegisterKind.KernelGsBase: s.KernelGsBase = value; break;
            case RegisterKind.X87Control: s.X87Control = (ushort)value; break;
            case RegisterKind.X87Status: s.X87Status = (ushort)value; break;
            // Reserved bits would make the next FXRSTOR of the guest's own state fault (SDM 1 10.2.3).
            case RegisterKind.Mxcsr: s.Mxcsr = (uint)value & 0xFFFF; break;
            // Writing back what is there, as `G` does, changes nothing.
            default: return value == Value(s, register);
        }
        return true;
    }

    // Bit 1 is always set; VM belongs to the segments' hidden parts.
    private const ulong FixedFlags = 1 << 1 | 1 << 17;

    private static ulong Value(in VcpuState s, RegisterDescription register) => register.Kind switch
    {
        RegisterKind.General => s.General[register.Number],
        RegisterKind.InstructionPointer => s.Rip,
        RegisterKind.Flags => s.ReadRFlags(),
        RegisterKind.Selector => s.Segments[register.Number].Selector,
        RegisterKind.SegmentBase => s.Segments[register.Number].Base,
        RegisterKind.KernelGsBase => s.KernelGsBase,
        RegisterKind.X87Control => s.X87Control,
        RegisterKind.X87Status => s.X87Status,
        RegisterKind.X87Tag => FullTags(s),
        RegisterKind.X87InstructionSelector => s.X87InstructionSelector,
        RegisterKind.X87InstructionOffset => s.X87InstructionPointer,
        RegisterKind.X87DataSelector => s.X87DataSelector,
        RegisterKind.X87DataOffset => s.X87DataPointer,
        RegisterKind.X87Opcode => s.X87Opcode,
        RegisterKind.Mxcsr => s.Mxcsr,
        RegisterKind.Efer => s.Efer,
        _ => register.Number switch { 0 => s.Cr0, 2 => s.Cr2, 3 => s.Cr3, 4 => s.Cr4, _ => s.Cr8 },
    };

    private static int Physical(in VcpuState s, int stackIndex) => (stackIndex + (s.X87Status >> TopShift)) & 7;

    // SDM 1 8.1.7: two bits a register, by physical number.
    private static ulong FullTags(in VcpuState s)
    {
        const ulong valid = 0, zero = 1, special = 2, empty = 3, integerBit = 1UL << 63;
        ulong tags = 0;
        for (int i = 0; i < 8; i++)
        {
            X87Register register = s.X87[i];
            ulong exponent = register.SignExponent & 0x7FFF;
            ulong tag = (s.X87Tags >> i & 1) == 0 ? empty
                : exponent == 0 && register.Significand == 0 ? zero
                : exponent is 0 or 0x7FFF || (register.Significand & integerBit) == 0 ? special : valid;
            tags |= tag << (i * 2);
        }
        return tags;
    }
}
