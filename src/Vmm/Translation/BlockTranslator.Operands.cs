using System;
using Iced.Intel;
using Vmm.Cpu;
using Vmm.Decoding;
using Vmm.Paging;

namespace Vmm.Translation;

/// <summary>Guest registers and guest memory.</summary>
internal sealed partial class BlockTranslator
{
    private const int Rax = 0, Rcx = 1, Rdx = 2, Rsp = 4, Rbp = 5;

    private static bool IsHighByte(Register register) => register is >= Register.AH and <= Register.BH;

    /// <summary>Number (0..15) of the guest register that this is or is part of.</summary>
    private static int GuestOf(Register register)
    {
        if (!register.IsGPR8()) return register.GetNumber();
        if (IsHighByte(register)) return register - Register.AH;
        return register >= Register.SPL ? register - Register.SPL + 4 : register - Register.AL;
    }

    private static bool IsMapped(int guest) => HostRegister.OfGuest(guest) >= 0;

    /// <summary>A guest register as an operand: a host register or a field.</summary>
    private static Operand OperandOf(int guest) => IsMapped(guest) ? Operand.Of(HostRegister.OfGuest(guest)) : StateField.General(guest);

    /// <summary>A host register that holds a guest register: its own, or the scratch after a load.</summary>
    private int InRegister(int guest, int scratch)
    {
        if (IsMapped(guest)) return HostRegister.OfGuest(guest);
        _e.Load(8, scratch, StateField.General(guest));
        return scratch;
    }

    /// <summary>A register operand to read. AH..BH are read from the frame, where they are put first.</summary>
    private Operand RegisterOperand(Register register)
    {
        int guest = GuestOf(register);
        if (!IsHighByte(register)) return OperandOf(guest);
        if (IsMapped(guest)) _e.Store(8, StateField.General(guest), HostRegister.OfGuest(guest));
        return StateField.HighByte(guest);
    }

    /// <summary>Writes a guest register from a host register, as an instruction with operands of that size does.</summary>
    private void WriteRegister(Register register, int sizeBytes, int from)
    {
        int guest = GuestOf(register);
        if (IsHighByte(register))
        {
            if (IsMapped(guest)) _e.Store(8, StateField.General(guest), HostRegister.OfGuest(guest));
            _e.Store(1, StateField.HighByte(guest), from);
            if (IsMapped(guest)) _e.Load(8, HostRegister.OfGuest(guest), StateField.General(guest));
            return;
        }
        if (IsMapped(guest)) _e.Load(sizeBytes, HostRegister.OfGuest(guest), Operand.Of(from));
        // The scratch register's upper half is clear after an instruction with 32-bit operands.
        else _e.Store(sizeBytes == 4 ? 8 : sizeBytes, StateField.General(guest), from);
    }

    private static int ImmediateOf(in Instruction i, int operand) => (int)(long)i.GetImmediate(operand);

    private static bool IsImmediate(in Instruction i, int operand) => i.GetOpKind(operand) is not (OpKind.Register or OpKind.Memory);

    // ---- Memory

    /// <summary>Puts the linear address of the memory operand into the address register. The host's flags may be lost; value and other are.</summary>
    private void EffectiveAddress()
    {
        ref readonly Instruction i = ref Current;
        bool hasSegment = i.MemorySegment is Register.FS or Register.GS;
        ComputeOffset(HostRegister.Address, i);
        if (hasSegment) _e.Alu(AluOperation.Add, 8, HostRegister.Address, StateField.SegmentBase(i.MemorySegment == Register.FS ? SegmentIndex.Fs : SegmentIndex.Gs));
    }

    /// <summary>The offset of the memory operand in its segment, cut to the address size. Leaves the flags.</summary>
    private void ComputeOffset(int register, in Instruction i)
    {
        if (i.IsIPRelativeMemoryOperand)
        {
            ulong absolute = i.IPRelativeMemoryAddress;
            _e.LoadConstant(register, i.MemoryBase == Register.EIP ? (uint)absolute : absolute);
            return;
        }
        int size = AddressSizeOf(i);
        if (i.MemoryBase == Register.None && i.MemoryIndex == Register.None)
        {
            _e.LoadConstant(register, size == 4 ? (uint)i.MemoryDisplacement64 : i.MemoryDisplacement64);
            return;
        }
        int @base = i.MemoryBase == Register.None ? -1 : InRegister(GuestOf(i.MemoryBase), HostRegister.Value);
        int index = i.MemoryIndex == Register.None ? -1 : InRegister(GuestOf(i.MemoryIndex), HostRegister.Other);
        int scale = System.Numerics.BitOperations.Log2((uint)i.MemoryIndexScale), displacement = (int)i.MemoryDisplacement64;
        // Without a base and a scale the index is a base, which is shorter.
        if (@base < 0 && scale == 0) (@base, index) = (index, -1);
        _e.Lea(size, register, Operand.At(@base, index, scale, displacement));
    }

