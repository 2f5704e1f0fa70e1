using System;
using Iced.Intel;
using Vmm.Cpu;
using Vmm.Tests.TestKit;

namespace Vmm.Tests.Instructions;

/// <summary>
/// Makes one encoding of an instruction with random operands, and fills a state with values that make it interesting: operands at
/// boundaries, addresses inside the scratch page (sometimes across its end), a stack, counts.
/// </summary>
internal sealed class CaseBuilder
{
    private const int Rax = 0, Rcx = 1, Rdx = 2, Rbx = 3, Rsp = 4, Rbp = 5, Rsi = 6, Rdi = 7;

    private readonly int _bitness;
    private readonly SeededRandom _random;
    private readonly CaseState _state;
    /// <summary>Bit n: register n has been given its value and keeps it.</summary>
    private uint _assigned;
    /// <summary>Bit n: register n is an implicit operand; addresses do not use it.</summary>
    private uint _implicit;
    private Instruction _instruction;

    public CaseBuilder(int bitness, SeededRandom random, CaseState state)
    {
        _bitness = bitness;
        _random = random;
        _state = state;
    }

    private int AddressSize => _bitness / 8;
    private int RegisterCount => _bitness == 64 ? 16 : 8;

    /// <summary>
    /// The instruction is part of a sequence: memory is reached through pointers that nothing changes, so that what comes after means
    /// something too, and branches go forward.
    /// </summary>
    public bool IsSequence { get; init; }

    /// <summary>Registers that hold addresses in the scratch page all through a sequence.</summary>
    private ReadOnlySpan<int> Pointers => _bitness == 64 ? [12, 13, 14] : [Rbx, Rbp];

    public void SetPointers()
    {
        foreach (int register in Pointers) Assign(register, CaseState.Scratch + (ulong)(16 * _random.Between(0x20, 0xE0)));
        Assign(Rsp, StackAddress());
    }

    /// <summary>
    /// Builds one instruction of <paramref name="code"/> at <paramref name="rip"/>; <paramref name="variant"/> counts the cases of that code and walks
    /// the shift counts. False: this combination of operands has no encoding; try again.
    /// </summary>
    public bool TryBuild(Code code, int variant, ulong rip, out byte[] bytes)
    {
        bytes = [];
        _implicit = 0;
        OpCodeInfo op = code.ToOpCode();
        _instruction = new Instruction { Code = code };
        SetImplicitOperands(code, op, variant);
        for (int operand = 0; operand < op.OpCount; operand++)
            if (!SetOperand(op, operand, variant, rip)) return false;
        if (op.CanUseLockPrefix && IsMemory(_instruction.Op0Kind) && _random.OneIn(3)) _instruction.HasLockPrefix = true;
        SetRepPrefix(op);
        ByteWriter writer = new();
        if (!Encoder.Create(_bitness, writer).TryEncode(_instruction, rip, out _, out _)) return false;
        bytes = writer.ToArray();
        Decoder decoder = Decoder.Create(_bitness, new ByteArrayCodeReader(bytes), rip, DecoderOptions.None);
        decoder.Decode(out Instruction decoded);
        return decoded.Code == code && decoded.Length == bytes.Length && !UndefinedResults.IsMeaningless(decoded, _state);
    }

    public void SetRandomFlags()
    {
        ulong flags = _random.Below(4) switch
        {
            0 => 0,
            1 => RFlags.Arithmetic,
            _ => _random.Next() & RFlags.Arithmetic,
        };
        _state.RFlags = (_state.RFlags & ~RFlags.Arithmetic) | flags;
    }

    /// <summary>For vector instructions: sometimes another rounding, denormals as zero, or an exception that is not masked.</summary>
    public void SetRandomMxcsr()
    {
        uint mxcsr = 0x1F80;
        if (_random.OneIn(3)) mxcsr |= (uint)_random.Below(4) << 13;
        if (_random.OneIn(6)) mxcsr |= 0x8000; // flush to zero
        if (_random.OneIn(6)) mxcsr |= 0x40; // denormals are zeros
        if (_random.OneIn(8)) mxcsr &= ~(1u << (7 + _random.Below(6)));
        if (_random.OneIn(4)) mxcsr |= (uint)_random.Below(64);
        _state.Mxcsr = mxcsr;
    }

    // ---- Operands.

