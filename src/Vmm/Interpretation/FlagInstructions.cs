using Iced.Intel;
using Vmm.Cpu;
using Vmm.Decoding;

namespace Vmm.Interpretation;

/// <summary>CLC, STC, CMC, CLD, STD, CLI, STI, LAHF, SAHF, SALC, CLAC, STAC, and the decimal adjustments of 16- and 32-bit code.</summary>
internal static unsafe class FlagInstructions
{
    public static Handler Bind(in Instruction i) => i.Mnemonic switch
    {
        Mnemonic.Clc => new(&Clc),
        Mnemonic.Stc => new(&Stc),
        Mnemonic.Cmc => new(&Cmc),
        Mnemonic.Cld => new(&Cld),
        Mnemonic.Std => new(&Std),
        Mnemonic.Cli => new(&Cli),
        Mnemonic.Sti => new(&Sti),
        Mnemonic.Lahf => new(&Lahf),
        Mnemonic.Sahf => new(&Sahf),
        Mnemonic.Salc => new(&Salc),
        Mnemonic.Clac => new(&Clac),
        Mnemonic.Stac => new(&Stac),
        Mnemonic.Daa => new(&Daa),
        Mnemonic.Das => new(&Das),
        Mnemonic.Aaa => new(&Aaa),
        Mnemonic.Aas => new(&Aas),
        Mnemonic.Aam => new(&Aam),
        Mnemonic.Aad => new(&Aad),
        _ => default,
    };

    private static Completion Clc(Vcpu c, in DecodedInstruction d)
    {
        c.State.SetCarry(false);
        return Completion.Next;
    }

    private static Completion Stc(Vcpu c, in DecodedInstruction d)
    {
        c.State.SetCarry(true);
        return Completion.Next;
    }

    private static Completion Cmc(Vcpu c, in DecodedInstruction d)
    {
        c.State.SetCarry(!c.State.Carry());
        return Completion.Next;
    }

    private static Completion Cld(Vcpu c, in DecodedInstruction d)
    {
        c.State.SystemFlags &= ~RFlags.Direction;
        return Completion.Next;
    }

    private static Completion Std(Vcpu c, in DecodedInstruction d)
    {
        c.State.SystemFlags |= RFlags.Direction;
        return Completion.Next;
    }

    /// <summary>CLI and STI need CPL at most IOPL (SDM 2A CLI; VME and PVI are not in the model).</summary>
    private static bool MayChangeInterruptFlag(Vcpu c)
    {
        if (!c.State.IsProtected) return true;
        int iopl = (int)(c.State.SystemFlags >> 12) & 3;
        return c.State.IsVirtual8086 ? iopl == 3 : c.State.Cpl <= iopl;
    }

    private static Completion Cli(Vcpu c, in DecodedInstruction d)
    {
        if (!MayChangeInterruptFlag(c)) return c.GeneralProtection();
        c.State.SystemFlags &= ~RFlags.Interrupt;
        c.Bus.OnExit(c, ExitReason.Cli, 0, 0);
        return Completion.Next;
    }

    private static Completion Sti(Vcpu c, in DecodedInstruction d)
    {
        if (!MayChangeInterruptFlag(c)) return c.GeneralProtection();
        if ((c.State.SystemFlags & RFlags.Interrupt) == 0)
        {
            c.State.SystemFlags |= RFlags.Interrupt;
            c.State.InterruptShadow = 1;
        }
        c.Bus.OnExit(c, ExitReason.Sti, 0, 0);
        c.Bus.InterruptStateChanged(c);
        c.State.Rip = d.NextRip;
        return Completion.EndBlock;
    }

    private static Completion Lahf(Vcpu c, in DecodedInstruction d)
    {
        c.State.Register<byte>(1) = (byte)c.State.ReadRFlags();
        return Completion.Next;
    }

