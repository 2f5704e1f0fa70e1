using System;
using System.Collections.Generic;
using Symbols.Types;

namespace Symbols.Expressions;

/// <summary>Works out an expression. Values in memory are read when their numbers are needed.</summary>
internal sealed class Evaluator(IExpressionEnvironment environment)
{
    private const int MaximumTextBytes = 1 << 16;
    private const ulong MaximumElements = 1 << 20;

    // Only the types of values matter: nothing is changed or run, and what cannot be read counts as 0.
    private bool _isForTypes;

    private int Pointer => environment.AddressSizeBytes;

    /// <summary>An expression's value; if it is a scalar, it has been read.</summary>
    public TypedValue Result(Node node)
    {
        TypedValue value = Value(node);
        if (value.IsUntyped || value.Unavailable is not null || value.KnownBytes is not null) return value;
        value = Referred(value, node);
        return value.Type!.Stripped is BaseType or EnumerationType or PointerType ? value.WithBytes(Bytes(value, node)) : value;
    }

    /// <summary>A value or a place, which may be unread.</summary>
    public TypedValue Value(Node node) => node switch
    {
        LiteralNode literal => literal.Value,
        TextNode text => text.Value,
        NameNode name => Names.Find(name, environment),
        RegisterNode register => Names.Register(register.Name, environment) ?? throw new ExpressionException($"there is no register '{register.Name}'", register.Position),
        LoadNode load => Load(Number(Value(load.Address), load.Address), load.IsPhysical, load.SizeBytes, load.Position),
        UnaryNode unary => Unary(unary),
        BinaryNode binary => Binary(binary),
        ConditionalNode conditional => Conditional(conditional),
        AssignmentNode assignment => Assign(assignment),
        CommaNode comma => Comma(comma),
        CastNode cast => Cast(Value(cast.Operand), cast),
        SizeOfNode size => Size(size),
        MemberNode member => Member(member),
        IndexNode index => Index(index),
        SliceNode slice => Slice(slice),
        RepeatNode repeat => Repeat(repeat),
        CallNode call => Call(call),
        ContainerNode container => TypedValue.Of(Scalar.OfInteger(CTypes.PointerTo(container.Type, Pointer),
            (Int128)(Number(Value(container.Pointer), container.Pointer) - (ulong)container.OffsetBytes))),
        _ => throw new ExpressionException("this cannot be worked out", node.Position),
    };

    // ---- Numbers.

    public bool IsTrue(TypedValue value, Node node) => value.IsUntyped ? Plain(value) != 0 : ScalarOf(value, node).IsTrue;

    /// <summary>64 bits: a number's, or an array's or function's address.</summary>
    public ulong Number(TypedValue value, Node node) => value.IsUntyped ? Plain(value) : ScalarOf(value, node).Bits;

    private static ulong Plain(TypedValue value) => BitConverter.ToUInt64(value.KnownBytes!.Value.Span);

    /// <summary>As C's arithmetic takes it: arrays and functions are pointers.</summary>
    private Scalar ScalarOf(TypedValue value, Node node)
    {
        if (value.IsUntyped) return value.Literal ?? Scalar.OfInteger(CTypes.UnsignedLong(8), Plain(value));
        value = Referred(value, node);
        DebugType type = value.Type!.Stripped;
        if (type is ArrayType or FunctionType)
        {
            DebugType target = type is ArrayType array ? array.Element : value.Type;
            if (value.Address is { } address) return Scalar.OfInteger(CTypes.PointerTo(target, Pointer), address);
            throw new ExpressionException($"{Quoted(node)} is not in memory: it has no address", node.Position);
        }
        if (type is not (BaseType or EnumerationType or PointerType)) throw new ExpressionException($"{Quoted(node)} is a '{TypeText.Of(value.Type)}', not a number", node.Position);
        byte[] bytes = Bytes(value, node);
        if (Scalar.Read(value.Type, bytes, value.BitOffset, value.BitSize) is not { } scalar)
            throw new ExpressionException($"{Quoted(node)} is a '{TypeText.Of(value.Type)}', with which nothing can be computed", node.Position);
        // Bit-fields shorter than an int become one, whatever they are declared as (C17 6.3.1.1).
        return value.BitSize is > 0 and < 32 && type is BaseType { Encoding: not BaseEncoding.Boolean } ? scalar.ConvertTo(CTypes.Int) : scalar;
    }