    private bool SetOperand(OpCodeInfo op, int operand, int variant, ulong rip)
    {
        OpCodeOperandKind kind = op.GetOpKind(operand);
        switch (kind)
        {
            case OpCodeOperandKind.r8_reg or OpCodeOperandKind.r8_opcode: return SetByteRegister(operand);
            case OpCodeOperandKind.r16_reg or OpCodeOperandKind.r16_opcode or OpCodeOperandKind.r16_rm or OpCodeOperandKind.r16_reg_mem:
                return SetRegister(operand, Register.AX, 2);
            case OpCodeOperandKind.r32_reg or OpCodeOperandKind.r32_opcode or OpCodeOperandKind.r32_rm or OpCodeOperandKind.r32_reg_mem:
                return SetRegister(operand, Register.EAX, 4);
            case OpCodeOperandKind.r64_reg or OpCodeOperandKind.r64_opcode or OpCodeOperandKind.r64_rm or OpCodeOperandKind.r64_reg_mem:
                return SetRegister(operand, Register.RAX, 8);
            case OpCodeOperandKind.r8_or_mem: return _random.OneIn(2) ? SetMemory(operand) : SetByteRegister(operand);
            case OpCodeOperandKind.r16_or_mem: return _random.OneIn(3) ? SetMemory(operand) : SetRegister(operand, Register.AX, 2);
            case OpCodeOperandKind.r32_or_mem: return _random.OneIn(3) ? SetMemory(operand) : SetRegister(operand, Register.EAX, 4);
            case OpCodeOperandKind.r64_or_mem: return _random.OneIn(3) ? SetMemory(operand) : SetRegister(operand, Register.RAX, 8);
            case OpCodeOperandKind.mem: return SetMemory(operand);
            case OpCodeOperandKind.mem_offs: return SetAbsolute(operand);
            case OpCodeOperandKind.al: return SetFixed(operand, Register.AL);
            case OpCodeOperandKind.ax: return SetFixed(operand, Register.AX);
            case OpCodeOperandKind.eax: return SetFixed(operand, Register.EAX);
            case OpCodeOperandKind.rax: return SetFixed(operand, Register.RAX);
            case OpCodeOperandKind.cl: return SetFixed(operand, Register.CL);
            case OpCodeOperandKind.dx: return SetFixed(operand, Register.DX);
            case OpCodeOperandKind.imm8_const_1: return SetImmediate(operand, OpKind.Immediate8, 1);
            case OpCodeOperandKind.imm8: return SetImmediate(operand, ImmediateByteKind(operand), ImmediateByte(op, variant));
            case OpCodeOperandKind.imm8sex16: return SetImmediate(operand, OpKind.Immediate8to16, SignedByte());
            case OpCodeOperandKind.imm8sex32: return SetImmediate(operand, OpKind.Immediate8to32, SignedByte());
            case OpCodeOperandKind.imm8sex64: return SetImmediate(operand, OpKind.Immediate8to64, SignedByte());
            case OpCodeOperandKind.imm16: return SetImmediate(operand, OpKind.Immediate16, Immediate16());
            case OpCodeOperandKind.imm32: return SetImmediate(operand, OpKind.Immediate32, OperandValues.Any(_random, 4));
            case OpCodeOperandKind.imm32sex64: return SetImmediate(operand, OpKind.Immediate32to64, (ulong)(int)OperandValues.Any(_random, 4));
            case OpCodeOperandKind.imm64: return SetImmediate(operand, OpKind.Immediate64, OperandValues.Any(_random, 8));
            case OpCodeOperandKind.br16_1 or OpCodeOperandKind.br32_1 or OpCodeOperandKind.br64_1:
                return SetBranch(operand, rip, _random.Between(-100, 100), op.OperandSize);
            case OpCodeOperandKind.br16_2 or OpCodeOperandKind.br32_4 or OpCodeOperandKind.br64_4:
                return SetBranch(operand, rip, _random.Between(-0x700, 0x700), op.OperandSize);
            case OpCodeOperandKind.seg_rSI: return SetKind(operand, AddressKind(OpKind.MemorySegSI));
            case OpCodeOperandKind.es_rDI: return SetKind(operand, AddressKind(OpKind.MemoryESDI));
            case OpCodeOperandKind.seg_rBX_al: return SetTableByte(operand);
            case OpCodeOperandKind.seg_rDI: return SetMaskDestination(operand);
            case OpCodeOperandKind.xmm_reg or OpCodeOperandKind.xmm_rm: return SetVector(operand, Register.XMM0);
            case OpCodeOperandKind.mm_reg or OpCodeOperandKind.mm_rm: return SetVector(operand, Register.MM0);
            case OpCodeOperandKind.xmm_or_mem: return _random.OneIn(3) ? SetMemory(operand) : SetVector(operand, Register.XMM0);
            case OpCodeOperandKind.mm_or_mem: return _random.OneIn(3) ? SetMemory(operand) : SetVector(operand, Register.MM0);
            default: return false;
        }
    }

