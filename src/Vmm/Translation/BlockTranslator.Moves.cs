using Iced.Intel;
using Vmm.Paging;

namespace Vmm.Translation;

/// <summary>Integer instructions that leave the flags.</summary>
internal sealed partial class BlockTranslator
{
    private void Move()
    {
        ref readonly Instruction i = ref Current;
        int size = SizeOf(i, 0);
        if (i.Op0Kind == OpKind.Memory)
        {
            if (IsImmediate(i, 1))
            {
                int value = ImmediateOf(i, 1);
                Simple(Access.Write, size, () => _e.StoreImmediate(size, Target, value));
                return;
            }
            Register from = i.Op1Register;
            Simple(Access.Write, size, () =>
            {
                if (IsHighByte(from)) _e.LoadZeroExtended(1, HostRegister.Value, RegisterOperand(from));
                _e.Store(size, Target, IsHighByte(from) ? HostRegister.Value : InRegister(GuestOf(from), HostRegister.Value));
            });
            return;
        }
        Register to = i.Op0Register;
        int guest = GuestOf(to);
        if (i.Op1Kind == OpKind.Memory)
        {
            Simple(Access.Read, size, () =>
            {
                BeforeWrite(guest);
                if (IsMapped(guest) && !IsHighByte(to)) _e.Load(size, HostRegister.OfGuest(guest), Target);
                else
                {
                    _e.LoadZeroExtended(size, HostRegister.Value, Target);
                    WriteRegister(to, size, HostRegister.Value);
                }
            });
            return;
        }
        BeforeWrite(guest);
        if (IsImmediate(i, 1)) MoveConstant(to, size, i.GetImmediate(1));
        else if (IsHighByte(i.Op1Register) || (!IsMapped(guest) && !IsMapped(GuestOf(i.Op1Register))))
        {
            _e.LoadZeroExtended(size, HostRegister.Value, RegisterOperand(i.Op1Register));
            WriteRegister(to, size, HostRegister.Value);
        }
        else if (IsMapped(guest) && !IsHighByte(to)) _e.Load(size, HostRegister.OfGuest(guest), OperandOf(GuestOf(i.Op1Register)));
        else
        {
            int from = InRegister(GuestOf(i.Op1Register), HostRegister.Value);
            if (size == 4)
            {
                _e.Load(4, HostRegister.Value, Operand.Of(from));
                from = HostRegister.Value;
            }
            WriteRegister(to, size, from);
        }
    }

    private void MoveConstant(Register to, int size, ulong value)
    {
        int guest = GuestOf(to);
        if (size >= 4)
        {
            if (size == 4) value = (uint)value;
            int register = IsMapped(guest) ? HostRegister.OfGuest(guest) : HostRegister.Value;
            _e.LoadConstant(register, value);
            if (!IsMapped(guest)) _e.Store(8, StateField.General(guest), register);
        }
        else if (IsHighByte(to))
        {
            _e.LoadConstant(HostRegister.Value, (byte)value);
            WriteRegister(to, 1, HostRegister.Value);
        }
        else _e.StoreImmediate(size, OperandOf(guest), (int)value);
    }

    private void Extend()
    {
        if (Current.Op1Kind == OpKind.Memory) Simple(Access.Read, SizeOf(Current, 1), ExtendCore);
        else ExtendCore();
    }

    private void ExtendCore()
    {
        ref readonly Instruction i = ref Current;
        int size = SizeOf(i, 0), from = SizeOf(i, 1), guest = GuestOf(i.Op0Register);
        BeforeWrite(guest);
        int register = IsMapped(guest) ? HostRegister.OfGuest(guest) : HostRegister.Value;
        Operand source = i.Op1Kind == OpKind.Memory ? Target : RegisterOperand(i.Op1Register);
        int opcode = (i.Mnemonic, from) switch
        {
            (Mnemonic.Movzx, 1) => 0x0FB6,
            (Mnemonic.Movzx, _) => 0x0FB7,
            (_, 1) => 0x0FBE,
            (_, 2) => 0x0FBF,
            _ => 0x63,
        };
        _e.Instruction(size, opcode, register, source, byteOperand: from == 1);
        if (!IsMapped(guest)) _e.Store(size == 4 ? 8 : size, StateField.General(guest), register);
    }

