using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using Symbols.Dwarf.Entries;
using Symbols.Dwarf.Variables;
using Symbols.Images;
using Symbols.Types;
using Symbols.Variables;

namespace Symbols.Dwarf.Expressions;

/// <summary>
/// The operations of locations (DWARF 5, 2.6): registers, pieces, implicit values, and what needs the function, a type or another entry. Steps, pieces and
/// nesting are bounded for the evaluation of one location with all that it refers to.
/// </summary>
internal sealed class LocationProgram
{
    private const int MaximumPieces = 1024;
    private const int MaximumNesting = 8;
    private const int MaximumSteps = 20_000;

    private readonly ILocationContext _context;
    private readonly DieReference? _function;
    private readonly ulong? _object;
    private readonly int _nesting;
    private readonly List<LocationPiece> _pieces = [];
    private DebugUnit _unit;
    private LocationPiece? _simple;
    private bool _isOptimizedOut;
    private int _steps;
    private int _calls;

    private LocationProgram(ILocationContext context, DebugUnit unit, DieReference? function, ulong? objectAddress, int nesting)
    {
        _context = context;
        _unit = unit;
        _function = function;
        _object = objectAddress;
        _nesting = nesting;
    }

    internal ulong Bias => _context.Bias;

    /// <summary>Where the expression says that a value is.</summary>
    /// <param name="expression">The operations; none: optimized out.</param>
    /// <param name="context">The frame.</param>
    /// <param name="unit">The unit that the expression is in.</param>
    /// <param name="function">The frame's function, for DW_OP_fbreg.</param>
    /// <param name="objectAddress">For DW_OP_push_object_address.</param>
    /// <param name="nesting">0, or how many expressions are being evaluated already.</param>
    internal static ValueLocation Evaluate(
        ReadOnlySpan<byte> expression, ILocationContext context, DebugUnit unit, DieReference? function, ulong? objectAddress = null, int nesting = 0)
    {
        if (expression.IsEmpty) return ValueLocation.OptimizedOut;
        if (nesting > MaximumNesting) return new ValueLocation([], "The location refers to itself.");
        _ = unit.Attributes;
        var program = new LocationProgram(context, unit, function, objectAddress, nesting);
        Span<StackValue> stack = stackalloc StackValue[DwarfExpression.MaximumDepth];
        var machine = new DwarfStackMachine(expression, context, unit.Header.AddressSizeBytes, stack, program);
        string? problem = machine.Run(DwarfExpression.MaximumSteps);
        if (program._isOptimizedOut) return ValueLocation.OptimizedOut;
        if (problem is not null) return new ValueLocation([], problem);
        if (program._pieces.Count > 0) return new ValueLocation(program._pieces);
        if (program._simple is { } simple) return new ValueLocation([simple]);
        return machine.IsEmpty ? ValueLocation.OptimizedOut : ValueLocation.InMemory(machine.Top);
    }

    internal bool TakeStep() => _steps++ < MaximumSteps;

    /// <summary>After DW_OP_reg*, DW_OP_stack_value and the like only a piece can follow.</summary>
    internal bool Allows(byte op) => _simple is null || op is 0x93 or 0x9d or 0x96 or 0xf0;