    private bool SetFixed(int operand, Register register)
    {
        _instruction.SetOpRegister(operand, register);
        _instruction.SetOpKind(operand, OpKind.Register);
        AssignPart(register, OperandValues.Any(_random, register.GetSize()));
        return true;
    }

    private bool SetByteRegister(int operand)
    {
        int number = PickOperandRegister();
        bool low = number < 4 || _bitness == 64;
        if (IsSequence && number < 4 && (_bitness == 32 && number == Rbx)) return false;
        Register register = !low || (number < 4 && _random.OneIn(4)) ? Register.AH + (number & 3) : ByteRegister(number);
        return SetFixed(operand, register) && !(IsSequence && IsPointer(register.GetFullRegister() - Register.RAX));
    }

    private int PickOperandRegister()
    {
        for (; ; )
        {
            int number = _random.Below(RegisterCount);
            if (number == Rsp && (IsSequence || !_random.OneIn(8))) continue;
            if (!IsSequence || !IsPointer(number)) return number;
        }
    }

    private bool IsPointer(int register)
    {
        foreach (int pointer in Pointers)
            if (pointer == register) return true;
        return false;
    }

    private static Register ByteRegister(int number) => number < 4 ? Register.AL + number : Register.SPL + (number - 4);

    private bool SetRegister(int operand, Register first, int sizeBytes)
    {
        int number = PickOperandRegister();
        Register register = first + number;
        _instruction.SetOpRegister(operand, register);
        _instruction.SetOpKind(operand, OpKind.Register);
        AssignPart(register, RegisterValue(operand, sizeBytes));
        return true;
    }

    private ulong RegisterValue(int operand, int sizeBytes)
    {
        Mnemonic mnemonic = _instruction.Mnemonic;
        if (mnemonic is Mnemonic.Call or Mnemonic.Jmp) return sizeBytes == 2 ? (ulong)_random.Below(0x10000) : CodeTarget();
        if (mnemonic is Mnemonic.Bound) return (ulong)_random.Between(-3, 12);
        // BT of memory reaches beyond its operand: keep it in or near the page.
        bool testsMemoryBit = mnemonic is Mnemonic.Bt or Mnemonic.Bts or Mnemonic.Btr or Mnemonic.Btc && operand == 1 && _instruction.Op0Kind == OpKind.Memory;
        return testsMemoryBit ? (ulong)_random.Between(-3000, 3000) : OperandValues.Any(_random, sizeBytes);
    }

    /// <summary>Gives part of a register a value, what is around it being sometimes zero and sometimes not, unless it has one.</summary>
    private void AssignPart(Register register, ulong value)
    {
        int number = register.GetFullRegister() - Register.RAX;
        if ((_assigned >> number & 1) != 0) return;
        int size = register.GetSize();
        int shift = register is >= Register.AH and <= Register.BH ? 8 : 0;
        ulong mask = OperandValues.Mask(size) << shift;
        ulong around = _random.OneIn(3) ? 0 : _state.General[number];
        Assign(number, (around & ~mask) | ((value << shift) & mask));
    }

    private void Assign(int number, ulong value)
    {
        _state.General[number] = _bitness == 64 ? value : (uint)value;
        _assigned |= 1u << number;
    }

    private bool SetVector(int operand, Register first)
    {
        int number = _random.Below(first == Register.XMM0 ? RegisterCount : 8);
        _instruction.SetOpRegister(operand, first + number);
        _instruction.SetOpKind(operand, OpKind.Register);
        if (first == Register.XMM0) _state.Xmm[number] = VectorValues.Any(_random);
        else _state.Mm[number] = (ulong)VectorValues.Any(_random);
        return true;
    }

    private bool SetMaskDestination(int operand)
    {
        SetImplicit(Rdi, CaseState.Scratch + (ulong)_random.Between(0x100, 0xE00));
        return SetKind(operand, _bitness == 64 ? OpKind.MemorySegRDI : OpKind.MemorySegEDI);
    }

    private bool SetKind(int operand, OpKind kind)
    {
        _instruction.SetOpKind(operand, kind);
        return true;
    }