    private int AddressSizeOf(in Instruction i)
    {
        Register sized = i.MemoryBase != Register.None ? i.MemoryBase : i.MemoryIndex;
        if (sized != Register.None) return sized.GetSize();
        return Is64 && i.MemoryDisplSize != 4 ? 8 : 4;
    }

    /// <summary>
    /// Turns the linear address in the address register into a host address, or jumps. The host's flags, value and other are lost.
    /// </summary>
    private void Look(Access access, int sizeBytes, Label slow)
    {
        int tlb = VcpuFrame.TlbOffsetOf(_mode.TlbIndex);
        _e.Load(8, HostRegister.Value, Operand.Of(HostRegister.Address));
        _e.Shift(5, 8, Operand.Of(HostRegister.Value), 7);
        _e.AluImmediate(AluOperation.And, 4, Operand.Of(HostRegister.Value), (Mmu.TlbSize - 1) * 32);
        // The page of the last byte: an access across pages finds no entry.
        if (sizeBytes == 1) _e.Load(8, HostRegister.Other, Operand.Of(HostRegister.Address));
        else _e.Lea(8, HostRegister.Other, Operand.At(HostRegister.Address, sizeBytes - 1));
        _e.AluImmediate(AluOperation.And, 8, Operand.Of(HostRegister.Other), -4096);
        _e.Alu(AluOperation.Cmp, 8, HostRegister.Other, Operand.At(HostRegister.Frame, HostRegister.Value, 0, tlb + (access == Access.Read ? 0 : 8)));
        _e.JumpIf(Condition.NotEqual, slow);
        _e.Alu(AluOperation.Add, 8, HostRegister.Address, Operand.At(HostRegister.Frame, HostRegister.Value, 0, tlb + 16));
        HostFlagsLost();
    }

    /// <summary>Guest memory, once the address register holds where it is.</summary>
    private static Operand Target => Operand.At(HostRegister.Address);

    /// <summary>
    /// An access of an instruction that leaves the flags: <paramref name="core"/> does it on <see cref="Target"/>, and on the slow path the handler does all.
    /// </summary>
    private void Simple(Access access, int sizeBytes, Action core, Action? address = null, int alignment = 1)
    {
        var slow = new Label();
        var done = new Label();
        if (address is null) EffectiveAddress();
        else address();
        HostFlagsLost();
        Later(() =>
        {
            _e.Bind(slow);
            ExecuteByHandler();
            _e.Jump(done);
        });
        if (alignment > 1)
        {
            _e.TestImmediate(1, Operand.Of(HostRegister.Address), alignment - 1);
            _e.JumpIf(Condition.NotEqual, slow);
        }
        Look(access, sizeBytes, slow);
        core();
        HostFlagsLost();
        _e.Bind(done);
    }

    /// <summary>
    /// An access of an instruction that uses or writes flags, or that leads elsewhere: <paramref name="core"/> does all of it on <see cref="Target"/>. On the slow path it does so on a
    /// buffer, which is read before and written behind it; where somebody watches, or there is a chip, the handler does all and the code is left.
    /// </summary>
    /// <param name="access">What it does to memory.</param>
    /// <param name="sizeBytes">1 to 8.</param>
    /// <param name="core">The instruction, on the target.</param>
    /// <param name="address">Puts the linear address into the address register; null: the memory operand's.</param>
    /// <param name="leaveBehind">Leaves the code behind the instruction; null: the next one follows.</param>
    private void Buffered(Access access, int sizeBytes, Action core, Action? address = null, Action? leaveBehind = null)
    {
        var slow = new Label();
        var fast = new Label();
        var done = new Label();
        if (address is null) EffectiveAddress();
        else address();
        HostFlagsLost();
        Later(() => BufferedSlowPath(access, sizeBytes, core, leaveBehind, slow, fast, done));
        Look(access, sizeBytes, slow);
        _e.Bind(fast);
        core();
        _e.Bind(done);
    }

    private void BufferedSlowPath(Access access, int sizeBytes, Action core, Action? leaveBehind, Label slow, Label fast, Label done)
    {
        int site = AddSite(access, sizeBytes);
        _e.Bind(slow);
        Settle();
        _e.StoreImmediate(4, EngineRoom.SiteField, site);
        _e.CallTo(common.SlowRead);
        _e.Lea(8, HostRegister.Address, EngineRoom.BufferField);
        if (access == Access.Read)
        {
            _e.Jump(fast);
            return;
        }
        _onSlowPath = true;
        core();
        _onSlowPath = false;
        _e.StoreImmediate(4, EngineRoom.SiteField, site);
        _e.CallTo(common.SlowWrite);
        _e.Jump(done);
        Settle();
        if (leaveBehind is not null) leaveBehind();
        else Exit(ExitCode.Behind, site);
    }
}