    private void LoadAddress()
    {
        ref readonly Instruction i = ref Current;
        int size = SizeOf(i, 0), guest = GuestOf(i.Op0Register);
        BeforeWrite(guest);
        int register = IsMapped(guest) ? HostRegister.OfGuest(guest) : HostRegister.Address;
        ComputeOffset(register, i);
        // A 32-bit result of a 64-bit address.
        if (size == 4 && AddressSizeOf(i) == 8) _e.Load(4, register, Operand.Of(register));
        if (!IsMapped(guest)) _e.Store(8, StateField.General(guest), register);
    }

    private void SignExtendAccumulator()
    {
        Mnemonic mnemonic = Current.Mnemonic;
        bool toRdx = mnemonic is Mnemonic.Cwd or Mnemonic.Cdq or Mnemonic.Cqo;
        BeforeWrite(toRdx ? Rdx : Rax);
        if (mnemonic is Mnemonic.Cbw or Mnemonic.Cwd) _e.Byte(0x66);
        if (mnemonic is Mnemonic.Cdqe or Mnemonic.Cqo) _e.Byte(0x48);
        _e.Byte(toRdx ? 0x99 : 0x98);
    }

    private void ByteSwap()
    {
        int size = SizeOf(Current, 0), guest = GuestOf(Current.Op0Register);
        BeforeWrite(guest);
        int register = InRegister(guest, HostRegister.Value);
        int rex = (size == 8 ? 0x48 : 0x40) | register >> 3;
        if (rex != 0x40) _e.Byte(rex);
        _e.Byte(0x0F);
        _e.Byte(0xC8 | (register & 7));
        if (!IsMapped(guest)) _e.Store(8, StateField.General(guest), register);
    }

    private void Exchange()
    {
        ref readonly Instruction i = ref Current;
        int size = SizeOf(i, 0);
        Register second = i.Op1Register;
        if (i.Op0Kind == OpKind.Memory)
        {
            Simple(Access.Update, size, () =>
            {
                BeforeWrite(GuestOf(second));
                _e.LoadZeroExtended(size, HostRegister.Value, Target);
                _e.Store(size, Target, InRegister(GuestOf(second), HostRegister.Other));
                WriteRegister(second, size, HostRegister.Value);
            });
            return;
        }
        Register first = i.Op0Register;
        BeforeWrite(GuestOf(first));
        BeforeWrite(GuestOf(second));
        _e.LoadZeroExtended(size, HostRegister.Value, OperandOf(GuestOf(first)));
        _e.LoadZeroExtended(size, HostRegister.Other, OperandOf(GuestOf(second)));
        WriteRegister(first, size, HostRegister.Other);
        WriteRegister(second, size, HostRegister.Value);
    }

    private static Condition ConditionOf(in Instruction i) => (Condition)(i.ConditionCode - ConditionCode.o);

    private void ConditionalMove() => OnOperand(1, Access.Read, ConditionalMoveCore);

    private void ConditionalMoveCore()
    {
        ref readonly Instruction i = ref Current;
        int size = SizeOf(i, 0), guest = GuestOf(i.Op0Register);
        Condition condition = ConditionOf(i);
        BeforeWrite(guest);
        NeedHostFlags(HostFlag.Of(condition));
        Operand source = i.Op1Kind == OpKind.Memory ? Target : OperandOf(GuestOf(i.Op1Register));
        int register = InRegister(guest, HostRegister.Value);
        _e.MoveIf(condition, size, register, source);
        if (!IsMapped(guest)) _e.Store(8, StateField.General(guest), register);
    }

    private void ConditionalSet() => OnOperand(0, Access.Write, ConditionalSetCore);

    private void ConditionalSetCore()
    {
        ref readonly Instruction i = ref Current;
        Condition condition = ConditionOf(i);
        if (i.Op0Kind == OpKind.Memory)
        {
            NeedHostFlags(HostFlag.Of(condition));
            _e.SetIf(condition, Target);
            return;
        }
        int guest = GuestOf(i.Op0Register);
        BeforeWrite(guest);
        NeedHostFlags(HostFlag.Of(condition));
        _e.SetIf(condition, RegisterOperand(i.Op0Register));
        if (IsHighByte(i.Op0Register) && IsMapped(guest)) _e.Load(8, HostRegister.OfGuest(guest), StateField.General(guest));
    }
}
