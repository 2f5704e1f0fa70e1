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
    /// Turns the linear address in the address register into a host address, or jumps to <paramref name="slow"/> with the linear one. The host's flags, value and other are lost.
    /// </summary>
    /// <param name="access">What it does to memory.</param>
    /// <param name="sizeBytes">1 to <see cref="TlbWindow.WidestAccess"/>.</param>
    /// <param name="window">The <see cref="TlbWindow"/> that is looked at first; negative: none.</param>
    /// <param name="slow">Where what the TLB does not know goes.</param>
    private void Look(Access access, int sizeBytes, int window, Label slow)
    {
        if (window < 0)
        {
            LookInTlb(access, sizeBytes, slow);
            _e.Alu(AluOperation.Add, 8, HostRegister.Address, TlbField(TlbOffset.Addend));
        }
        else
        {
            var outside = _e.NewLabel();
            var found = _e.NewLabel();
            _e.Alu(AluOperation.Sub, 8, HostRegister.Address, WindowField(window, TlbOffset.WindowStart));
            _e.Alu(AluOperation.Cmp, 8, HostRegister.Address, WindowField(window, TlbOffset.WindowSize));
            _e.JumpIf(Condition.AboveOrEqual, outside);
            if (sizeBytes > TlbWindow.WidestOfStack && !IsForLoads(window))
            {
                _e.AluImmediate(AluOperation.Cmp, 8, Operand.Of(HostRegister.Address), 4096 - sizeBytes);
                _e.JumpIf(Condition.Above, outside);
            }
            _e.Alu(AluOperation.Add, 8, HostRegister.Address, WindowField(window, TlbOffset.WindowHost));
            _e.Bind(found);
            Later(() =>
            {
                _e.Bind(outside);
                _e.Alu(AluOperation.Add, 8, HostRegister.Address, WindowField(window, TlbOffset.WindowStart));
                if (IsForLoads(window)) OpenWindowIfImpatient(window);
                LookInTlb(access, sizeBytes, slow);
                if (!IsForLoads(window)) MoveStackWindow(access, window);
                _e.Alu(AluOperation.Add, 8, HostRegister.Address, TlbField(TlbOffset.Addend));
                _e.Jump(found);
            });
        }
        HostFlagsLost();
    }

    private static bool IsForLoads(int window) => window >= TlbWindow.OfLowHalf;

    /// <summary>The window that serves the memory operand; -1: none.</summary>
    private int WindowOf(in Instruction i, Access access)
    {
        // What is on the stack stays on its page; through other registers pages are many, and a window that is missed costs more than none.
        bool hasSegment = i.MemorySegment is Register.FS or Register.GS;
        if (!hasSegment && i.MemoryIndex == Register.None)
        {
            int window = i.MemoryBase == Register.None ? -1 : StackWindowOf(GuestOf(i.MemoryBase));
            if (window >= 0) return window;
        }
        return access == Access.Read ? WindowForLoads(AddressNow(i)) : -1;
    }

    private static int StackWindowOf(int @base) => @base == Rsp ? TlbWindow.OfStackPointer : @base == Rbp ? TlbWindow.OfBasePointer : -1;

    /// <summary>Where the registers point now is where they will point in most cases, or near it.</summary>
    private int WindowForLoads(ulong expected) => _vcpu.Mmu.MayHaveWindow(expected) ? TlbWindow.ForLoad(expected) : -1;

    /// <summary>Where the memory operand would be if the registers were still as they are when the block is entered.</summary>
    private ulong AddressNow(in Instruction i)
    {
        if (i.IsIPRelativeMemoryOperand) return i.IPRelativeMemoryAddress;
        ulong address = i.MemoryDisplacement64 + ValueNow(i.MemoryBase) + ValueNow(i.MemoryIndex) * (ulong)i.MemoryIndexScale;
        if (AddressSizeOf(i) == 4) address = (uint)address;
        return i.MemorySegment is Register.FS or Register.GS
            ? address + _vcpu.State.Segment(i.MemorySegment == Register.FS ? SegmentIndex.Fs : SegmentIndex.Gs).Base : address;

        ulong ValueNow(Register register) => register == Register.None ? 0 : _vcpu.State.General[GuestOf(register)];
    }

    /// <summary>Behind a miss of a window for loads.</summary>
    private void OpenWindowIfImpatient(int window)
    {
        var open = _e.NewLabel();
        var goOn = _e.NewLabel();
        _e.AluImmediate(AluOperation.Sub, 8, WindowField(window, TlbOffset.WindowPatience), 1);
        _e.JumpIf(Condition.Sign, open);
        _e.Bind(goOn);
        Later(() =>
        {
            _e.Bind(open);
            _e.LoadConstant(HostRegister.Value, (uint)window);
            _e.CallTo(common.OpenWindow);
            _e.Jump(goOn);
        });
    }

    /// <summary>A field of the entry whose offset in its TLB is in the value register.</summary>
    private Operand TlbField(int field) => Operand.At(HostRegister.Frame, HostRegister.Value, 0, VcpuFrame.TlbOffsetOf(_mode.TlbIndex) + field);

    private Operand WindowField(int window, int field) => Operand.Field(VcpuFrame.WindowOffsetOf(_mode.TlbIndex, window) + field);

    private void LookInTlb(Access access, int sizeBytes, Label slow) => LookInTlb(access, Operand.At(HostRegister.Address, sizeBytes - 1), slow);

    /// <summary>Value: the offset of the entry, other: the page. <paramref name="last"/> is where the last byte is.</summary>
    private void LookInTlb(Access access, Operand last, Label slow)
    {
        ShiftRightInto(HostRegister.Value, HostRegister.Address, 7);
        _e.AluImmediate(AluOperation.And, 4, Operand.Of(HostRegister.Value), (Mmu.TlbSize - 1) * 32);
        // The page of the last byte: an access across pages finds no entry.
        if (last == Operand.At(HostRegister.Address)) _e.Load(8, HostRegister.Other, Operand.Of(HostRegister.Address));
        else _e.Lea(8, HostRegister.Other, last);
        _e.AluImmediate(AluOperation.And, 8, Operand.Of(HostRegister.Other), -4096);
        _e.Alu(AluOperation.Cmp, 8, HostRegister.Other, TlbField(access == Access.Read ? TlbOffset.ReadTag : TlbOffset.WriteTag));
        _e.JumpIf(Condition.NotEqual, slow);
    }

    private void ShiftRightInto(int register, int from, int count)
    {
        _e.Load(8, register, Operand.Of(from));
        _e.Shift(5, 8, Operand.Of(register), count);
    }

    /// <summary>Behind a look-up: the page is the window's from now on, if it can be written as well.</summary>
    private void MoveStackWindow(Access access, int window)
    {
        var not = _e.NewLabel();
        if (access == Access.Read)
        {
            _e.Alu(AluOperation.Cmp, 8, HostRegister.Other, TlbField(TlbOffset.WriteTag));
            _e.JumpIf(Condition.NotEqual, not);
        }
        _e.Store(8, WindowField(window, TlbOffset.WindowStart), HostRegister.Other);
        _e.Alu(AluOperation.Add, 8, HostRegister.Other, TlbField(TlbOffset.Addend));
        _e.Store(8, WindowField(window, TlbOffset.WindowHost), HostRegister.Other);
        _e.StoreImmediate(8, WindowField(window, TlbOffset.WindowSize), TlbWindow.PageSize);
        _e.Bind(not);
    }

    /// <summary>Guest memory, once the address register holds where it is.</summary>
    private Operand Target => Operand.At(HostRegister.Address, _targetOffset);

    /// <summary>
    /// An access of an instruction that leaves the flags: <paramref name="core"/> does it on <see cref="Target"/>, and on the slow path the handler does all.
    /// </summary>
    private void Simple(Access access, int sizeBytes, Action core, Action? address = null, int alignment = 1, int window = TlbWindow.OfStackPointer)
    {
        if (_inGroup)
        {
            core();
            return;
        }
        var slow = _e.NewLabel();
        var done = _e.NewLabel();
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
        Look(access, sizeBytes, address is null ? WindowOf(Current, access) : window, slow);
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
        if (_inGroup)
        {
            core();
            return;
        }
        var slow = _e.NewLabel();
        var fast = _e.NewLabel();
        var done = _e.NewLabel();
        if (address is null) EffectiveAddress();
        else address();
        HostFlagsLost();
        Later(() => BufferedSlowPath(access, sizeBytes, core, leaveBehind, slow, fast, done));
        Look(access, sizeBytes, address is null ? WindowOf(Current, access) : TlbWindow.OfStackPointer, slow);
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
