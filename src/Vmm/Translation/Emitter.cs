using System;
using System.Buffers.Binary;

namespace Vmm.Translation;

/// <summary>Condition codes as the low four bits of Jcc, SETcc and CMOVcc (SDM 2D B.1.4.7).</summary>
internal enum Condition
{
    Overflow = 0, NotOverflow = 1, Below = 2, AboveOrEqual = 3, Equal = 4, NotEqual = 5, BelowOrEqual = 6, Above = 7, Sign = 8, NotSign = 9, Parity = 10,
    NotParity = 11, Less = 12, GreaterOrEqual = 13, LessOrEqual = 14, Greater = 15,
}

/// <summary>The eight operations that share one encoding pattern; the numbers are those of the /digit.</summary>
internal enum AluOperation
{
    Add = 0, Or = 1, Adc = 2, Sbb = 3, And = 4, Sub = 5, Xor = 6, Cmp = 7,
}

/// <summary>A place in code, for jumps.</summary>
internal sealed class Label
{
    public int Position = -1;

    /// <summary>The first byte of a piece of code.</summary>
    public static Label AtStart => new() { Position = 0 };

    /// <summary>Where jumps to it wait for their displacement; most labels have one. Negative: none.</summary>
    public int FirstWaiting = -1;
    public System.Collections.Generic.List<int>? MoreWaiting;

    /// <summary>It is nowhere, and nobody waits for it.</summary>
    public void Clear()
    {
        Position = -1;
        FirstWaiting = -1;
        MoreWaiting?.Clear();
    }

    public void AddWaiting(int position)
    {
        if (FirstWaiting < 0) FirstWaiting = position;
        else (MoreWaiting ??= []).Add(position);
    }
}

/// <summary>
/// Writes host instructions as bytes: the few forms that the translator itself needs (what guest instructions do beyond them is encoded by Iced). An instruction costs a few
/// nanoseconds, which is what makes translating cheap.
/// </summary>
internal sealed class Emitter
{
    private byte[] _bytes = new byte[1 << 16];
    private readonly System.Collections.Generic.List<Label> _labels = [];
    private int _labelCount;

    public int Position { get; private set; }