    // The bytes of a scalar; of a bit-field, all that it touches.
    private byte[] Bytes(TypedValue value, Node node)
    {
        if (value.Unavailable is { } reason) throw new ExpressionException($"{Quoted(node)} is not known: {reason}", node.Position, ExpressionProblem.NotAvailable);
        int count = value.BitSize > 0 ? (int)((value.BitOffset + value.BitSize + 7) / 8) : value.KnownBytes?.Length ?? value.SizeBytes;
        if (count is <= 0 or > 32) throw new ExpressionException($"the size of '{TypeText.Of(value.Type!)}' is not known", node.Position);
        var bytes = new byte[count];
        if (value.TryRead(environment, bytes) || _isForTypes) return bytes;
        throw Unreadable(value.Address ?? 0, value.IsPhysical, node.Position);
    }

    private static ExpressionException Unreadable(ulong address, bool isPhysical, int position) =>
        new($"no memory can be read at {(isPhysical ? "phys:" : "")}0x{address:x}", position, ExpressionProblem.NotAvailable);

    // What a C++ reference refers to.
    private TypedValue Referred(TypedValue value, Node node)
    {
        if (value.Type?.Stripped is not PointerType { IsReference: true } reference) return value;
        Scalar? address = Scalar.Read(reference, Bytes(value, node), 0, 0);
        return TypedValue.InMemory(reference.Target, address?.Bits ?? 0);
    }

    private TypedValue Load(ulong address, bool isPhysical, int sizeBytes, int position)
    {
        Span<byte> bytes = stackalloc byte[8];
        bytes.Clear();
        if (environment.Read(address, isPhysical, bytes[..sizeBytes]) != sizeBytes && !_isForTypes) throw Unreadable(address, isPhysical, position);
        return TypedValue.UntypedMemory(BitConverter.ToUInt64(bytes), address, isPhysical, sizeBytes);
    }

    private static string Quoted(Node node) => node switch
    {
        NameNode name => $"'{(name.Scope is { Length: > 0 } scope ? $"'{scope}'::" : "")}{name.Name}'",
        RegisterNode register => $"'${register.Name}'",
        MemberNode member => $"'{member.Name}'",
        _ => "this",
    };

    // ---- Operators.

    private TypedValue Unary(UnaryNode node)
    {
        TypedValue operand = Value(node.Operand);
        if (node.Operator == '*') return Dereference(operand, node);
        if (node.Operator == '&') return AddressOf(operand, node);
        if (operand.IsUntyped)
        {
            ulong number = Plain(operand);
            Scalar? literal = operand.Literal is { } known ? Signed(node.Operator, known, node.Position) : null;
            return TypedValue.Untyped(node.Operator switch { '-' => 0 - number, '~' => ~number, '!' => number == 0 ? 1UL : 0, _ => number }, literal);
        }
        return TypedValue.Of(Signed(node.Operator, ScalarOf(operand, node.Operand), node.Position));
    }

    private Scalar Signed(char sign, in Scalar value, int position)
    {
        if (sign == '!') return Scalar.OfInteger(CTypes.Int, value.IsTrue ? 0 : 1);
        Scalar promoted = value.ConvertTo(Arithmetic.Promoted(value, Pointer));
        if (!promoted.IsFloat) return Scalar.OfInteger(promoted.Type, sign switch { '-' => -promoted.Integer, '~' => ~promoted.Integer, _ => promoted.Integer });
        if (sign == '~') throw new ExpressionException("bits are of integers only, not of floating-point numbers", position);
        return sign == '-' ? Scalar.OfReal(promoted.Type, -promoted.Real) : promoted;
    }