    /// <summary>One operation that is not arithmetic.</summary>
    internal void Step(byte op, ref DwarfStackMachine machine)
    {
        ref DataReader operands = ref machine.Operands;
        switch (op)
        {
            case >= 0x50 and <= 0x6f: // DW_OP_reg0..31
                SetRegister((ulong)(op - 0x50));
                break;
            case 0x90: // DW_OP_regx
                SetRegister(operands.Uleb());
                break;
            case 0x91: // DW_OP_fbreg
                long offset = operands.Sleb();
                if (TryFrameBase(out ulong frame)) machine.Push(frame + (ulong)offset);
                else machine.Fail("The frame base of the function is not known.");
                break;
            case 0x93: // DW_OP_piece
                AddPiece(ref machine, Bits(operands.Uleb()), 0);
                break;
            case 0x9d: // DW_OP_bit_piece
                ulong bits = operands.Uleb();
                AddPiece(ref machine, bits, operands.Uleb());
                break;
            case 0x97: // DW_OP_push_object_address
                if (_object is { } address) machine.Push(address);
                else machine.Fail("The location depends on an object that is not known.");
                break;
            case 0x9c: // DW_OP_call_frame_cfa
                if (_context.TryCfa(out ulong cfa)) machine.Push(cfa);
                else machine.Fail("The frame's address is not known.");
                break;
            case 0x9b or 0xe0: // DW_OP_form_tls_address, DW_OP_GNU_push_tls_address
                if (_context.TryThreadLocal(machine.Pop(), out ulong local)) machine.Push(local);
                else machine.Fail("The thread's own storage is not known.");
                break;
            case 0x9e: // DW_OP_implicit_value
                SetImplicit(operands.Take((int)Math.Min(operands.Uleb(), int.MaxValue)).ToArray());
                break;
            case 0x9f: // DW_OP_stack_value
                StackValue value = machine.PopValue();
                SetImplicit(Bytes(value, machine.AddressSizeBytes));
                break;
            case 0xf0: // DW_OP_GNU_uninit: the value is not initialized yet, wherever it is
                break;
            default:
                StepReference(op, ref machine);
                break;
        }
    }

    // Operations that refer to other entries or to tables of the unit.
    private void StepReference(byte op, ref DwarfStackMachine machine)
    {
        ref DataReader operands = ref machine.Operands;
        switch (op)
        {
            case 0xa1 or 0xfb: // DW_OP_addrx, DW_OP_GNU_addr_index
                machine.Push(_unit.IndexedAddress(operands.Uleb()) + Bias);
                break;
            case 0xa2 or 0xfc: // DW_OP_constx, DW_OP_GNU_const_index: an offset in the thread's storage as a rule
                machine.Push(_unit.IndexedAddress(operands.Uleb()));
                break;
            case 0x98 or 0x99 or 0x9a: // DW_OP_call2, DW_OP_call4, DW_OP_call_ref
                Call(ref machine, op == 0x9a ? SectionReference(ref operands) : UnitReference(operands.Unsigned(op == 0x98 ? 2 : 4)));
                break;
            case 0xa0 or 0xf2: // DW_OP_implicit_pointer, DW_OP_GNU_implicit_pointer
                DieReference? target = SectionReference(ref operands);
                long distance = operands.Sleb();
                DebugVariable? variable = target is { } place ? new DebugVariable(place, _function) : null;
                _simple = new LocationPiece(PieceKind.ImplicitPointer, target?.Offset ?? 0, default, 0, 0) { Target = variable, TargetOffset = distance };
                break;
            case 0xfd: // DW_OP_GNU_variable_value
                PushVariable(ref machine, SectionReference(ref operands));
                break;
            case 0xa3 or 0xf3: // DW_OP_entry_value, DW_OP_GNU_entry_value
                PushEntryValue(ref machine, operands.Take((int)Math.Min(operands.Uleb(), int.MaxValue)));
                break;
            case 0xfa: // DW_OP_GNU_parameter_ref: what the caller passed, if its call site says so
                operands.Skip(4);
                OptimizedOut(ref machine);
                break;
            default:
                StepTyped(op, ref machine);
                break;
        }
    }