    private bool SetImmediate(int operand, OpKind kind, ulong value)
    {
        _instruction.SetOpKind(operand, kind);
        if (kind == OpKind.Immediate8_2nd) _instruction.Immediate8_2nd = (byte)value;
        else _instruction.SetImmediate(operand, value);
        return true;
    }

    private OpKind ImmediateByteKind(int operand) => _instruction.Mnemonic == Mnemonic.Enter && operand == 1 ? OpKind.Immediate8_2nd : OpKind.Immediate8;

    private ulong ImmediateByte(OpCodeInfo op, int variant)
    {
        if (IsShiftCode(op.Mnemonic)) return OperandValues.ShiftCount(variant);
        if (op.Mnemonic == Mnemonic.Enter) return (ulong)_random.Pick<int>([0, 0, 1, 2, 3, 31, 32, 33]);
        if (op.Mnemonic is Mnemonic.Aam or Mnemonic.Aad) return (ulong)_random.Pick<int>([10, 10, 0, 1, 16, 7, 255]);
        return OperandValues.Any(_random, 1);
    }

    private ulong SignedByte() => (ulong)(sbyte)OperandValues.Any(_random, 1);

    private ulong Immediate16() => _instruction.Mnemonic switch
    {
        Mnemonic.Enter => (ulong)(8 * _random.Below(16)),
        Mnemonic.Ret => (ulong)_random.Pick<int>([0, 4, 8, 16, 0x100]),
        _ => OperandValues.Any(_random, 2),
    };

    private bool SetBranch(int operand, ulong rip, int distance, int operandSize)
    {
        if (IsSequence) distance = Math.Abs(distance);
        ulong target = rip + (ulong)distance;
        OpKind kind = operandSize == 16 ? OpKind.NearBranch16 : _bitness == 64 ? OpKind.NearBranch64 : OpKind.NearBranch32;
        if (kind == OpKind.NearBranch16) target &= 0xFFFF;
        _instruction.SetOpKind(operand, kind);
        _instruction.NearBranch64 = target;
        // A case's branch must end at an INT3, not within its own bytes.
        return distance is < -1 or > 15;
    }

    // ---- Memory operands.

    private bool SetMemory(int operand)
    {
        _instruction.SetOpKind(operand, OpKind.Memory);
        int size = _instruction.MemorySize.GetSize();
        if (_instruction.Mnemonic == Mnemonic.Lea) return SetAddress(_random.Next(), _random.OneIn(4) ? (_bitness == 64 ? 4 : 2) : AddressSize);
        int offset = PickOffset(Math.Max(size, 1));
        FillMemory(offset, size);
        int addressSize = _bitness == 64 && !IsSequence && _random.OneIn(8) ? 4 : AddressSize;
        return SetAddress(CaseState.Scratch + (ulong)(long)offset, addressSize);
    }

    private int PickOffset(int size)
    {
        // Locked and 16-byte operands want alignment; what they do without it is for one case in sixteen.
        int offset = 16 * _random.Between(2, 250);
        bool aligned = _instruction.Code.ToOpCode().CanUseLockPrefix || size == 16;
        if (aligned && !_random.OneIn(16)) return offset;
        if (!IsSequence && _random.OneIn(24)) return _random.Pick<int>([-1, -size, CaseState.PageSizeBytes - size + 1, CaseState.PageSizeBytes]);
        return offset + _random.Below(16);
    }

    private void FillMemory(int offset, int size)
    {
        if (size == 0 || offset < 0 || offset + size > CaseState.PageSizeBytes) return;
        if (size == 16 && _instruction.Mnemonic != Mnemonic.Cmpxchg16b)
        {
            UInt128 vector = VectorValues.Any(_random);
            Store(offset, 8, (ulong)vector);
            Store(offset + 8, 8, (ulong)(vector >> 64));
            return;
        }
        ulong value = _instruction.Mnemonic switch
        {
            Mnemonic.Ldmxcsr => (ulong)(_random.OneIn(4) ? 0x1FF80 : 0xFFFF & _random.Between(0, 0xFFFF)),
            _ when VectorValues.IsVector(_instruction.Code) => (ulong)VectorValues.Any(_random),
            Mnemonic.Call or Mnemonic.Jmp => size == 2 ? (ulong)_random.Below(0x10000) : CodeTarget(),
            _ => OperandValues.Any(_random, Math.Min(size, 8)),
        };
        Store(offset, Math.Min(size, 8), value);
        if (_instruction.Mnemonic == Mnemonic.Cmpxchg && _random.OneIn(2)) Assign(Rax, value);
        if (_instruction.Mnemonic is Mnemonic.Cmpxchg8b or Mnemonic.Cmpxchg16b && _random.OneIn(2)) MakeWideCompareEqual(offset, size);
        if (_instruction.Mnemonic == Mnemonic.Bound)
        {
            Store(offset, size / 2, (ulong)_random.Between(-2, 2));
            Store(offset + (size / 2), size / 2, (ulong)_random.Between(4, 10));
        }
    }