    private TypedValue Dereference(TypedValue operand, UnaryNode node)
    {
        if (operand.IsUntyped) return Load(Plain(operand), false, 8, node.Position);
        TypedValue value = Referred(operand, node.Operand);
        if (value.Type!.Stripped is FunctionType) return value;
        if (value.Type.Stripped is ArrayType array) return value.Part(array.Element, 0);
        return value.Type.Stripped is PointerType pointer ? Target(pointer, ScalarOf(value, node.Operand).Bits, node)
            : throw new ExpressionException($"{Quoted(node.Operand)} is a '{TypeText.Of(value.Type)}', not a pointer", node.Position);
    }

    private static TypedValue Target(PointerType pointer, ulong address, Node node) => pointer.Target.Stripped is VoidType
        ? throw new ExpressionException("what a void * points to is not known: cast it first, as in *(int *)p", node.Position)
        : TypedValue.InMemory(pointer.Target, address);

    private TypedValue AddressOf(TypedValue operand, UnaryNode node)
    {
        TypedValue value = Referred(operand, node.Operand);
        if (value.BitSize > 0) throw new ExpressionException($"{Quoted(node.Operand)} is a bit-field: it has no address", node.Position);
        if (value.IsPhysical) throw new ExpressionException($"{Quoted(node.Operand)} is in guest-physical memory: no pointer points there", node.Position);
        if (value.Unavailable is { } reason) throw new ExpressionException($"{Quoted(node.Operand)} has no address: {reason}", node.Position, ExpressionProblem.NotAvailable);
        if (value.Address is { } address)
            return value.IsUntyped ? TypedValue.Untyped(address) : TypedValue.Of(Scalar.OfInteger(CTypes.PointerTo(value.Type!, Pointer), address));
        if (value.Register is { } register) throw new ExpressionException($"{Quoted(node.Operand)} is in the register {register}: it has no address", node.Position);
        // A symbol without a type is its address.
        return node.Operand is NameNode && value.IsUntyped ? value : throw new ExpressionException("this is not in memory: it has no address", node.Position);
    }

    private TypedValue Binary(BinaryNode node)
    {
        if (node.Operator is Operator.LogicalAnd or Operator.LogicalOr) return Logical(node);
        TypedValue left = Value(node.Left), right = Value(node.Right);
        return Combine(node.Operator, left, right, node.Left, node.Right, node.Position);
    }

    private TypedValue Combine(Operator symbol, TypedValue left, TypedValue right, Node leftNode, Node rightNode, int position)
    {
        if (left.IsUntyped && right.IsUntyped)
        {
            if (_isForTypes && symbol is Operator.Divide or Operator.Remainder && Plain(right) == 0) return TypedValue.Untyped(0);
            ulong number = Arithmetic.Plain(symbol, Plain(left), Plain(right), position);
            return TypedValue.Untyped(number, LiteralOf(symbol, left, right, position));
        }
        if (symbol is Operator.Equal or Operator.NotEqual && CompareTexts(left, right, leftNode, rightNode) is { } areEqual)
            return TypedValue.Of(Scalar.OfInteger(CTypes.Int, areEqual == (symbol == Operator.Equal) ? 1 : 0));
        Scalar a = ScalarOf(left, leftNode), b = ScalarOf(right, rightNode);
        if (symbol is Operator.Add or Operator.Subtract && (a.IsPointer || b.IsPointer)) return MovePointer(symbol, a, b, position);
        if (_isForTypes && symbol is Operator.Divide or Operator.Remainder && !b.IsTrue) b = Scalar.OfInteger(CTypes.Int, 1).ConvertTo(b.Type);
        return TypedValue.Of(Arithmetic.Typed(symbol, a, b, Pointer, position));
    }

    // Numbers alone are computed by C's rules besides, for when the result meets something that has a type.
    private Scalar? LiteralOf(Operator symbol, TypedValue left, TypedValue right, int position)
    {
        if (left.Literal is not { } a || right.Literal is not { } b) return null;
        if (symbol is Operator.Divide or Operator.Remainder && !b.IsTrue) return null;
        return Arithmetic.Typed(symbol, a, b, Pointer, position);
    }

