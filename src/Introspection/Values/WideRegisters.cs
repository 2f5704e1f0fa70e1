using System;
using System.Globalization;
using System.Runtime.InteropServices;
using Symbols.Expressions;
using Symbols.Types;
using Vmm.Cpu;

namespace Introspection.Values;

/// <summary>The x87's and the vector registers as values, named and typed as gdb has them: <c>st0</c> to <c>st7</c> from the top of the stack, <c>xmm0.v4_float[1]</c>.</summary>
internal static class WideRegisters
{
    private const int VectorBytes = 16;

    private static readonly BaseType s_extended = new("long double", 16, BaseEncoding.Float);
    private static readonly RecordType s_vector = new(RecordKind.Union, "vec128", VectorBytes, false, static () =>
    [
        Lanes("v4_float", new BaseType("float", 4, BaseEncoding.Float)), Lanes("v2_double", new BaseType("double", 8, BaseEncoding.Float)),
        Lanes("v16_int8", new BaseType("int8_t", 1, BaseEncoding.Signed)), Lanes("v8_int16", new BaseType("int16_t", 2, BaseEncoding.Signed)),
        Lanes("v4_int32", new BaseType("int32_t", 4, BaseEncoding.Signed)), Lanes("v2_int64", new BaseType("int64_t", 8, BaseEncoding.Signed)),
        new RecordMember("uint128", new BaseType("uint128_t", VectorBytes, BaseEncoding.Unsigned), 0, 0),
    ]);

    /// <summary>Null: there is none of that name.</summary>
    /// <param name="s">The vCPU's.</param>
    /// <param name="name">In lower case.</param>
    /// <param name="isKnown">They are the frame's: of those that have called others nobody keeps them.</param>
    public static TypedValue? Get(ref VcpuState s, string name, bool isKnown)
    {
        bool isVector = NumberOf(name, "xmm", 16) is not null;
        if (!isVector && NumberOf(name, "st", 8) is null) return null;
        DebugType type = isVector ? s_vector : s_extended;
        if (!isKnown) return TypedValue.Missing(type, "not kept in a frame that has called another");
        byte[] bytes = new byte[VectorBytes];
        if (NumberOf(name, "xmm", 16) is { } vector) MemoryMarshal.Write(bytes, s.Xmm[vector]);
        else ReadStack(ref s, NumberOf(name, "st", 8)!.Value, bytes);
        return TypedValue.Of(type, bytes);
    }

    /// <summary>A register of the x87's stack, from its top: 10 bytes.</summary>
    public static void ReadStack(ref VcpuState s, int number, Span<byte> bytes)
    {
        X87Register register = s.X87[((s.X87Status >> 11) + number) & 7];
        Span<byte> held = stackalloc byte[10];
        BitConverter.TryWriteBytes(held, register.Significand);
        BitConverter.TryWriteBytes(held[8..], (ushort)register.SignExponent);
        held[..Math.Min(held.Length, bytes.Length)].CopyTo(bytes);
    }

    private static int? NumberOf(string name, string prefix, int count) => name.StartsWith(prefix, StringComparison.Ordinal)
        && int.TryParse(name.AsSpan(prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number < count ? number : null;

    private static RecordMember Lanes(string name, BaseType type) => new(name, new ArrayType(() => type, 0, VectorBytes / type.SizeBytes!.Value, isVector: true), 0, 0);
}