    private void MakeWideCompareEqual(int offset, int size)
    {
        for (int i = 0; i < size; i++)
        {
            ulong from = _state.General[i < size / 2 ? Rax : Rdx];
            _state.ScratchPage[offset + i] = (byte)(from >> (8 * (i % (size / 2))));
        }
    }

    private void Store(int offset, int size, ulong value)
    {
        for (int i = 0; i < size && offset + i < CaseState.PageSizeBytes; i++)
            if (offset + i >= 0) _state.ScratchPage[offset + i] = (byte)(value >> (8 * i));
    }

    /// <summary>Picks an addressing form and gives its registers values with which it reaches <paramref name="address"/>.</summary>
    private bool SetAddress(ulong address, int addressSize)
    {
        if (IsSequence && addressSize == AddressSize)
        {
            int pointer = _random.Pick(Pointers);
            _instruction.MemoryBase = (_bitness == 64 ? Register.RAX : Register.EAX) + pointer;
            if (_instruction.Mnemonic == Mnemonic.Lea) address = CaseState.Scratch;
            return SetDisplacement((int)(address - _state.General[pointer]), addressSize, forced: false);
        }
        if (addressSize == 2) return SetAddress16();
        bool isLea = _instruction.Mnemonic == Mnemonic.Lea;
        if (!isLea && _bitness == 64 && addressSize == 8 && _random.OneIn(10))
        {
            _instruction.SegmentPrefix = Register.GS;
            address -= CaseState.Scratch;
        }
        else if (!isLea && _random.OneIn(16)) _instruction.SegmentPrefix = _bitness == 64 ? Register.DS : _random.OneIn(2) ? Register.ES : Register.SS;
        Register first = addressSize == 8 ? Register.RAX : Register.EAX;
        if (_random.OneIn(8)) return SetAbsoluteForm(address, addressSize, isLea);

        int index = _random.OneIn(2) ? PickAddressRegister(excluded: 1u << Rsp) : -1;
        int baseRegister = _random.OneIn(8) && index >= 0 ? -1 : PickAddressRegister(excluded: index >= 0 ? 1u << index : 0);
        ulong sum = 0;
        if (index >= 0)
        {
            int scale = 1 << _random.Below(4);
            ulong value = _random.OneIn(3) ? _random.Next() : (ulong)_random.Between(-64, 64);
            if (baseRegister < 0) value = (ulong)_random.Between(-64, 64); // a 32-bit displacement must do the rest
            Assign(index, value);
            _instruction.MemoryIndex = first + index;
            _instruction.MemoryIndexScale = scale;
            sum = _state.General[index] * (ulong)scale;
        }
        if (baseRegister < 0)
        {
            if (isLea) address = (uint)_random.Below(int.MaxValue);
            return SetDisplacement((long)(address - sum), addressSize, forced: true);
        }
        int displacement = _random.Below(3) switch { 0 => 0, 1 => _random.Between(-128, 127), _ => (int)OperandValues.Any(_random, 4) };
        _instruction.MemoryBase = first + baseRegister;
        ulong baseValue = address - sum - (ulong)(long)displacement;
        if (addressSize == 4 && _bitness == 64) baseValue = (uint)baseValue | (_random.Next() << 32);
        Assign(baseRegister, baseValue);
        return SetDisplacement(displacement, addressSize, forced: false);
    }

    private bool SetAbsoluteForm(ulong address, int addressSize, bool isLea)
    {
        if (isLea) address = (uint)_random.Below(int.MaxValue);
        if (_bitness == 64 && addressSize == 8 && _random.OneIn(2))
        {
            if (isLea) address += CaseState.CodeStart;
            _instruction.MemoryBase = Register.RIP;
            _instruction.MemoryDisplSize = 8;
            _instruction.MemoryDisplacement64 = address;
            return true;
        }
        return SetDisplacement((long)address, addressSize, forced: true);
    }

