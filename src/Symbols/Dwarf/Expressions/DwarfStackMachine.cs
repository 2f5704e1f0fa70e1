using System;
using Symbols.Images;

namespace Symbols.Dwarf.Expressions;

/// <summary>The stack machine of DWARF expressions (DWARF 5, 2.5.1).</summary>
internal ref struct DwarfStackMachine
{
    private readonly IUnwindContext _context;
    private readonly Span<ulong> _stack;
    private readonly int _size;
    private DataReader _reader;
    private int _depth;
    private string? _problem;

    internal DwarfStackMachine(ReadOnlySpan<byte> expression, IUnwindContext context, int addressSizeBytes, Span<ulong> stack)
    {
        _reader = new DataReader(expression);
        _context = context;
        _size = addressSizeBytes;
        _stack = stack;
    }

    internal readonly ulong Top => _stack[_depth - 1];

    internal void Push(ulong value)
    {
        if (_depth == _stack.Length) _problem ??= "The expression's stack overflows.";
        else _stack[_depth++] = _size == 4 ? (uint)value : value;
    }

    internal string? Run(int maximumSteps)
    {
        for (int step = 0; !_reader.AtEnd && _problem is null; step++)
        {
            if (step == maximumSteps) return "The expression does not end.";
            Step(_reader.U8());
            if (_reader.Failed) return "The expression is cut off.";
        }
        return _problem ?? (_depth == 0 ? "The expression has no result." : null);
    }

    private ulong Pop()
    {
        if (_depth > 0) return _stack[--_depth];
        _problem ??= "The expression takes more from its stack than there is.";
        return 0;
    }

    private readonly long Signed(ulong value) => _size == 4 ? (int)value : (long)value;

    private void Step(byte op)
    {
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
                _problem = $"Operation 0x{op:x2} has no meaning in a frame rule, or is unknown.";
                break;
        }
    }

    private void PushRegister(int register, long offset)
    {
        if (_context.TryReadRegister(register, out ulong value)) Push(value + (ulong)offset);
        else _problem ??= $"Register {register} is not known in this frame.";
    }

    private void Constant(byte op) => Push(op switch
    {
        0x03 => _reader.Unsigned(_size), // DW_OP_addr
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
                (ulong first, ulong second) = (Pop(), Pop());
                Push(first);
                Push(second);
                break;
            default: // DW_OP_rot: the top goes third
                (ulong top, ulong middle, ulong bottom) = (Pop(), Pop(), Pop());
                Push(top);
                Push(bottom);
                Push(middle);
                break;
        }
    }

    private void Pick(int index)
    {
        if (index < _depth) Push(_stack[_depth - 1 - index]);
        else _problem ??= "The expression takes more from its stack than there is.";
    }

    private void Unary(byte op)
    {
        ulong value = Pop();
        Push(op switch
        {
            0x19 => Signed(value) < 0 ? 0 - value : value, // DW_OP_abs
            0x1f => 0 - value, // DW_OP_neg
            0x20 => ~value, // DW_OP_not
            _ => value + _reader.Uleb(), // DW_OP_plus_uconst
        });
    }

    private void Binary(byte op)
    {
        ulong right = Pop();
        ulong left = Pop();
        (long signedLeft, long signedRight) = (Signed(left), Signed(right));
        if (op is 0x1b or 0x1d && right == 0)
        {
            _problem ??= "The expression divides by zero.";
            return;
        }
        Push(op switch
        {
            0x1a => left & right, // DW_OP_and
            // -1 apart: the smallest number divided by it overflows.
            0x1b => signedRight == -1 ? 0 - left : (ulong)(signedLeft / signedRight), // DW_OP_div
            0x1c => left - right, // DW_OP_minus
            0x1d => left % right, // DW_OP_mod
            0x1e => left * right, // DW_OP_mul
            0x21 => left | right, // DW_OP_or
            0x22 => left + right, // DW_OP_plus
            0x24 => right < 64 ? left << (int)right : 0, // DW_OP_shl
            0x25 => right < 64 ? left >> (int)right : 0, // DW_OP_shr
            0x26 => (ulong)(signedLeft >> (int)Math.Min(right, 63)), // DW_OP_shra
            0x27 => left ^ right, // DW_OP_xor
            0x29 => Truth(signedLeft == signedRight), // DW_OP_eq
            0x2a => Truth(signedLeft >= signedRight), // DW_OP_ge
            0x2b => Truth(signedLeft > signedRight), // DW_OP_gt
            0x2c => Truth(signedLeft <= signedRight), // DW_OP_le
            0x2d => Truth(signedLeft < signedRight), // DW_OP_lt
            _ => Truth(signedLeft != signedRight), // DW_OP_ne
        });
    }

    private static ulong Truth(bool value) => value ? 1ul : 0;

    private void Branch(byte op)
    {
        long distance = _reader.Signed(2);
        // DW_OP_bra goes only where the top is not zero, DW_OP_skip always.
        if (op == 0x28 && Pop() == 0) return;
        _reader.Seek((ulong)(_reader.Position + distance));
    }
}
