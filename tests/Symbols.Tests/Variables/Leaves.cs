using System;
using System.Collections.Generic;
using System.Globalization;
using Symbols.Expressions;
using Symbols.Types;

namespace Symbols.Tests.Variables;

/// <summary>The scalars in a value, as <see cref="GdbStops"/> has gdb write them.</summary>
internal static class Leaves
{
    private const ulong MaximumElements = 301;

    internal static List<string> Of(string path, TypedValue value, IExpressionEnvironment environment)
    {
        var leaves = new List<string>();
        Add(path, value, environment, leaves);
        return leaves;
    }

    private static void Add(string path, TypedValue value, IExpressionEnvironment environment, List<string> leaves)
    {
        switch (value.Type?.Stripped)
        {
            case PointerType { IsReference: true } reference when Bits(value, environment) is { } address:
                Add(path, TypedValue.InMemory(reference.Target, BitConverter.ToUInt64(address)), environment, leaves);
                break;
            case RecordType record:
                foreach (RecordMember member in record.Members) Add(path, member, value, environment, leaves);
                // gdb has the discriminant as a member without a name.
                if (record.Variants?.Discriminant is { } discriminant) Add(path, discriminant with { Name = null }, value, environment, leaves);
                foreach (RecordMember member in value.Variant(record, environment)?.Members ?? []) Add(path, member, value, environment, leaves);
                break;
            case ArrayType array:
                for (ulong i = 0; i < Math.Min(array.Count ?? 0, MaximumElements); i++)
                    Add($"{path}[{i}]", value.Part(array.Element, (long)(i * (array.Element.SizeBytes ?? 0))), environment, leaves);
                break;
            default:
                leaves.Add($"{path}={Text(value, environment)}");
                break;
        }
    }

    private static void Add(string path, RecordMember member, TypedValue value, IExpressionEnvironment environment, List<string> leaves)
    {
        string name = member.IsBase ? $"{path}.<{TypeText.Of(member.Type)}>" : member.Name is null ? path : $"{path}.{member.Name}";
        Add(name, value.Part(member, environment), environment, leaves);
    }

    private static string Text(TypedValue value, IExpressionEnvironment environment)
    {
        if (value.Unavailable is { } reason) return reason.Contains("optimised out", StringComparison.Ordinal) ? "optimized" : "error";
        if (Bits(value, environment) is not { } bytes) return "error";
        if (value.BitSize > 0)
        {
            ulong bits = BitConverter.ToUInt64([.. bytes, .. new byte[8]]) >> (int)value.BitOffset;
            if (value.BitSize < 64) bits &= (1ul << (int)value.BitSize) - 1;
            return bits.ToString("x", CultureInfo.InvariantCulture);
        }
        Array.Reverse(bytes);
        return Convert.ToHexStringLower(bytes);
    }

    private static byte[]? Bits(TypedValue value, IExpressionEnvironment environment)
    {
        int size = value.BitSize > 0 ? (int)(value.BitOffset + value.BitSize + 7) / 8 : value.KnownBytes?.Length ?? value.SizeBytes;
        if (value.Unavailable is not null || size is < 0 or > 256) return null;
        var bytes = new byte[size];
        return value.TryRead(environment, bytes) ? bytes : null;
    }
}