    private TypedValue Logical(BinaryNode node)
    {
        TypedValue left = Value(node.Left);
        bool isTrue = IsTrue(left, node.Left);
        bool isDecided = isTrue == (node.Operator == Operator.LogicalOr);
        TypedValue right = left;
        if (!isDecided || _isForTypes)
        {
            right = Value(node.Right);
            if (!isDecided) isTrue = IsTrue(right, node.Right);
        }
        Scalar result = Scalar.OfInteger(CTypes.Int, isTrue ? 1 : 0);
        return left.IsUntyped && right.IsUntyped ? TypedValue.Untyped(isTrue ? 1UL : 0, result) : TypedValue.Of(result);
    }

    private TypedValue MovePointer(Operator symbol, in Scalar a, in Scalar b, int position)
    {
        if (a.IsPointer && b.IsPointer)
        {
            if (symbol == Operator.Add) throw new ExpressionException("two pointers cannot be added", position);
            long size = (long)Math.Max(1, TypeSize.Size(TargetOf(a), environment, position));
            return TypedValue.Of(Scalar.OfInteger(CTypes.Long(Pointer), Scalar.Wrap(a.Integer - b.Integer, Pointer * 8, isSigned: true) / size));
        }
        Scalar pointer = a.IsPointer ? a : b, count = a.IsPointer ? b : a;
        if (count.IsFloat) throw new ExpressionException("pointers move by whole numbers only", position);
        if (symbol == Operator.Subtract && b.IsPointer) throw new ExpressionException("a pointer cannot be subtracted from a number", position);
        Int128 distance = count.Integer * TypeSize.Size(TargetOf(pointer), environment, position);
        return TypedValue.Of(Scalar.OfInteger(pointer.Type, symbol == Operator.Add ? pointer.Integer + distance : pointer.Integer - distance));
    }

    private static DebugType TargetOf(in Scalar pointer) => ((PointerType)pointer.Type.Stripped).Target;

    private TypedValue Conditional(ConditionalNode node)
    {
        bool isTrue = IsTrue(Value(node.Condition), node.Condition);
        Node taken = isTrue ? node.Then : node.Else;
        TypedValue value = Value(taken);
        if (OtherType(isTrue ? node.Else : node.Then) is not { } other) return value;
        if (value.IsUntyped && other.IsUntyped) return value;
        if (!value.IsUntyped && Referred(value, taken).Type!.Stripped is not (BaseType or EnumerationType)) return value;
        // Both have one type in C, whichever is taken.
        if (!other.IsUntyped && other.Type!.Stripped is not (BaseType or EnumerationType)) return value;
        Scalar number = ScalarOf(value, taken);
        bool wasForTypes = _isForTypes;
        _isForTypes = true;
        BaseType common = Arithmetic.CommonType(number, ScalarOf(other, node), Pointer);
        _isForTypes = wasForTypes;
        return TypedValue.Of(number.ConvertTo(common));
    }

    private TypedValue Comma(CommaNode node)
    {
        Result(node.First);
        return Value(node.Last);
    }

    private TypedValue? OtherType(Node node)
    {
        bool wasForTypes = _isForTypes;
        _isForTypes = true;
        try
        {
            TypedValue value = Referred(Value(node), node);
            return value.Unavailable is null ? value : null;
        }
        catch (ExpressionException)
        {
            return null;
        }
        finally
        {
            _isForTypes = wasForTypes;
        }
    }

    /// <summary>The type that an expression has; it is not worked out.</summary>
    public DebugType TypeOf(Node node)
    {
        bool wasForTypes = _isForTypes;
        _isForTypes = true;
        TypedValue value = Value(node);
        _isForTypes = wasForTypes;
        return value.Type ?? value.Literal?.Type ?? CTypes.UnsignedLong(8);
    }

    private TypedValue Size(SizeOfNode node) => TypeSize.Of(TypeOf(node.Operand), node.IsAlignment, environment, node.Position);

