using System.Collections.Generic;
using Symbols.Types;

namespace Symbols.Expressions;

/// <summary>An expression as it is written. <see cref="Position"/> is where in the text its operator or first letter is.</summary>
internal abstract record Node(int Position);

/// <summary>A number without a suffix: it has C's type where it meets values with types, and is a number of 64 bits elsewhere.</summary>
/// <param name="Position">See <see cref="Node"/>.</param>
/// <param name="Value">Made once: values do not change.</param>
internal sealed record LiteralNode(int Position, TypedValue Value) : Node(Position);

/// <summary>A text between quotes.</summary>
internal sealed record TextNode(int Position, TypedValue Value, byte[] Bytes) : Node(Position);

/// <summary>A variable, register, constant or symbol; <see cref="Scope"/> as in <c>'file.c'::name</c>.</summary>
internal sealed record NameNode(int Position, string Name, string? Scope) : Node(Position);

/// <summary><c>$rax</c></summary>
internal sealed record RegisterNode(int Position, string Name) : Node(Position);

/// <summary>Memory without a type: <c>dword phys[..]</c>.</summary>
internal sealed record LoadNode(int Position, Node Address, int SizeBytes, bool IsPhysical) : Node(Position);

/// <summary>A sign before: <c>- ~ ! + * &amp;</c>.</summary>
internal sealed record UnaryNode(int Position, char Operator, Node Operand) : Node(Position);

/// <summary>Arithmetic and comparisons, also <c>&amp;&amp;</c> and <c>||</c>.</summary>
internal sealed record BinaryNode(int Position, Operator Operator, Node Left, Node Right) : Node(Position);

/// <summary><c>a ? b : c</c></summary>
internal sealed record ConditionalNode(int Position, Node Condition, Node Then, Node Else) : Node(Position);

/// <summary><c>=</c>, or an operator and <c>=</c>.</summary>
internal sealed record AssignmentNode(int Position, Operator? Operator, Node Target, Node Source) : Node(Position);

/// <summary><c>(a, b)</c>: both are worked out, and the last one counts.</summary>
internal sealed record CommaNode(int Position, Node First, Node Last) : Node(Position);

/// <summary><c>(type)x</c></summary>
internal sealed record CastNode(int Position, DebugType Type, Node Operand) : Node(Position);

/// <summary><c>sizeof x</c> and <c>_Alignof</c> of an expression.</summary>
internal sealed record SizeOfNode(int Position, Node Operand, bool IsAlignment) : Node(Position);

/// <summary><c>a.b</c> and <c>a->b</c>.</summary>
internal sealed record MemberNode(int Position, Node Operand, string Name, bool IsArrow) : Node(Position);

/// <summary><c>a[i]</c></summary>
internal sealed record IndexNode(int Position, Node Operand, Node Index) : Node(Position);

/// <summary><c>a[from..to]</c></summary>
internal sealed record SliceNode(int Position, Node Operand, Node From, Node To) : Node(Position);

/// <summary><c>a@count</c></summary>
internal sealed record RepeatNode(int Position, Node Operand, Node Count) : Node(Position);

/// <summary><c>f(a, b)</c></summary>
internal sealed record CallNode(int Position, Node Function, IReadOnlyList<Node> Arguments) : Node(Position);

/// <summary><c>container_of(pointer, type, member)</c></summary>
internal sealed record ContainerNode(int Position, Node Pointer, DebugType Type, long OffsetBytes) : Node(Position);

/// <summary>Operators of two operands.</summary>
internal enum Operator
{
    LogicalOr,
    LogicalAnd,
    Or,
    ExclusiveOr,
    And,
    Equal,
    NotEqual,
    LessOrEqual,
    GreaterOrEqual,
    Less,
    Greater,
    ShiftLeft,
    ShiftRight,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}
