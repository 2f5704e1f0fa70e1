using System;

namespace Vmm.Interpretation.Sse;

/// <summary>An operation on two elements, the destination's first.</summary>
internal interface IFloatOperation
{
    /// <summary>In integers: the reference.</summary>
    static abstract ulong Apply<TFormat>(ulong a, ulong b, ref FloatEnvironment environment)
        where TFormat : struct, IBinaryFormat;

    /// <summary>The host's answer under round to nearest; anything but a normal number where the reference is to be asked.</summary>
    static abstract ulong ApplyOnHost<TFormat>(ulong a, ulong b)
        where TFormat : struct, IBinaryFormat;
}

internal readonly struct FloatAdd : IFloatOperation
{
    public static ulong Apply<TFormat>(ulong a, ulong b, ref FloatEnvironment environment)
        where TFormat : struct, IBinaryFormat => SoftFloat<TFormat>.Add(a, b, ref environment);

    public static ulong ApplyOnHost<TFormat>(ulong a, ulong b)
        where TFormat : struct, IBinaryFormat => TFormat.SizeBytes == 4
        ? HostFloat.Bits(HostFloat.Single(a) + HostFloat.Single(b))
        : HostFloat.Bits(HostFloat.Double(a) + HostFloat.Double(b));
}

internal readonly struct FloatSubtract : IFloatOperation
{
    public static ulong Apply<TFormat>(ulong a, ulong b, ref FloatEnvironment environment)
        where TFormat : struct, IBinaryFormat => SoftFloat<TFormat>.Subtract(a, b, ref environment);

    public static ulong ApplyOnHost<TFormat>(ulong a, ulong b)
        where TFormat : struct, IBinaryFormat => TFormat.SizeBytes == 4
        ? HostFloat.Bits(HostFloat.Single(a) - HostFloat.Single(b))
        : HostFloat.Bits(HostFloat.Double(a) - HostFloat.Double(b));
}

internal readonly struct FloatMultiply : IFloatOperation
{
    public static ulong Apply<TFormat>(ulong a, ulong b, ref FloatEnvironment environment)
        where TFormat : struct, IBinaryFormat => SoftFloat<TFormat>.Multiply(a, b, ref environment);

    public static ulong ApplyOnHost<TFormat>(ulong a, ulong b)
        where TFormat : struct, IBinaryFormat => TFormat.SizeBytes == 4
        ? HostFloat.Bits(HostFloat.Single(a) * HostFloat.Single(b))
        : HostFloat.Bits(HostFloat.Double(a) * HostFloat.Double(b));
}

internal readonly struct FloatDivide : IFloatOperation
{
    public static ulong Apply<TFormat>(ulong a, ulong b, ref FloatEnvironment environment)
        where TFormat : struct, IBinaryFormat => SoftFloat<TFormat>.Divide(a, b, ref environment);

    public static ulong ApplyOnHost<TFormat>(ulong a, ulong b)
        where TFormat : struct, IBinaryFormat => TFormat.SizeBytes == 4
        ? HostFloat.Bits(HostFloat.Single(a) / HostFloat.Single(b))
        : HostFloat.Bits(HostFloat.Double(a) / HostFloat.Double(b));
}

internal readonly struct FloatMinimum : IFloatOperation
{
    public static ulong Apply<TFormat>(ulong a, ulong b, ref FloatEnvironment environment)
        where TFormat : struct, IBinaryFormat => SoftFloat<TFormat>.MinimumOrMaximum(a, b, maximum: false, ref environment);

    public static ulong ApplyOnHost<TFormat>(ulong a, ulong b)
        where TFormat : struct, IBinaryFormat => 0;
}

internal readonly struct FloatMaximum : IFloatOperation
{
    public static ulong Apply<TFormat>(ulong a, ulong b, ref FloatEnvironment environment)
        where TFormat : struct, IBinaryFormat => SoftFloat<TFormat>.MinimumOrMaximum(a, b, maximum: true, ref environment);

    public static ulong ApplyOnHost<TFormat>(ulong a, ulong b)
        where TFormat : struct, IBinaryFormat => 0;
}

/// <summary>Of the source alone; the destination's element is not looked at.</summary>
internal readonly struct FloatSquareRoot : IFloatOperation
{
    public static ulong Apply<TFormat>(ulong a, ulong b, ref FloatEnvironment environment)
        where TFormat : struct, IBinaryFormat => SoftFloat<TFormat>.SquareRoot(b, ref environment);

    public static ulong ApplyOnHost<TFormat>(ulong a, ulong b)
        where TFormat : struct, IBinaryFormat => TFormat.SizeBytes == 4
        ? HostFloat.Bits(MathF.Sqrt(HostFloat.Single(b)))
        : HostFloat.Bits(Math.Sqrt(HostFloat.Double(b)));
}
