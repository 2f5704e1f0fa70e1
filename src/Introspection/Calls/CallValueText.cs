using System;
using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Introspection.Programs;
using Introspection.Text;
using Symbols.Types;

namespace Introspection.Calls;

/// <summary>Values in short: numbers, enumerators, pointers with what they point to, strings, and structures as lists.</summary>
public sealed class CallValueText(ISymbolSource symbols) : ICallValueText
{
    private const int MaximumStringBytes = 64, MaximumMembers = 8, MaximumDepth = 3;
    /// <summary>Numbers below it, and those just below zero, are hardly addresses.</summary>
    private const ulong LowestAddress = 4096;

    public string TextOf(DebugType type, ReadOnlySpan<byte> bytes, ICallMemory memory) => TextOf(type, bytes, memory, 0);

    public string TextOfWord(ulong word)
    {
        string? name = word >= LowestAddress ? NameOf(word) : null;
        return name is null ? Hexadecimal.Of(word) : $"{Hexadecimal.Of(word)} <{name}>";
    }

    private string TextOf(DebugType type, ReadOnlySpan<byte> bytes, ICallMemory memory, int depth)
    {
        DebugType stripped = type.Stripped;
        ulong? size = stripped.SizeBytes;
        if (bytes.IsEmpty || (stripped is not (RecordType or ArrayType) && size is { } whole && (ulong)bytes.Length < whole)) return "?";
        switch (stripped)
        {
            case BaseType { Encoding: BaseEncoding.Boolean }: return NumberOf(bytes) != 0 ? "true" : "false";
            case BaseType { Encoding: BaseEncoding.Float } number: return FloatOf(bytes, number.SizeBytes ?? 0);
            case BaseType { IsCharacter: true, SizeBytes: 1 } character: return $"{SignedText(character, bytes)} {Quoted([bytes[0]], '\'')}";
            case BaseType { SizeBytes: <= 8 } number: return SignedText(number, bytes);
            case EnumerationType enumeration: return EnumeratorOf(enumeration, bytes);
            case PointerType pointer: return PointerText(pointer, bytes, memory);
            case RecordType record when depth < MaximumDepth: return MembersOf(record, bytes, memory, depth);
            case ArrayType array when array.Element.Stripped is BaseType { IsCharacter: true, SizeBytes: 1 }: return Quoted(UpToZero(bytes), '"');
            case ArrayType { Element.SizeBytes: > 0 and var element } array when depth < MaximumDepth: return ElementsOf(array, element, bytes, memory, depth);
            case RecordType or ArrayType: return "{...}";
            default: return bytes.Length <= 8 ? Hexadecimal.Of(NumberOf(bytes)) : Hexadecimal.Bytes(bytes[..Math.Min(bytes.Length, 16)]);
        }
    }

    private string PointerText(PointerType pointer, ReadOnlySpan<byte> bytes, ICallMemory memory)
    {
        ulong address = NumberOf(bytes);
        if (address == 0) return pointer.IsReference ? "0x0" : "NULL";
        if (pointer.Target.Stripped is not BaseType { IsCharacter: true, SizeBytes: 1 }) return TextOfWord(address);
        Span<byte> text = stackalloc byte[MaximumStringBytes];
        int count = memory.Read(address, text);
        return count == 0 ? TextOfWord(address) : $"{Hexadecimal.Of(address)} {Quoted(UpToZero(text[..count]), '"')}{(text[..count].Contains((byte)0) ? "" : "...")}";
    }

    private string MembersOf(RecordType record, ReadOnlySpan<byte> bytes, ICallMemory memory, int depth)
    {
        var text = new StringBuilder("{");
        int count = 0;
        foreach (RecordMember member in record.Members)
        {
            if (text.Length > 1) text.Append(", ");
            if (count++ == MaximumMembers)
            {
                text.Append("...");
                break;
            }
            if (member.Name is not null) text.Append(member.Name).Append('=');
            if (member.IsBitField) text.Append(BitsOf(member, bytes));
            else text.Append(TextOf(member.Type, Part(bytes, member.OffsetBytes, member.Type.SizeBytes ?? 0), memory, depth + 1));
        }
        return text.Append('}').ToString();
    }