    private TypedValue Cast(TypedValue operand, CastNode node)
    {
        DebugType target = node.Type.Stripped;
        if (target is VoidType) return TypedValue.Of(node.Type, ReadOnlyMemory<byte>.Empty);
        if (target is BaseType { Encoding: not (BaseEncoding.ComplexFloat or BaseEncoding.Other) } or EnumerationType or PointerType)
        {
            // A number alone has all its bits here: (unsigned long)(1 << 40).
            if (operand.IsUntyped && target is not BaseType { IsFloat: true }) return TypedValue.Of(Scalar.OfInteger(CTypes.UnsignedLong(8), Plain(operand)).ConvertTo(node.Type));
            return TypedValue.Of(ScalarOf(operand, node.Operand).ConvertTo(node.Type));
        }
        if (!operand.IsUntyped && Referred(operand, node.Operand) is var value && ReferenceEquals(value.Type!.Stripped, target)) return value;
        throw new ExpressionException($"nothing is converted to '{TypeText.Of(node.Type)}': take *({TypeText.Of(CTypes.PointerTo(node.Type, Pointer))})ADDRESS", node.Position);
    }

    // ---- Parts.

    private TypedValue Member(MemberNode node)
    {
        TypedValue value = Value(node.Operand);
        if (value.IsUntyped)
            throw new ExpressionException($"{Quoted(node.Operand)} has no type: cast it first, as in ((struct foo *)p)->{node.Name}", node.Position);
        value = Referred(value, node.Operand);
        // As debuggers do, either sign goes through a pointer.
        if (value.Type!.Stripped is PointerType or ArrayType && node.Operand is not TextNode)
        {
            Scalar pointer = ScalarOf(value, node.Operand);
            value = TypedValue.InMemory(TargetOf(pointer), pointer.Bits);
        }
        return Referred(value.Part(MemberFinder.Find(value.Type!, node.Name, environment, node.Position), environment), node);
    }

    private TypedValue Index(IndexNode node)
    {
        TypedValue value = Value(node.Operand), index = Value(node.Index);
        if (!value.IsUntyped) value = Referred(value, node.Operand);
        // C does not care which is which: 2[array].
        if (IsNumber(value) && !IsNumber(index)) (value, index) = (Referred(index, node.Index), value);
        Scalar number = ScalarOf(index, node.Index);
        if (number.IsFloat || number.IsPointer) throw new ExpressionException("an index is a whole number", node.Position);
        return Element(value, number.Integer, node.Operand, node.Position);
    }

    private static bool IsNumber(TypedValue value) => value.IsUntyped || value.Type!.Stripped is BaseType or EnumerationType;

    private TypedValue Element(TypedValue value, Int128 index, Node operand, int position)
    {
        if (value.IsUntyped) throw new ExpressionException($"{Quoted(operand)} has no type: cast it first, as in ((unsigned char *)p)[0]", position);
        if (value.Type!.Stripped is ArrayType array)
        {
            ulong size = TypeSize.Size(array.Element, environment, position);
            return value.Part(array.Element, (long)Scalar.Wrap((index - array.LowerBound) * size, 64, isSigned: true));
        }
        if (value.Type.Stripped is not PointerType pointer) throw new ExpressionException($"{Quoted(operand)} is a '{TypeText.Of(value.Type)}': it has no elements", position);
        if (pointer.Target.Stripped is VoidType) throw new ExpressionException("what a void * points to is not known: cast it first, as in ((char *)p)[0]", position);
        ulong address = ScalarOf(value, operand).Bits + (ulong)(UInt128)(index * TypeSize.Size(pointer.Target, environment, position));
        return TypedValue.InMemory(pointer.Target, Pointer == 4 ? (uint)address : address);
    }

    private TypedValue Slice(SliceNode node)
    {
        TypedValue value = Value(node.Operand);
        if (!value.IsUntyped) value = Referred(value, node.Operand);
        Int128 from = ScalarOf(Value(node.From), node.From).Integer, to = ScalarOf(Value(node.To), node.To).Integer;
        if (to < from || to - from > MaximumElements) throw new ExpressionException($"a slice has from 0 to {MaximumElements} elements", node.Position);
        TypedValue first = Element(value, from, node.Operand, node.Position);
        return Many(first, (long)from, (ulong)(to - from), node.Position);
    }