    // Operations on values with a base type.
    private void StepTyped(byte op, ref DwarfStackMachine machine)
    {
        ref DataReader operands = ref machine.Operands;
        switch (op)
        {
            case 0xa4 or 0xf4: // DW_OP_const_type, DW_OP_GNU_const_type
                StackType type = TypeAt(operands.Uleb(), ref machine);
                int size = operands.U8();
                machine.Push(new StackValue(size is > 0 and <= 8 ? operands.Unsigned(size) : Unsupported(ref machine), type));
                break;
            case 0xa5 or 0xf5: // DW_OP_regval_type, DW_OP_GNU_regval_type
                int register = (int)Math.Min(operands.Uleb(), int.MaxValue);
                type = TypeAt(operands.Uleb(), ref machine);
                if (_context.TryReadRegister(register, out ulong value)) machine.Push(new StackValue(StackArithmetic.Truncate(value, type.SizeBytes), type));
                else machine.Fail($"Register {register} is not known in this frame.");
                break;
            case 0xa6 or 0xf6: // DW_OP_deref_type, DW_OP_GNU_deref_type
                size = operands.U8();
                type = TypeAt(operands.Uleb(), ref machine);
                ulong address = machine.Pop();
                if (size is > 0 and <= 8 && _context.TryReadMemory(address, size, out value)) machine.Push(new StackValue(value, type));
                else machine.Fail($"The {size} bytes at 0x{address:x} cannot be read.");
                break;
            case 0xa8 or 0xf7: // DW_OP_convert, DW_OP_GNU_convert
                type = TypeAt(operands.Uleb(), ref machine);
                machine.Push(StackArithmetic.Convert(machine.PopValue(), type, machine.AddressSizeBytes));
                break;
            case 0xa9 or 0xf9: // DW_OP_reinterpret, DW_OP_GNU_reinterpret
                type = TypeAt(operands.Uleb(), ref machine);
                machine.Push(new StackValue(machine.Pop(), type));
                break;
            default:
                machine.Fail($"Operation 0x{op:x2} is unknown, or needs an address space.");
                break;
        }
    }

    private static ulong Unsupported(ref DwarfStackMachine machine)
    {
        machine.Fail("The expression computes with a value of more than 8 bytes.");
        return 0;
    }

    private static ulong Bits(ulong bytes) => bytes > ulong.MaxValue / 8 ? ulong.MaxValue : bytes * 8;

