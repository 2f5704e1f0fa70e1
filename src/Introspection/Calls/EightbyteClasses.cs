using System;
using Symbols.Types;

namespace Introspection.Calls;

/// <summary>Classes of the eightbytes of a value (System V ABI, AMD64 supplement, 3.2.3).</summary>
internal enum EightbyteClass
{
    None,
    Integer,
    Sse,
    /// <summary>The upper half of a vector in one XMM register.</summary>
    SseUp,
    X87,
    Memory,
}

/// <summary>How a value of at most 16 bytes is passed; larger ones are in memory.</summary>
internal struct EightbyteClasses
{
    private const int MaximumDepth = 16;

    /// <summary>Of its first eight bytes.</summary>
    public EightbyteClass First;
    /// <summary>Of the others; none for values of up to 8 bytes.</summary>
    public EightbyteClass Second;

    public readonly bool IsMemory => First == EightbyteClass.Memory;

    public static EightbyteClasses Of(DebugType type)
    {
        var classes = new EightbyteClasses();
        DebugType stripped = type.Stripped;
        ulong size = stripped.SizeBytes ?? 8;
        if (stripped is RecordType or ArrayType && (size > 16 || stripped.SizeBytes is null)) classes.First = EightbyteClass.Memory;
        else classes.Add(stripped, 0, 0);
        // An x87 value is only passed as such where it is the whole one.
        if (stripped is RecordType && (classes.First == EightbyteClass.X87 || classes.Second is EightbyteClass.X87 or EightbyteClass.Memory)) classes.First = EightbyteClass.Memory;
        return classes;
    }

    private void Add(DebugType type, ulong offset, int depth)
    {
        if (depth > MaximumDepth || IsMemory || offset >= 16) return;
        DebugType stripped = type.Stripped;
        ulong size = stripped.SizeBytes ?? 8;
        switch (stripped)
        {
            case RecordType record:
                foreach (RecordMember member in record.Members)
                {
                    // A member that is not where its alignment puts it, as in a packed structure.
                    if (!member.IsBitField && member.OffsetBytes % Alignment(member.Type, 0) != 0) First = EightbyteClass.Memory;
                    Add(member.Type, offset + member.BitOffset / 8, depth + 1);
                }
                break;
            case ArrayType { IsVector: true } when size == 16:
                Merge(offset, EightbyteClass.Sse);
                Merge(offset + 8, EightbyteClass.SseUp);
                break;
            case ArrayType { IsVector: true }:
                Merge(offset, EightbyteClass.Sse);
                break;
            case ArrayType array:
                ulong step = Math.Max(1, array.Element.SizeBytes ?? 1);
                for (ulong at = 0; at < size && offset + at < 16; at += step) Add(array.Element, offset + at, depth + 1);
                break;
            case BaseType { Encoding: BaseEncoding.Float } when size > 8:
                // A long double; one of 128 bits would be in an XMM register.
                bool isQuad = stripped.Name is { } name && name.Contains("128", StringComparison.Ordinal);
                Merge(offset, isQuad ? EightbyteClass.Sse : EightbyteClass.X87);
                if (isQuad) Merge(offset + 8, EightbyteClass.SseUp);
                break;
            case BaseType { Encoding: BaseEncoding.ComplexFloat } when size > 16:
                First = EightbyteClass.Memory;
                break;
            case BaseType { Encoding: BaseEncoding.Float or BaseEncoding.ComplexFloat }:
                Merge(offset, EightbyteClass.Sse);
                if (size > 8) Merge(offset + 8, EightbyteClass.Sse);
                break;
            default:
                Merge(offset, EightbyteClass.Integer);
                if (size > 8) Merge(offset + 8, EightbyteClass.Integer);
                break;
        }
    }

    private void Merge(ulong offset, EightbyteClass with)
    {
        if (offset < 8) First = Merged(First, with);
        else if (offset < 16) Second = Merged(Second, with);
    }

    private static EightbyteClass Merged(EightbyteClass a, EightbyteClass b)
    {
        if (a == b || b == EightbyteClass.None) return a;
        if (a == EightbyteClass.None) return b;
        if (a == EightbyteClass.Memory || b == EightbyteClass.Memory) return EightbyteClass.Memory;
        if (a == EightbyteClass.Integer || b == EightbyteClass.Integer) return EightbyteClass.Integer;
        return a == EightbyteClass.X87 || b == EightbyteClass.X87 ? EightbyteClass.Memory : EightbyteClass.Sse;
    }

    /// <summary>As the ABI aligns a type, in bytes.</summary>
    public static ulong Alignment(DebugType type, int depth)
    {
        DebugType stripped = type.Stripped;
        if (depth > MaximumDepth) return 1;
        switch (stripped)
        {
            case ArrayType { IsVector: false } array: return Alignment(array.Element, depth + 1);
            case RecordType record:
                ulong most = 1;
                foreach (RecordMember member in record.Members) most = Math.Max(most, Alignment(member.Type, depth + 1));
                return most;
            case BaseType { Encoding: BaseEncoding.ComplexFloat } complex: return Math.Max(1, (complex.SizeBytes ?? 2) / 2);
            default: return Math.Clamp(stripped.SizeBytes ?? 1, 1, 16);
        }
    }
}
