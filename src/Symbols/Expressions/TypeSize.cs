using System;
using Symbols.Types;

namespace Symbols.Expressions;

/// <summary>C's <c>sizeof</c> and <c>_Alignof</c>.</summary>
internal static class TypeSize
{
    private const int MaximumDepth = 32;

    /// <exception cref="ExpressionException">It has no size that is known.</exception>
    public static TypedValue Of(DebugType type, bool isAlignment, IExpressionEnvironment environment, int position)
    {
        ulong size = isAlignment ? Alignment(type, environment, 0) : Size(type, environment, position);
        return TypedValue.Of(Scalar.OfInteger(CTypes.UnsignedLong(environment.AddressSizeBytes), size));
    }

    /// <summary>Size of an element that pointers move over: void and functions count as bytes, as with GCC.</summary>
    public static ulong Size(DebugType type, IExpressionEnvironment environment, int position)
    {
        DebugType stripped = type.Stripped;
        if (stripped is VoidType or FunctionType) return 1;
        if (stripped is PointerType { IsReference: true } reference) return Size(reference.Target, environment, position);
        if (stripped is RecordType record) stripped = MemberFinder.Definition(record, environment);
        return stripped.SizeBytes ?? throw new ExpressionException($"the size of '{TypeText.Of(type)}' is not known", position);
    }

    // As the System V ABI aligns on x86: each by its size, records by their members.
    private static ulong Alignment(DebugType type, IExpressionEnvironment environment, int depth)
    {
        if (depth > MaximumDepth) return 1;
        switch (type.Stripped)
        {
            case ArrayType array:
                return Alignment(array.Element, environment, depth + 1);
            case RecordType record:
                ulong most = 1;
                foreach (RecordMember member in MemberFinder.Definition(record, environment).Members) most = Math.Max(most, Alignment(member.Type, environment, depth + 1));
                return most;
            case { SizeBytes: { } size and > 0 }:
                ulong power = 1;
                while (power * 2 <= size && power < 16) power *= 2;
                return environment.AddressSizeBytes == 4 ? Math.Min(power, 4) : power;
            default:
                return 1;
        }
    }
}