    private bool SetDisplacement(long displacement, int addressSize, bool forced)
    {
        if (addressSize == 8 && displacement != (int)displacement) return false;
        _instruction.MemoryDisplacement64 = addressSize == 8 ? (ulong)displacement : (uint)displacement;
        _instruction.MemoryDisplSize = forced || displacement != (sbyte)displacement ? addressSize : displacement == 0 ? 0 : 1;
        return true;
    }

    /// <summary>16-bit addressing reaches only the first 64 KiB, where a user process has no memory: for LEA.</summary>
    private bool SetAddress16()
    {
        ReadOnlySpan<Register> bases = [Register.BX, Register.BX, Register.BP, Register.BP, Register.SI, Register.DI, Register.BP, Register.BX];
        ReadOnlySpan<Register> indexes =
            [Register.SI, Register.DI, Register.SI, Register.DI, Register.None, Register.None, Register.None, Register.None];
        int form = _random.Below(8);
        _instruction.MemoryBase = bases[form];
        _instruction.MemoryIndex = indexes[form];
        AssignPart(bases[form], _random.Next());
        if (indexes[form] != Register.None) AssignPart(indexes[form], _random.Next());
        short displacement = _random.OneIn(2) ? (short)_random.Next() : (sbyte)_random.Next();
        _instruction.MemoryDisplacement64 = (ushort)displacement;
        _instruction.MemoryDisplSize = displacement == (sbyte)displacement ? 1 : 2;
        return true;
    }

    private int PickAddressRegister(uint excluded)
    {
        for (; ; )
        {
            int register = _random.Below(RegisterCount);
            if (((excluded | _implicit) >> register & 1) == 0 && (_assigned >> register & 1) == 0) return register;
        }
    }

    private bool SetAbsolute(int operand)
    {
        int size = _instruction.MemorySize.GetSize();
        int offset = PickOffset(size);
        FillMemory(offset, size);
        _instruction.SetOpKind(operand, OpKind.Memory);
        _instruction.MemoryDisplSize = AddressSize;
        _instruction.MemoryDisplacement64 = CaseState.Scratch + (ulong)offset;
        return true;
    }

    private bool SetTableByte(int operand)
    {
        _instruction.SetOpKind(operand, OpKind.Memory);
        _instruction.MemoryBase = _bitness == 64 ? Register.RBX : Register.EBX;
        _instruction.MemoryIndex = Register.AL;
        Assign(Rbx, CaseState.Scratch + (ulong)_random.Below(0xF00));
        AssignPart(Register.AL, OperandValues.Any(_random, 1));
        return true;
    }

    private OpKind AddressKind(OpKind of16)
    {
        int step = _bitness == 64 ? 2 : 1; // SI, ESI, RSI and DI, EDI, RDI are neighbours in OpKind
        if (_bitness == 64 && _random.OneIn(4)) step = 1;
        // Both operands of MOVS and CMPS have one address size.
        if (_instruction.OpCount == 2 && _instruction.Op0Kind is OpKind.MemoryESDI or OpKind.MemoryESEDI or OpKind.MemoryESRDI)
            step = _instruction.Op0Kind - OpKind.MemoryESDI;
        else if (_instruction.OpCount == 2 && _instruction.Op0Kind is OpKind.MemorySegSI or OpKind.MemorySegESI or OpKind.MemorySegRSI)
            step = _instruction.Op0Kind - OpKind.MemorySegSI;
        if (_bitness == 64 && step == 1)
        {
            // With 32-bit addresses the upper halves of the registers do not count, and are cleared when they are written.
            _state.General[Rsi] |= _random.OneIn(2) ? 0xABCD_0000_0000_0000 : 0;
        }
        return of16 + step;
    }

    private void SetRepPrefix(OpCodeInfo op)
    {
        if (op.CanUseRepnePrefix && _random.OneIn(3)) _instruction.HasRepnePrefix = true;
        else if (op.CanUseRepPrefix && _random.OneIn(2)) _instruction.HasRepePrefix = true;
        // What REP does before port input and output is after the privilege check; before others it means nothing.
    }

    // ---- Implicit operands.

