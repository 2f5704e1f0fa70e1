using System.Collections.Generic;
using Symbols.Types;

namespace Introspection.Linux;

/// <summary>Where a member is.</summary>
/// <param name="Offset">Bytes from the structure's beginning.</param>
/// <param name="SizeBytes">Of the member; 0: its type has none.</param>
/// <param name="Type">Of the member.</param>
internal readonly record struct KernelField(ulong Offset, int SizeBytes, DebugType Type)
{
    /// <summary>Of an array; 0: it is none, or its end is not known.</summary>
    internal int Count => Type.Stripped is ArrayType { Count: { } count } ? (int)System.Math.Min(count, int.MaxValue) : 0;
}

/// <summary>Members of the kernel's structures, found and read as its types say: another version has them elsewhere, or has others.</summary>
internal sealed class KernelLayout(ITypeCatalog types)
{
    private const int PointerBytes = 8;

    private readonly Dictionary<(string Structure, string Path), KernelField?> _fields = [];

    /// <summary>A member by its path with dots; null: there is none.</summary>
    internal KernelField? Field(string structure, string path)
    {
        if (_fields.TryGetValue((structure, path), out KernelField? known)) return known;
        return _fields[(structure, path)] = Find(structure, path);
    }

    internal ulong? Offset(string structure, string path) => Field(structure, path)?.Offset;

    /// <summary>Bytes of a structure; null: it is not known.</summary>
    internal ulong? SizeOf(string structure) => types.FindType(structure, TypeTag.Struct)?.SizeBytes;

    /// <summary>A member's value; null: there is no such member, it is no number, or it cannot be read.</summary>
    internal ulong? Number(AddressSpaceReader memory, ulong address, string structure, string path) =>
        Field(structure, path) is { SizeBytes: > 0 and <= 8 } field ? memory.ReadNumber(address + field.Offset, field.SizeBytes) : null;

    /// <summary>A pointer's value; null: there is none, it cannot be read, or it is NULL.</summary>
    internal ulong? Pointer(AddressSpaceReader memory, ulong address, string structure, string path) =>
        Field(structure, path) is { SizeBytes: PointerBytes } field && memory.ReadNumber(address + field.Offset, PointerBytes) is { } value and not 0 ? value : null;

    /// <summary>An array of characters; null: there is no such member, or it cannot be read.</summary>
    internal string? Text(AddressSpaceReader memory, ulong address, string structure, string path) =>
        Field(structure, path) is { SizeBytes: > 0 and <= 4096 } field ? memory.ReadText(address + field.Offset, field.SizeBytes) : null;

    /// <summary>
    /// The structures of a circular list (include/linux/list.h), at most <paramref name="limit"/>: damaged memory may have lists that never come back.
    /// </summary>
    /// <param name="memory">The kernel's.</param>
    /// <param name="head">Address of the list's head, which is in none of them.</param>
    /// <param name="structure">What is in the list.</param>
    /// <param name="path">The member that links it.</param>
    /// <param name="limit">No list is longer.</param>
    internal IEnumerable<ulong> List(AddressSpaceReader memory, ulong head, string structure, string path, int limit)
    {
        if (Offset(structure, path) is not { } offset) yield break;
        ulong link = head;
        for (int i = 0; i < limit; i++)
        {
            if (memory.ReadNumber(link, PointerBytes) is not { } next || next == head || next == 0) yield break;
            yield return next - offset;
            link = next;
        }
    }

    private KernelField? Find(string structure, string path)
    {
        DebugType? type = types.FindType(structure, TypeTag.Struct) ?? types.FindType(structure, TypeTag.Union);
        ulong bits = 0;
        foreach (string part in path.Split('.'))
        {
            if (type?.Stripped is not RecordType record || Member(record, part, 0) is not { } member) return null;
            bits += member.BitOffset;
            type = member.Type;
        }
        return type is null || bits % 8 != 0 ? null : new KernelField(bits / 8, (int)System.Math.Min(type.SizeBytes ?? 0, int.MaxValue), type);
    }

    // Members of members without a name count as the outer one's.
    private static (ulong BitOffset, DebugType Type)? Member(RecordType record, string name, int depth)
    {
        foreach (RecordMember member in record.Members)
        {
            if (member.Name == name) return member.IsBitField ? null : (member.BitOffset, member.Type);
            if (member.Name is null && depth < 8 && member.Type.Stripped is RecordType inner && Member(inner, name, depth + 1) is { } found)
                return (member.BitOffset + found.BitOffset, found.Type);
        }
        return null;
    }
}
