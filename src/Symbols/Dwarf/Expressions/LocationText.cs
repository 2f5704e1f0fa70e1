using System;
using System.Collections.Generic;
using System.Globalization;
using Symbols.Images;

namespace Symbols.Dwarf.Expressions;

/// <summary>
/// Says in words where a DWARF location expression (DWARF 5, 2.6) puts a value: in a register, in memory, computed, in pieces, nowhere. What it has no words for it says by
/// its bytes. Bounded by the expression's length: nothing is evaluated.
/// </summary>
public static class LocationText
{
    public const string OptimizedOut = "optimized out";

    private const int MaximumDepth = 32, MaximumShownBytes = 16;

    /// <summary>The words.</summary>
    /// <param name="expression">The operations; none: optimized out.</param>
    /// <param name="addressSizeBytes">4 or 8.</param>
    /// <param name="bias">Added to addresses in the file.</param>
    /// <param name="registerName">By DWARF's number; null: it has none.</param>
    public static string Of(ReadOnlySpan<byte> expression, int addressSizeBytes, ulong bias, Func<int, string?> registerName)
    {
        if (expression.IsEmpty) return OptimizedOut;
        return new Walk(addressSizeBytes, bias, registerName).Run(expression) ?? $"computed: {Bytes(expression)}";
    }

    private static string Bytes(ReadOnlySpan<byte> bytes) =>
        Convert.ToHexStringLower(bytes[..Math.Min(bytes.Length, MaximumShownBytes)]) + (bytes.Length > MaximumShownBytes ? "..." : "");

    private sealed class Walk(int addressSizeBytes, ulong bias, Func<int, string?> registerName)
    {
        private readonly Stack<string> _stack = [];
        private readonly List<string> _pieces = [];
        private string? _simple;
        private ulong _pieceBytes;

        // Null: there is an operation without words.
        internal string? Run(ReadOnlySpan<byte> expression)
        {
            var reader = new DataReader(expression);
            while (!reader.AtEnd)
            {
                if (_stack.Count > MaximumDepth || !Step(ref reader) || reader.Failed) return null;
            }
            if (_pieces.Count > 0) return string.Join(", ", _pieces);
            return Place();
        }

        private string? Place()
        {
            if (_simple is not null) return _simple;
            return _stack.TryPop(out string? address) ? $"in memory at {address}" : OptimizedOut;
        }

        private bool Step(ref DataReader reader)
        {
            byte op = reader.U8();
            switch (op)
            {
                case 0x03: // DW_OP_addr
                    _stack.Push($"0x{reader.Unsigned(addressSizeBytes) + bias:x}");
                    return true;
                case >= 0x30 and <= 0x4f: // DW_OP_lit0..31
                    _stack.Push((op - 0x30).ToString(CultureInfo.InvariantCulture));
                    return true;
                case 0x08 or 0x0a or 0x0c or 0x0e: // DW_OP_const1u, 2u, 4u, 8u
                    _stack.Push(reader.Unsigned(1 << ((op - 0x08) / 2)).ToString(CultureInfo.InvariantCulture));
                    return true;
                case 0x09 or 0x0b or 0x0d or 0x0f: // DW_OP_const1s, 2s, 4s, 8s
                    int bits = 64 - (8 << ((op - 0x09) / 2));
                    _stack.Push(((long)(reader.Unsigned(1 << ((op - 0x09) / 2)) << bits) >> bits).ToString(CultureInfo.InvariantCulture));
                    return true;
                case 0x10: // DW_OP_constu
                    _stack.Push(reader.Uleb().ToString(CultureInfo.InvariantCulture));
                    return true;
                case 0x11: // DW_OP_consts
                    _stack.Push(reader.Sleb().ToString(CultureInfo.InvariantCulture));
                    return true;
                case >= 0x50 and <= 0x6f: // DW_OP_reg0..31
                    _simple = $"in {Register(op - 0x50)}";
                    return true;
                case 0x90: // DW_OP_regx
                    _simple = $"in {Register((int)Math.Min(reader.Uleb(), int.MaxValue))}";
                    return true;
                case >= 0x70 and <= 0x8f: // DW_OP_breg0..31
                    _stack.Push(Sum(Register(op - 0x70), reader.Sleb()));
                    return true;
                case 0x91: // DW_OP_fbreg
                    _stack.Push(Sum("the frame base", reader.Sleb()));
                    return true;
                case 0x9c: // DW_OP_call_frame_cfa
                    _stack.Push("the caller's stack pointer");
                    return true;
                case 0x23: // DW_OP_plus_uconst
                    if (_stack.TryPop(out string? origin)) _stack.Push($"{origin}+{reader.Uleb()}");
                    return origin is not null;
                case 0x06: // DW_OP_deref
                    if (_stack.TryPop(out string? pointer)) _stack.Push($"[{pointer}]");
                    return pointer is not null;
                case 0x1f or 0x20: // DW_OP_neg, DW_OP_not
                    if (_stack.TryPop(out string? operand)) _stack.Push($"{(op == 0x1f ? '-' : '~')}({operand})");
                    return operand is not null;
                case 0x1a or 0x1b or 0x1c or 0x1d or 0x1e or 0x21 or 0x22 or 0x24 or 0x25 or 0x26 or 0x27:
                    return Binary(op);
                case 0xa3 or 0xf3: // DW_OP_entry_value
                    return EntryValue(reader.Take((int)Math.Min(reader.Uleb(), int.MaxValue)));
                case 0x9e: // DW_OP_implicit_value
                    _simple = $"the constant {Bytes(reader.Take((int)Math.Min(reader.Uleb(), int.MaxValue)))}";
                    return true;
                case 0x9f: // DW_OP_stack_value
                    if (_stack.TryPop(out string? value)) _simple = $"computed: {value}";
                    return value is not null;
                case 0x93: // DW_OP_piece
                    ulong size = reader.Uleb();
                    _pieces.Add($"{size} byte{(size == 1 ? "" : "s")} from byte {_pieceBytes} {Place()}");
                    (_simple, _pieceBytes) = (null, _pieceBytes + size);
                    return _pieces.Count < MaximumDepth;
                default:
                    return false;
            }
        }

        private bool Binary(byte op)
        {
            if (!_stack.TryPop(out string? right) || !_stack.TryPop(out string? left)) return false;
            string sign = op switch
            {
                0x1a => "&", 0x1b => "/", 0x1c => "-", 0x1d => "%", 0x1e => "*", 0x21 => "|", 0x22 => "+", 0x24 => "<<", 0x25 => ">>", 0x26 => ">>", _ => "^",
            };
            _stack.Push($"({left} {sign} {right})");
            return true;
        }

        private bool EntryValue(ReadOnlySpan<byte> inner)
        {
            if (inner is not [>= 0x50 and <= 0x6f and var register]) return false;
            _stack.Push($"{Register(register - 0x50)} at the function's entry");
            return true;
        }

        private string Register(int number) => registerName(number) ?? $"register {number}";

        private static string Sum(string origin, long offset) =>
            offset == 0 ? origin : offset < 0 ? $"{origin}-{(ulong)-offset}" : $"{origin}+{offset}";
    }
}