    private void SetImplicitOperands(Code code, OpCodeInfo op, int variant)
    {
        Mnemonic mnemonic = op.Mnemonic;
        if (IsShiftCode(mnemonic) && op.OpCount > 0 && op.GetOpKind(op.OpCount - 1) == OpCodeOperandKind.cl)
        {
            SetImplicit(Rcx, (_state.General[Rcx] & ~0xFFUL) | OperandValues.ShiftCount(variant));
        }
        switch (mnemonic)
        {
            case Mnemonic.Div or Mnemonic.Idiv: SetDividend(op); break;
            case Mnemonic.Cmpxchg8b or Mnemonic.Cmpxchg16b:
                int half = mnemonic == Mnemonic.Cmpxchg8b ? 4 : 8;
                foreach (int register in (ReadOnlySpan<int>)[Rax, Rdx, Rbx, Rcx]) SetImplicit(register, OperandValues.Any(_random, half));
                break;
            case Mnemonic.Mul or Mnemonic.Cmpxchg or Mnemonic.Imul:
            case Mnemonic.Cbw or Mnemonic.Cwde or Mnemonic.Cdqe or Mnemonic.Cwd or Mnemonic.Cdq or Mnemonic.Cqo:
            case Mnemonic.Aaa or Mnemonic.Aas or Mnemonic.Aam or Mnemonic.Aad or Mnemonic.Daa or Mnemonic.Das:
            case Mnemonic.Lahf or Mnemonic.Sahf or Mnemonic.Salc:
                SetImplicit(Rax, ImplicitAccumulator(mnemonic));
                break;
            case Mnemonic.Loop or Mnemonic.Loope or Mnemonic.Loopne or Mnemonic.Jcxz or Mnemonic.Jecxz or Mnemonic.Jrcxz:
                SetImplicit(Rcx, _random.Pick<ulong>([0, 1, 2, 0x1_0000, 0x1_0001, 0x1_0000_0000, 0x1_0000_0001, ulong.MaxValue]));
                break;
            case Mnemonic.Pblendvb or Mnemonic.Blendvps or Mnemonic.Blendvpd: _state.Xmm[0] = VectorValues.Any(_random); break;
            case Mnemonic.Pcmpestri or Mnemonic.Pcmpestri64 or Mnemonic.Pcmpestrm or Mnemonic.Pcmpestrm64:
                // Lengths, of which the absolute value counts, up to 8 or 16 elements.
                SetImplicit(Rax, (ulong)_random.Between(-18, 18));
                SetImplicit(Rdx, (ulong)_random.Between(-18, 18));
                break;
            case Mnemonic.Xlatb: _implicit |= (1 << Rax) | (1 << Rbx); break;
            case Mnemonic.Enter: SetImplicit(Rbp, CaseState.Scratch + 0x900 + (ulong)(8 * _random.Below(16))); break;
            case Mnemonic.Leave: SetImplicit(Rbp, StackAddress()); break;
        }
        if (op.Code.IsStackInstruction()) SetImplicit(Rsp, StackAddress());
        PlaceOnStack(mnemonic, code);
        if (IsString(op)) SetStringOperands(op);
    }

    private void SetImplicit(int register, ulong value)
    {
        Assign(register, value);
        _implicit |= 1u << register;
    }

    private ulong ImplicitAccumulator(Mnemonic mnemonic)
    {
        bool isDecimal = mnemonic is Mnemonic.Aaa or Mnemonic.Aas or Mnemonic.Daa or Mnemonic.Das;
        if (!isDecimal) return OperandValues.Any(_random, _random.Pick<int>([1, 2, 4, 8]));
        int digits = (_random.Below(16) << 4) | _random.Below(16);
        return (ulong)(digits | (_random.Below(256) << 8));
    }

    private void SetDividend(OpCodeInfo op)
    {
        // Half of the random dividends fit, the others are #DE.
        int size = op.GetOpKind(0) switch
        {
            OpCodeOperandKind.r8_or_mem => 1,
            OpCodeOperandKind.r16_or_mem => 2,
            OpCodeOperandKind.r32_or_mem => 4,
            _ => 8,
        };
        ulong low = OperandValues.Any(_random, size);
        ulong high = _random.Below(4) switch
        {
            0 => 0,
            1 => low >> ((8 * size) - 1) != 0 ? ulong.MaxValue : 0,
            2 => (ulong)_random.Below(4),
            _ => OperandValues.Any(_random, size),
        };
        if (size == 1) SetImplicit(Rax, low | ((high & 0xFF) << 8));
        else
        {
            SetImplicit(Rax, low);
            SetImplicit(Rdx, high & OperandValues.Mask(size));
        }
    }