    private TypedValue Repeat(RepeatNode node)
    {
        TypedValue first = Value(node.Operand);
        if (first.IsUntyped) throw new ExpressionException($"{Quoted(node.Operand)} has no type: cast it first, as in *(int *)p@4", node.Position);
        Int128 count = ScalarOf(Value(node.Count), node.Count).Integer;
        if (count < 1 || count > MaximumElements) throw new ExpressionException($"a slice has from 1 to {MaximumElements} elements", node.Position);
        return Many(Referred(first, node.Operand), 0, (ulong)count, node.Position);
    }

    private static TypedValue Many(TypedValue first, long lowerBound, ulong count, int position)
    {
        if (first.Address is not { } address || first.BitSize > 0) throw new ExpressionException("only what is in memory has something behind it", position);
        DebugType element = first.Type!;
        return TypedValue.InMemory(new ArrayType(() => element, lowerBound, count), address, first.IsPhysical);
    }

    // ---- Texts.

    // A text is compared with what a pointer or array of characters spells; null: these are not such.
    private bool? CompareTexts(TypedValue left, TypedValue right, Node leftNode, Node rightNode)
    {
        if (rightNode is TextNode text) return Spells(left, text.Bytes, leftNode);
        return leftNode is TextNode other ? Spells(right, other.Bytes, rightNode) : null;
    }

    private bool? Spells(TypedValue value, byte[] text, Node node)
    {
        if (node is TextNode { Bytes: var bytes }) return bytes.AsSpan().SequenceEqual(text);
        if (value.IsUntyped || text.Length >= MaximumTextBytes) return null;
        value = Referred(value, node);
        if (value.Type!.Stripped is ArrayType { Element.Stripped: BaseType { SizeBytes: 1 } } array)
        {
            int length = (int)Math.Min(array.Count ?? MaximumTextBytes, (ulong)text.Length + 1);
            var held = new byte[length];
            if (!value.TryRead(environment, held)) return _isForTypes ? false : throw Unreadable(value.Address ?? 0, value.IsPhysical, node.Position);
            return held.AsSpan(0, Math.Min(length, text.Length)).SequenceEqual(text) && (length == text.Length || held[^1] == 0);
        }
        if (value.Type.Stripped is not PointerType { Target.Stripped: BaseType { SizeBytes: 1 } }) return null;
        ulong address = ScalarOf(value, node).Bits;
        var found = new byte[text.Length + 1];
        int count = environment.Read(address, false, found);
        if (count < found.Length && found.AsSpan(0, count).SequenceEqual(text.AsSpan(0, count)) && !_isForTypes) throw Unreadable(address + (ulong)count, false, node.Position);
        return count == found.Length && found[^1] == 0 && found.AsSpan(0, text.Length).SequenceEqual(text);
    }

    // ---- Changes.

    private TypedValue Assign(AssignmentNode node)
    {
        TypedValue target = Value(node.Target);
        if (_isForTypes) return target;
        if (!target.IsUntyped) target = Referred(target, node.Target);
        RequireAssignable(target, node.Target, node.Position);
        TypedValue source = Value(node.Source);
        if (node.Operator is { } symbol) source = Combine(symbol, target, source, node.Target, node.Source, node.Position);
        Assign(target, source, node.Position);
        return Result(node.Target);
    }

    private void RequireAssignable(TypedValue target, Node node, int position)
    {
        if (!environment.CanWrite) throw new ExpressionException("nothing is changed by an expression here: '==' compares", position, ExpressionProblem.Refused);
        if (target.Unavailable is { } reason) throw new ExpressionException($"{Quoted(node)} cannot be changed: {reason}", position, ExpressionProblem.NotAvailable);
        if (!target.IsAssignable) throw new ExpressionException($"{Quoted(node)} cannot be changed: it is neither in memory nor in a register", position);
    }