    private static Completion Sahf(Vcpu c, in DecodedInstruction d)
    {
        bool overflow = c.State.Overflow();
        ulong flags = c.State.Register<byte>(1);
        c.State.WriteArithmeticFlags(flags | (overflow ? RFlags.Overflow : 0));
        return Completion.Next;
    }

    private static Completion Salc(Vcpu c, in DecodedInstruction d)
    {
        c.State.Register<byte>(0) = c.State.Carry() ? (byte)0xFF : (byte)0;
        return Completion.Next;
    }

    private static Completion SetAlignmentCheck(Vcpu c, in DecodedInstruction d, bool value)
    {
        if (c.State.Cpl != 0) return c.InvalidOpcode();
        if (value) c.State.SystemFlags |= RFlags.AlignmentCheck;
        else c.State.SystemFlags &= ~RFlags.AlignmentCheck;
        c.Mmu.UpdatePrivilege();
        return Completion.Next;
    }

    private static Completion Clac(Vcpu c, in DecodedInstruction d) => SetAlignmentCheck(c, d, false);
    private static Completion Stac(Vcpu c, in DecodedInstruction d) => SetAlignmentCheck(c, d, true);

    // ---- Decimal adjustments (SDM 2A). Undefined: OF cleared; after AAA and AAS, SF, ZF and PF are those of AL.

    private static Completion Daa(Vcpu c, in DecodedInstruction d) => DecimalAdjust(c, 1);
    private static Completion Das(Vcpu c, in DecodedInstruction d) => DecimalAdjust(c, -1);

    private static Completion DecimalAdjust(Vcpu c, int direction)
    {
        ref byte al = ref c.State.Register<byte>(0);
        byte old = al;
        bool oldCarry = c.State.Carry(), carry = false, adjust = false;
        if ((old & 0xF) > 9 || c.State.Adjust())
        {
            carry = oldCarry || (direction > 0 ? old > 0xFF - 6 : old < 6);
            al = (byte)(al + 6 * direction);
            adjust = true;
        }
        if (old > 0x99 || oldCarry)
        {
            al = (byte)(al + 0x60 * direction);
            carry = true;
        }
        SetByteFlags(c, al, carry, adjust);
        return Completion.Next;
    }

    private static Completion Aaa(Vcpu c, in DecodedInstruction d) => AsciiAdjust(c, 1);
    private static Completion Aas(Vcpu c, in DecodedInstruction d) => AsciiAdjust(c, -1);

    private static Completion AsciiAdjust(Vcpu c, int direction)
    {
        ref ushort ax = ref c.State.Register<ushort>(0);
        bool adjust = (ax & 0xF) > 9 || c.State.Adjust();
        if (adjust) ax = (ushort)(ax + 0x106 * direction);
        ax &= 0xFF0F;
        SetByteFlags(c, (byte)ax, adjust, adjust);
        return Completion.Next;
    }

    private static Completion Aam(Vcpu c, in DecodedInstruction d)
    {
        byte divisor = (byte)d.Immediate;
        if (divisor == 0) return c.Fault(Vector.DivideError);
        byte al = c.State.Register<byte>(0);
        c.State.Register<byte>(1) = (byte)(al / divisor);
        c.State.Register<byte>(0) = (byte)(al % divisor);
        SetByteFlags(c, (byte)(al % divisor), false, false);
        return Completion.Next;
    }

    private static Completion Aad(Vcpu c, in DecodedInstruction d)
    {
        byte al = (byte)(c.State.Register<byte>(0) + c.State.Register<byte>(1) * (byte)d.Immediate);
        c.State.Register<ushort>(0) = al;
        SetByteFlags(c, al, false, false);
        return Completion.Next;
    }

    private static void SetByteFlags(Vcpu c, byte result, bool carry, bool adjust)
    {
        c.State.SetLogic((sbyte)result);
        c.State.SetCarryOverflow(carry, false);
        c.State.FlagsAdjust = adjust ? 0x10UL : 0;
    }
}