    private ulong StackAddress()
    {
        bool mayFault = !IsSequence && _random.OneIn(16);
        return CaseState.Scratch + (ulong)(mayFault ? _random.Pick<int>([0, 4, 4096, 4092]) : 8 * _random.Between(0x60, 0x1A0));
    }

    private void PlaceOnStack(Mnemonic mnemonic, Code code)
    {
        long offset = (long)(_state.General[Rsp] - CaseState.Scratch);
        if (offset is < 0 or > 4088) return;
        if (mnemonic == Mnemonic.Ret) Store((int)offset, AddressSize, code is Code.Retnw or Code.Retnw_imm16 ? (ulong)_random.Below(0x10000) : CodeTarget());
        // POPF of TF, NT, AC, RF or VM would reach beyond the case into the oracle itself.
        if (mnemonic is Mnemonic.Popf or Mnemonic.Popfd or Mnemonic.Popfq) Store((int)offset, AddressSize, (_random.Next() & 0x3ED7) | 2);
    }

    private void SetStringOperands(OpCodeInfo op)
    {
        bool backwards = _random.OneIn(2);
        if (backwards) _state.RFlags |= RFlags.Direction;
        // REP INS and REP OUTS of nothing: some CPUs check the privilege first.
        bool hasPort = op.Mnemonic is Mnemonic.Insb or Mnemonic.Insw or Mnemonic.Insd or Mnemonic.Outsb or Mnemonic.Outsw or Mnemonic.Outsd;
        SetImplicit(Rcx, (ulong)_random.Pick<int>([hasPort ? 4 : 0, 1, 2, 3, 5, 8, 13, 20]));
        SetImplicit(Rax, OperandValues.Any(_random, 8));
        bool mayFault = !IsSequence && _random.OneIn(12);
        int source = mayFault ? _random.Pick<int>([0, 8, 4090]) : _random.Between(0x200, 0xE00);
        int destination = _random.OneIn(3) ? source + _random.Between(-8, 8) : _random.Between(0x200, 0xE00);
        SetImplicit(Rsi, CaseState.Scratch + (ulong)source);
        SetImplicit(Rdi, CaseState.Scratch + (ulong)destination);
        if (op.Mnemonic is Mnemonic.Cmpsb or Mnemonic.Cmpsw or Mnemonic.Cmpsd or Mnemonic.Cmpsq) MakeEqualRun(source, destination, backwards);
        if (op.Mnemonic is Mnemonic.Scasb or Mnemonic.Scasw or Mnemonic.Scasd or Mnemonic.Scasq) MakeScannedRun(destination, backwards);
    }

    private void MakeEqualRun(int source, int destination, bool backwards)
    {
        int count = _random.Below(40);
        for (int i = 0; i < count; i++)
        {
            int from = backwards ? source + 7 - i : source + i, to = backwards ? destination + 7 - i : destination + i;
            if (from is >= 0 and < CaseState.PageSizeBytes && to is >= 0 and < CaseState.PageSizeBytes)
                _state.ScratchPage[to] = _state.ScratchPage[from];
        }
    }

    private void MakeScannedRun(int destination, bool backwards)
    {
        int count = _random.Below(40);
        byte filler = (byte)_random.Next();
        for (int i = 0; i < count; i++)
        {
            int to = backwards ? destination + 7 - i : destination + i;
            if (to is >= 0 and < CaseState.PageSizeBytes) _state.ScratchPage[to] = filler;
        }
        Assign(Rax, _random.OneIn(2) ? 0x0101_0101_0101_0101UL * filler : OperandValues.Any(_random, 8));
    }

    private ulong CodeTarget() => CaseState.CodeStart + (ulong)(_random.OneIn(2) ? _random.Between(0x20, 0x700) : _random.Between(-0x700, -2));

    private static bool IsMemory(OpKind kind) => kind == OpKind.Memory;

    private static bool IsShiftCode(Mnemonic mnemonic) => mnemonic is Mnemonic.Shl or Mnemonic.Sal or Mnemonic.Shr or Mnemonic.Sar or Mnemonic.Rol
        or Mnemonic.Ror or Mnemonic.Rcl or Mnemonic.Rcr or Mnemonic.Shld or Mnemonic.Shrd;

    private static bool IsString(OpCodeInfo op) => op.Code.IsStringInstruction();

    private sealed class ByteWriter : CodeWriter
    {
        private readonly System.Collections.Generic.List<byte> _bytes = new(15);

        public override void WriteByte(byte value) => _bytes.Add(value);

        public byte[] ToArray() => [.. _bytes];
    }
}