    /// <summary>Writes a value, converted to the target's type.</summary>
    public void Assign(TypedValue target, TypedValue source, int position)
    {
        var node = new NameNode(position, "the value", null);
        if (!target.IsUntyped) target = Referred(target, node);
        RequireAssignable(target, node, position);
        byte[] bytes = target.IsUntyped ? BitConverter.GetBytes(Number(source, node))[..target.SizeBytes] : Converted(source, target.Type!, position);
        Write(target, bytes, position);
    }

    private void Write(TypedValue target, byte[] bytes, int position)
    {
        string? problem;
        if (target.Address is { } address)
        {
            if (target.BitSize > 0) bytes = Merged(target, bytes, position);
            problem = environment.Write(address, target.IsPhysical, bytes);
        }
        else
        {
            Span<byte> wide = stackalloc byte[8];
            wide.Clear();
            bytes.AsSpan(0, Math.Min(8, bytes.Length)).CopyTo(wide);
            problem = bytes.Length > 8 ? "it is longer than a register" : environment.WriteRegister(target.Register!, BitConverter.ToUInt64(wide));
        }
        if (problem is not null) throw new ExpressionException(problem, position);
    }

    // A bit-field's bits among those of its neighbours.
    private byte[] Merged(TypedValue target, byte[] bits, int position)
    {
        var bytes = new byte[(target.BitOffset + target.BitSize + 7) / 8];
        if (!target.TryRead(environment, bytes)) throw Unreadable(target.Address!.Value, target.IsPhysical, position);
        for (uint i = 0; i < target.BitSize; i++)
        {
            uint at = target.BitOffset + i;
            bool isSet = i / 8 < bits.Length && (bits[i / 8] >> (int)(i % 8) & 1) != 0;
            bytes[at / 8] = (byte)(isSet ? bytes[at / 8] | 1 << (int)(at % 8) : bytes[at / 8] & ~(1 << (int)(at % 8)));
        }
        return bytes;
    }

    /// <summary>The bytes of a value as another type, as C's assignment converts.</summary>
    public byte[] Converted(TypedValue value, DebugType type, int position)
    {
        var node = new NameNode(position, "the value", null);
        if (type.Stripped is BaseType { Encoding: not (BaseEncoding.ComplexFloat or BaseEncoding.Other) } or EnumerationType or PointerType)
        {
            if (value.IsUntyped && type.Stripped is not BaseType { IsFloat: true }) return Scalar.OfInteger(CTypes.UnsignedLong(8), Plain(value)).ConvertTo(type).ToBytes();
            return ScalarOf(value, node).ConvertTo(type).ToBytes();
        }
        if (!value.IsUntyped) value = Referred(value, node);
        int size = TypedValue.SizeOf(type);
        bool isText = type.Stripped is ArrayType { Element.Stripped: BaseType { SizeBytes: 1 } } && value.KnownBytes is not null && value.Type?.Stripped is ArrayType;
        if (size is 0 or > MaximumTextBytes || (!isText && !ReferenceEquals(value.Type?.Stripped, type.Stripped)) || (isText && value.SizeBytes > size))
            throw new ExpressionException($"it cannot be converted to '{TypeText.Of(type)}'", position);
        var bytes = new byte[size];
        if (!value.TryRead(environment, bytes.AsSpan(0, isText ? value.SizeBytes : size))) throw Unreadable(value.Address ?? 0, value.IsPhysical, position);
        return bytes;
    }

    private TypedValue Call(CallNode node)
    {
        if (!environment.CanCall || _isForTypes)
        {
            string name = node.Function is NameNode named ? named.Name : "the function";
            throw new ExpressionException($"{name}(...) would run the guest: {environment.WhyNoCalls}", node.Position, ExpressionProblem.Refused);
        }
        TypedValue function = Value(node.Function);
        var arguments = new List<TypedValue>();
        foreach (Node argument in node.Arguments) arguments.Add(Result(argument));
        return environment.Call(function, arguments);
    }
}