    private static byte[] Bytes(StackValue value, int addressSizeBytes)
    {
        byte[] bytes = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value.Bits);
        return bytes[..(value.Type.SizeBytes == 0 ? addressSizeBytes : value.Type.SizeBytes)];
    }

    private void SetRegister(ulong register) => _simple = new LocationPiece(PieceKind.Register, register, default, 0, 0);

    private void SetImplicit(byte[] bytes) => _simple = new LocationPiece(PieceKind.Implicit, 0, bytes, 0, 0);

    private void AddPiece(ref DwarfStackMachine machine, ulong bits, ulong offset)
    {
        LocationPiece piece = _simple ?? (machine.IsEmpty
            ? new LocationPiece(PieceKind.OptimizedOut, 0, default, 0, 0) : new LocationPiece(PieceKind.Memory, machine.Pop(), default, 0, 0));
        _simple = null;
        if (_pieces.Count == MaximumPieces) machine.Fail("The location has too many pieces.");
        else if (bits != 0) _pieces.Add(piece with { BitSize = bits, BitOffset = (uint)Math.Min(offset, uint.MaxValue) });
    }

    private void OptimizedOut(ref DwarfStackMachine machine)
    {
        _isOptimizedOut = true;
        machine.Fail("The value is optimized out.");
    }

    private bool TryFrameBase(out ulong value)
    {
        value = 0;
        if (_function is not { } function) return false;
        DieCursor cursor = function.Unit.CursorAt(function.Offset);
        if (!cursor.MoveNext()) return false;
        AttributeValue attribute = cursor.Attribute(DwAt.FrameBase);
        if (!LocationListReader.TryExpression(function.Unit, attribute, _context.Pc, out ReadOnlyMemory<byte> expression)) return false;
        // Without the function: a frame base that refers to itself has no value.
        ValueLocation location = Evaluate(expression.Span, _context, function.Unit, null, null, _nesting + 1);
        if (location.Pieces is not [{ } piece]) return false;
        value = piece.Number;
        return piece.Kind switch
        {
            PieceKind.Memory => true,
            PieceKind.Register => _context.TryReadRegister((int)Math.Min(piece.Number, int.MaxValue), out value),
            PieceKind.Implicit => new DataReader(piece.Bytes.Span) is var bytes && (value = bytes.Unsigned(Math.Clamp(piece.Bytes.Length, 1, 8))) == value && !bytes.Failed,
            _ => false,
        };
    }

    private void PushEntryValue(ref DwarfStackMachine machine, ReadOnlySpan<byte> block)
    {
        var reader = new DataReader(block);
        byte op = reader.U8();
        int register = op switch { >= 0x50 and <= 0x6f => op - 0x50, 0x90 => (int)Math.Min(reader.Uleb(), int.MaxValue), _ => -1 };
        // Memory as it was at the entry is gone; and what the caller passed is often nobody's knowledge.
        if (register >= 0 && reader.AtEnd && !reader.Failed && _context.TryEntryRegister(register, out ulong value)) machine.Push(value);
        else OptimizedOut(ref machine);
    }

    private void Call(ref DwarfStackMachine machine, DieReference? target)
    {
        if (target is not { } place || _calls++ > MaximumNesting * 4 || _nesting > MaximumNesting)
        {
            machine.Fail("The expression calls one that is not there, or itself.");
            return;
        }
        DieCursor cursor = place.Unit.CursorAt(place.Offset);
        if (!cursor.MoveNext()) return;
        // An entry without a location leaves the stack as it is (DWARF 5, 2.5.1.5).
        if (!LocationListReader.TryExpression(place.Unit, cursor.Attribute(DwAt.Location), _context.Pc, out ReadOnlyMemory<byte> expression)) return;
        DebugUnit outer = _unit;
        _unit = place.Unit;
        machine.Call(expression.Span);
        _unit = outer;
    }

    private void PushVariable(ref DwarfStackMachine machine, DieReference? target)
    {
        if (target is not { } place)
        {
            machine.Fail("The expression refers to an entry that is not there.");
            return;
        }
        var variable = new DebugVariable(place, _function);
        ulong size = variable.Type.SizeBytes ?? 0;
        ValueBytes value = ValueReader.Read(variable.Locate(_context, _nesting + 1), size, _context);
        if (size is >= 1 and <= 8 && value.IsComplete) machine.Push(new DataReader(value.Bytes).Unsigned((int)size));
        else OptimizedOut(ref machine);
    }

    private StackType TypeAt(ulong distance, ref DwarfStackMachine machine)
    {
        // 0 means the generic type.
        if (distance == 0) return default;
        if (UnitReference(distance) is { } place && _unit.Owner.Types.Reader.At(place) is BaseType { SizeBytes: >= 1 and <= 8 and var size } type)
        {
            StackEncoding encoding = type.IsFloat ? StackEncoding.Float : type.IsSigned ? StackEncoding.Signed : StackEncoding.Unsigned;
            if (encoding != StackEncoding.Float || size is 2 or 4 or 8) return new StackType(encoding, (byte)size);
        }
        Unsupported(ref machine);
        return default;
    }

    private DieReference? UnitReference(ulong distance) =>
        _unit.Resolve(new AttributeValue(DwForm.ReferenceUnsigned, distance, 0)) is ({ } unit, var offset) ? new DieReference(unit, offset) : null;

    private DieReference? SectionReference(ref DataReader operands)
    {
        int size = _unit.Header.Version <= 2 ? _unit.Header.AddressSizeBytes : _unit.Header.OffsetSizeBytes;
        return _unit.Resolve(new AttributeValue(DwForm.ReferenceAddress, operands.Unsigned(size), 0)) is ({ } unit, var offset)
            ? new DieReference(unit, offset) : null;
    }
}