    /// <summary>Host address that the first byte will have when it runs: jumps to code elsewhere depend on it.</summary>
    public nint Address { get; private set; }

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Position);

    public void Begin(nint address)
    {
        Address = address;
        Position = 0;
        _labelCount = 0;
    }

    /// <summary>Each label that is jumped to is somewhere.</summary>
    public bool IsWhole
    {
        get
        {
            for (int i = 0; i < _labelCount; i++)
                if (_labels[i] is { Position: < 0, FirstWaiting: >= 0 }) return false;
            return true;
        }
    }

    /// <summary>A label for the piece that is being written; the next piece takes it over.</summary>
    public Label NewLabel()
    {
        if (_labelCount == _labels.Count) _labels.Add(new Label());
        Label label = _labels[_labelCount++];
        label.Clear();
        return label;
    }

    /// <summary>Goes on at an address that is a multiple of so many bytes. What lies in between is not to be executed.</summary>
    public void Align(int sizeBytes)
    {
        while ((Address + Position) % sizeBytes != 0) Byte(0xCC); // INT3
    }

    public void Byte(int value)
    {
        if (Position == _bytes.Length) Array.Resize(ref _bytes, _bytes.Length * 2);
        _bytes[Position++] = (byte)value;
    }

    public void Int32(int value)
    {
        if (Position + 4 > _bytes.Length) Array.Resize(ref _bytes, _bytes.Length * 2);
        BinaryPrimitives.WriteInt32LittleEndian(_bytes.AsSpan(Position), value);
        Position += 4;
    }

    public void Int64(long value)
    {
        Int32((int)value);
        Int32((int)(value >> 32));
    }

    /// <summary>
    /// An instruction with a ModRM byte. <paramref name="sizeBytes"/> decides the 66 prefix and REX.W; <paramref name="opcode"/> has up to three bytes, 0F first.
    /// </summary>
    public void Instruction(int sizeBytes, int opcode, int register, in Operand operand, bool byteRegister = false, bool byteOperand = false, int prefix = 0)
    {
        Span<byte> to = Room();
        int n = 0;
        if (sizeBytes == 2) to[n++] = 0x66;
        if (prefix != 0) to[n++] = (byte)prefix;
        int rex = 0x40 | (sizeBytes == 8 ? 8 : 0) | (register >> 3 & 1) << 2 | (operand.Index > 0 ? operand.Index >> 3 & 1 : 0) << 1 | (operand.Register > 0 ? operand.Register >> 3 & 1 : 0);
        // SPL, BPL, SIL and DIL need a prefix to be told from AH..BH.
        bool low = (byteRegister && register is >= 4 and <= 7) || (byteOperand && operand.IsRegister && operand.Register is >= 4 and <= 7);
        if (rex != 0x40 || low) to[n++] = (byte)rex;
        if (opcode > 0xFFFF) to[n++] = (byte)(opcode >> 16);
        if (opcode > 0xFF) to[n++] = (byte)(opcode >> 8);
        to[n++] = (byte)opcode;
        Position += n + ModRm(to[n..], register & 7, operand);
    }

    /// <summary>At least so many bytes as an instruction without its immediate can have.</summary>
    private Span<byte> Room()
    {
        const int longest = 16;
        if (Position + longest > _bytes.Length) Array.Resize(ref _bytes, _bytes.Length * 2);
        return _bytes.AsSpan(Position, longest);
    }

    /// <summary>ModRM, SIB and displacement; returns how many bytes.</summary>
    private static int ModRm(Span<byte> to, int register, in Operand operand)
    {
        if (operand.IsRegister)
        {
            to[0] = (byte)(0xC0 | register << 3 | (operand.Register & 7));
            return 1;
        }
        int displacement = operand.Displacement, n = 0;
        if (operand.Register < 0)
        {
            // No base: SIB without base, so that it is not RIP-relative.
            to[n++] = (byte)(register << 3 | 4);
            to[n++] = (byte)((operand.Index < 0 ? 4 << 3 : operand.Scale << 6 | (operand.Index & 7) << 3) | 5);
            BinaryPrimitives.WriteInt32LittleEndian(to[n..], displacement);
            return n + 4;
        }
        int @base = operand.Register & 7;
        int mode = displacement == 0 && @base != 5 ? 0 : displacement is >= -128 and <= 127 ? 1 : 2;
        if (operand.Index >= 0)
        {
            to[n++] = (byte)(mode << 6 | register << 3 | 4);
            to[n++] = (byte)(operand.Scale << 6 | (operand.Index & 7) << 3 | @base);
        }
        else
        {
            to[n++] = (byte)(mode << 6 | register << 3 | @base);
            if (@base == 4) to[n++] = 0x24;
        }
        if (mode == 0) return n;
        if (mode == 1)
        {
            to[n] = (byte)displacement;
            return n + 1;
        }
        BinaryPrimitives.WriteInt32LittleEndian(to[n..], displacement);
        return n + 4;
    }

    // ---- Moves

    public void Load(int sizeBytes, int register, in Operand from)
    {
        if (sizeBytes == 1) Instruction(4, 0x8A, register, from, byteRegister: true, byteOperand: true);
        else Instruction(sizeBytes, 0x8B, register, from);
    }

    /// <summary>A load of 1, 2 or 4 bytes that clears the rest of the register.</summary>
    public void LoadZeroExtended(int sizeBytes, int register, in Operand from)
    {
        switch (sizeBytes)
        {
            case 1: Instruction(4, 0x0FB6, register, from, byteOperand: true); break;
            case 2: Instruction(4, 0x0FB7, register, from); break;
            default: Load(sizeBytes, register, from); break;
        }
    }

    public void Store(int sizeBytes, in Operand to, int register)
    {
        if (sizeBytes == 1) Instruction(4, 0x88, register, to, byteRegister: true, byteOperand: true);
        else Instruction(sizeBytes, 0x89, register, to);
    }

    /// <summary>Stores an immediate, for 8 bytes a sign-extended one of 32 bits.</summary>
    public void StoreImmediate(int sizeBytes, in Operand to, int value)
    {
        if (sizeBytes == 1) Instruction(4, 0xC6, 0, to, byteOperand: true);
        else Instruction(sizeBytes, 0xC7, 0, to);
        Immediate(sizeBytes, value);
    }

    /// <summary>The shortest way to load a constant that leaves the flags.</summary>
    public void LoadConstant(int register, ulong value)
    {
        if (value <= uint.MaxValue)
        {
            if (register >= 8) Byte(0x41);
            Byte(0xB8 | register & 7);
            Int32((int)value);
        }
        else if ((long)value is >= int.MinValue and < 0) StoreImmediate(8, Operand.Of(register), (int)value);
        else
        {
            Byte(0x48 | (register >> 3));
            Byte(0xB8 | register & 7);
            Int64((long)value);
        }
    }

    /// <summary>Address arithmetic without flags; with 4 bytes it wraps at 4 GiB.</summary>
    public void Lea(int sizeBytes, int register, in Operand address) => Instruction(sizeBytes, 0x8D, register, address);

    // ---- Arithmetic

    public void Alu(AluOperation operation, int sizeBytes, int register, in Operand source)
    {
        if (sizeBytes == 1) Instruction(4, (int)operation * 8 + 2, register, source, byteRegister: true, byteOperand: true);
        else Instruction(sizeBytes, (int)operation * 8 + 3, register, source);
    }

    public void AluTo(AluOperation operation, int sizeBytes, in Operand destination, int register)
    {
        if (sizeBytes == 1) Instruction(4, (int)operation * 8, register, destination, byteRegister: true, byteOperand: true);
        else Instruction(sizeBytes, (int)operation * 8 + 1, register, destination);
    }

    public void AluImmediate(AluOperation operation, int sizeBytes, in Operand destination, int value)
    {
        if (sizeBytes == 1)
        {
            Instruction(4, 0x80, (int)operation, destination, byteOperand: true);
            Byte(value);
        }
        else if (value is >= -128 and <= 127)
        {
            Instruction(sizeBytes, 0x83, (int)operation, destination);
            Byte(value);
        }
        else
        {
            Instruction(sizeBytes, 0x81, (int)operation, destination);
            Immediate(sizeBytes, value);
        }
    }

    public void Test(int sizeBytes, in Operand operand, int register)
    {
        if (sizeBytes == 1) Instruction(4, 0x84, register, operand, byteRegister: true, byteOperand: true);
        else Instruction(sizeBytes, 0x85, register, operand);
    }

    public void TestImmediate(int sizeBytes, in Operand operand, int value)
    {
        if (sizeBytes == 1) Instruction(4, 0xF6, 0, operand, byteOperand: true);
        else Instruction(sizeBytes, 0xF7, 0, operand);
        Immediate(sizeBytes, value);
    }

    /// <summary>Group 3 (F6/F7): 2 NOT, 3 NEG, 4 MUL, 5 IMUL, 6 DIV, 7 IDIV.</summary>
    public void Unary(int digit, int sizeBytes, in Operand operand)
    {
        if (sizeBytes == 1) Instruction(4, 0xF6, digit, operand, byteOperand: true);
        else Instruction(sizeBytes, 0xF7, digit, operand);
    }

    /// <summary>Group 4 and 5 (FE/FF): 0 INC, 1 DEC.</summary>
    public void Increment(int digit, int sizeBytes, in Operand operand)
    {
        if (sizeBytes == 1) Instruction(4, 0xFE, digit, operand, byteOperand: true);
        else Instruction(sizeBytes, 0xFF, digit, operand);
    }

    /// <summary>Group 2: 0 ROL, 1 ROR, 2 RCL, 3 RCR, 4 SHL, 5 SHR, 7 SAR, by a constant.</summary>
    public void Shift(int digit, int sizeBytes, in Operand operand, int count)
    {
        if (sizeBytes == 1) Instruction(4, count == 1 ? 0xD0 : 0xC0, digit, operand, byteOperand: true);
        else Instruction(sizeBytes, count == 1 ? 0xD1 : 0xC1, digit, operand);
        if (count != 1) Byte(count);
    }

    /// <summary>The same by CL.</summary>
    public void ShiftByCl(int digit, int sizeBytes, in Operand operand)
    {
        if (sizeBytes == 1) Instruction(4, 0xD2, digit, operand, byteOperand: true);
        else Instruction(sizeBytes, 0xD3, digit, operand);
    }

    /// <summary>REP MOVS or REP STOS with elements of so many bytes.</summary>
    public void RepeatedString(bool moves, int sizeBytes)
    {
        if (sizeBytes == 2) Byte(0x66);
        Byte(0xF3);
        if (sizeBytes == 8) Byte(0x48);
        Byte((moves ? 0xA4 : 0xAA) | (sizeBytes == 1 ? 0 : 1));
    }

    public void SetIf(Condition condition, in Operand to) => Instruction(4, 0x0F90 | (int)condition, 0, to, byteOperand: true);

    public void MoveIf(Condition condition, int sizeBytes, int register, in Operand from) => Instruction(sizeBytes, 0x0F40 | (int)condition, register, from);

    // ---- Control

    public void Bind(Label label)
    {
        label.Position = Position;
        if (label.FirstWaiting >= 0) PatchDisplacement(label.FirstWaiting, Position);
        if (label.MoreWaiting is not { } more) return;
        foreach (int at in more) PatchDisplacement(at, Position);
    }

    public void Jump(Label label)
    {
        Byte(0xE9);
        Displacement(label);
    }

    public void JumpIf(Condition condition, Label label)
    {
        Byte(0x0F);
        Byte(0x80 | (int)condition);
        Displacement(label);
    }

    public void JumpTo(nint target)
    {
        Byte(0xE9);
        DisplacementTo(target);
    }

    public void CallTo(nint target)
    {
        Byte(0xE8);
        DisplacementTo(target);
    }

    public void Push(int register)
    {
        if (register >= 8) Byte(0x41);
        Byte(0x50 | (register & 7));
    }

    public void Pop(int register)
    {
        if (register >= 8) Byte(0x41);
        Byte(0x58 | (register & 7));
    }

    public void PushFlags() => Byte(0x9C);

    public void PopFlags() => Byte(0x9D);

    public void JumpThrough(in Operand operand) => Instruction(4, 0xFF, 4, operand);

    public void CallThrough(in Operand operand) => Instruction(4, 0xFF, 2, operand);

    private void Displacement(Label label)
    {
        if (label.Position >= 0)
        {
            Int32(label.Position - (Position + 4));
            return;
        }
        label.AddWaiting(Position);
        Int32(0);
    }

    private void DisplacementTo(nint target) => Int32(checked((int)(target - (Address + Position + 4))));

    private void PatchDisplacement(int at, int target) => BinaryPrimitives.WriteInt32LittleEndian(_bytes.AsSpan(at), target - (at + 4));

    private void Immediate(int sizeBytes, int value)
    {
        if (sizeBytes == 1) Byte(value);
        else if (sizeBytes == 2)
        {
            Byte(value);
            Byte(value >> 8);
        }
        else Int32(value);
    }
}
