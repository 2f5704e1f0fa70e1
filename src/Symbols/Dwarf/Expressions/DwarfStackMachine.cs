using System;
using System.Diagnostics.CodeAnalysis;
using Symbols.Images;

namespace Symbols.Dwarf.Expressions;

/// <summary>
/// The stack machine of DWARF expressions (DWARF 5, 2.5.1). What needs a function, a type or an object belongs to locations and is
/// <see cref="LocationProgram"/>'s; rules of frames have none.
/// </summary>
internal ref struct DwarfStackMachine
{
    private readonly IUnwindContext _context;
    private readonly Span<StackValue> _stack;
    private readonly LocationProgram? _program;
    private readonly int _size;
    private DataReader _reader;
    private int _depth;
    private string? _problem;

    internal DwarfStackMachine(ReadOnlySpan<byte> expression, IUnwindContext context, int addressSizeBytes, Span<StackValue> stack, LocationProgram? program = null)
    {
        _reader = new DataReader(expression);
        _context = context;
        _size = addressSizeBytes;
        _stack = stack;
        _program = program;
    }

    internal readonly ulong Top => _stack[_depth - 1].Bits;

    internal readonly bool IsEmpty => _depth == 0;

    internal readonly int AddressSizeBytes => _size;

    internal void Push(ulong value) => Push(new StackValue(_size == 4 ? (uint)value : value, default));

    internal void Push(StackValue value)
    {
        if (_depth == _stack.Length) Fail("The expression's stack overflows.");
        else _stack[_depth++] = value;
    }

    /// <summary>Ends the evaluation; the first reason counts.</summary>
    internal void Fail(string problem) => _problem ??= problem;

    /// <summary>Runs to the end. A location may have no value on its stack: it is told by <see cref="LocationProgram"/>.</summary>
    internal string? Run(int maximumSteps)
    {
        for (int step = 0; !_reader.AtEnd && _problem is null; step++)
        {
            if (step == maximumSteps || _program?.TakeStep() == false) return "The expression does not end.";
            Step(_reader.U8());
            if (_reader.Failed) return "The expression is cut off.";
        }
        return _problem ?? (_depth == 0 && _program is null ? "The expression has no result." : null);
    }

    /// <summary>DW_OP_call*: another expression on the same stack.</summary>
    internal void Call(ReadOnlySpan<byte> expression)
    {
        DataReader outer = _reader;
        _reader = new DataReader(expression);
        if (Run(int.MaxValue) is { } problem) Fail(problem);
        _reader = outer;
    }

    internal StackValue PopValue()
    {
        if (_depth > 0) return _stack[--_depth];
        Fail("The expression takes more from its stack than there is.");
        return default;
    }

    internal ulong Pop() => PopValue().Bits;

    [UnscopedRef]
    internal ref DataReader Operands => ref _reader;

    private void Step(byte op)
    {
        if (_program is not null && !_program.Allows(op))
        {
            Fail("The expression goes on after it said where the value is.");
            return;
        }
        switch (op)
        {
            case >= 0x30 and <= 0x4f: // DW_OP_lit0..31
                Push((ulong)(op - 0x30));
                break;
            case >= 0x70 and <= 0x8f: // DW_OP_breg0..31
                PushRegister(op - 0x70, _reader.Sleb());
                break;
            case 0x92: // DW_OP_bregx
                int register = (int)Math.Min(_reader.Uleb(), int.MaxValue);
                PushRegister(register, _reader.Sleb());
                break;
            case 0x03 or (>= 0x08 and <= 0x11):
                Constant(op);
                break;
            case 0x06: // DW_OP_deref
                Dereference(_size);
                break;
            case 0x94: // DW_OP_deref_size
                Dereference(_reader.U8());
                break;
            case >= 0x12 and <= 0x17:
                Arrange(op);
                break;
            case 0x19 or 0x1f or 0x20 or 0x23:
                Unary(op);
                break;
            case (>= 0x1a and <= 0x1e) or 0x21 or 0x22 or (>= 0x24 and <= 0x27) or (>= 0x29 and <= 0x2e):
                Binary(op);
                break;
            case 0x28 or 0x2f:
                Branch(op);
                break;
            case 0x96: // DW_OP_nop
                break;
            default:
                if (_program is not null) _program.Step(op, ref this);
                else Fail($"Operation 0x{op:x2} has no meaning in a frame rule, or is unknown.");
                break;
        }
    }

    private void PushRegister(int register, long offset)
    {
        if (_context.TryReadRegister(register, out ulong value)) Push(value + (ulong)offset);
        else Fail( $"Register {register} is not known in this frame.");
    }

    private void Constant(byte op) => Push(op switch
    {
        0x03 => _reader.Unsigned(_size) + (_program?.Bias ?? 0), // DW_OP_addr
        0x08 => _reader.U8(), // DW_OP_const1u
        0x09 => (ulong)_reader.Signed(1),
        0x0a => _reader.U16(),
        0x0b => (ulong)_reader.Signed(2),
        0x0c => _reader.U32(),
        0x0d => (ulong)_reader.Signed(4),
        0x0e or 0x0f => _reader.U64(),
        0x10 => _reader.Uleb(), // DW_OP_constu
        _ => (ulong)_reader.Sleb(), // DW_OP_consts
    });

    private void Dereference(int sizeBytes)
    {
        ulong address = Pop();
        if (_problem is not null) return;
        if (sizeBytes is < 1 or > 8) _problem = "The expression reads a value of no possible size.";
        else if (_context.TryReadMemory(address, sizeBytes, out ulong value)) Push(value);
        else _problem = $"The {sizeBytes} bytes at 0x{address:x} cannot be read.";
    }

    private void Arrange(byte op)
    {
        switch (op)
        {
            case 0x12: // DW_OP_dup
                Pick(0);
                break;
            case 0x13: // DW_OP_drop
                Pop();
                break;
            case 0x14: // DW_OP_over
                Pick(1);
                break;
            case 0x15: // DW_OP_pick
                Pick(_reader.U8());
                break;
            case 0x16: // DW_OP_swap
                (StackValue first, StackValue second) = (PopValue(), PopValue());
                Push(first);
                Push(second);
                break;
            default: // DW_OP_rot: the top goes third
                (StackValue top, StackValue middle, StackValue bottom) = (PopValue(), PopValue(), PopValue());
                Push(top);
                Push(bottom);
                Push(middle);
                break;
        }
    }

    private void Pick(int index)
    {
        if (index < _depth) Push(_stack[_depth - 1 - index]);
        else Fail("The expression takes more from its stack than there is.");
    }

    private void Unary(byte op)
    {
        StackValue value = PopValue();
        if (op != 0x23) Push(StackArithmetic.Unary(op, value, _size));
        else Push(StackArithmetic.Binary(0x22, value, value with { Bits = _reader.Uleb() }, _size, out _)); // DW_OP_plus_uconst
    }

    private void Binary(byte op)
    {
        StackValue right = PopValue();
        StackValue left = PopValue();
        if (_problem is not null) return;
        StackValue result = StackArithmetic.Binary(op, left, right, _size, out string? problem);
        if (problem is null) Push(result);
        else Fail(problem);
    }

    private void Branch(byte op)
    {
        long distance = _reader.Signed(2);
        // DW_OP_bra goes only where the top is not zero, DW_OP_skip always.
        if (op == 0x28 && Pop() == 0) return;
        _reader.Seek((ulong)(_reader.Position + distance));
    }
}