    private string ElementsOf(ArrayType array, ulong element, ReadOnlySpan<byte> bytes, ICallMemory memory, int depth)
    {
        var text = new StringBuilder("{");
        for (ulong at = 0; at + element <= (ulong)bytes.Length; at += element)
        {
            if (at > 0) text.Append(", ");
            if (at / element == MaximumMembers) return text.Append("...}").ToString();
            text.Append(TextOf(array.Element, Part(bytes, at, element), memory, depth + 1));
        }
        return text.Append('}').ToString();
    }

    private static string BitsOf(RecordMember member, ReadOnlySpan<byte> bytes)
    {
        ulong first = member.BitOffset / 8, last = (member.BitOffset + member.BitSize - 1) / 8;
        if (member.BitSize > 64 || last >= (ulong)bytes.Length) return "?";
        UInt128 value = 0;
        for (ulong i = last + 1; i-- > first;) value = value << 8 | bytes[(int)i];
        ulong bits = (ulong)(value >> (int)(member.BitOffset % 8)) & (member.BitSize == 64 ? ulong.MaxValue : (1UL << (int)member.BitSize) - 1);
        bool isNegative = member.Type.Stripped is BaseType { IsSigned: true } && (bits >> ((int)member.BitSize - 1) & 1) != 0;
        return isNegative ? ((long)(bits << (64 - (int)member.BitSize)) >> (64 - (int)member.BitSize)).ToString(CultureInfo.InvariantCulture) : bits.ToString(CultureInfo.InvariantCulture);
    }

    private static string EnumeratorOf(EnumerationType type, ReadOnlySpan<byte> bytes)
    {
        ulong number = type.IsSigned ? CallValueReader.Extended(bytes, true) : NumberOf(bytes);
        foreach (Enumerator one in type.Enumerators)
            if (one.Value == number) return one.Name;
        return type.IsSigned ? ((long)number).ToString(CultureInfo.InvariantCulture) : number.ToString(CultureInfo.InvariantCulture);
    }

    private static string SignedText(BaseType type, ReadOnlySpan<byte> bytes)
    {
        ulong number = CallValueReader.Extended(bytes, type.IsSigned);
        return type.IsSigned ? ((long)number).ToString(CultureInfo.InvariantCulture) : number.ToString(CultureInfo.InvariantCulture);
    }

    private static string FloatOf(ReadOnlySpan<byte> bytes, ulong size) => size switch
    {
        2 => FloatText.Of((float)BinaryPrimitives.ReadHalfLittleEndian(bytes)),
        4 => FloatText.Of(BinaryPrimitives.ReadSingleLittleEndian(bytes)),
        8 => FloatText.Of(BinaryPrimitives.ReadDoubleLittleEndian(bytes)),
        10 or 12 or 16 => FloatText.Of(new Vmm.Cpu.X87Register
        {
            Significand = BinaryPrimitives.ReadUInt64LittleEndian(bytes), SignExponent = BinaryPrimitives.ReadUInt16LittleEndian(bytes[8..]),
        }),
        _ => Hexadecimal.Bytes(bytes),
    };

    private string? NameOf(ulong address)
    {
        if (symbols.NameOf(address, out ulong offset) is not { } name) return null;
        return offset == 0 ? name : $"{name}+0x{offset:x}";
    }

    private static ReadOnlySpan<byte> Part(ReadOnlySpan<byte> bytes, ulong offset, ulong size) =>
        offset >= (ulong)bytes.Length ? default : bytes.Slice((int)offset, (int)Math.Min(size, (ulong)bytes.Length - offset));

    private static ulong NumberOf(ReadOnlySpan<byte> bytes) => CallValueReader.Extended(bytes, false);

    private static ReadOnlySpan<byte> UpToZero(ReadOnlySpan<byte> bytes)
    {
        int end = bytes.IndexOf((byte)0);
        return end < 0 ? bytes : bytes[..end];
    }

    private static string Quoted(ReadOnlySpan<byte> bytes, char quote)
    {
        var text = new StringBuilder().Append(quote);
        foreach (byte b in bytes)
        {
            if (b == (byte)quote || b == '\\') text.Append('\\').Append((char)b);
            else if (b == '\n') text.Append("\\n");
            else if (b == '\t') text.Append("\\t");
            else if (b is >= 0x20 and < 0x7F) text.Append((char)b);
            else text.Append(CultureInfo.InvariantCulture, $"\\x{b:x2}");
        }
        return text.Append(quote).ToString();
    }
}
