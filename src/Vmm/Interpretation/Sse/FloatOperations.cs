namespace Vmm.Interpretation.Sse;

/// <summary>An operation on two elements, the destination's first.</summary>
internal interface IFloatOperation
{
    static abstract ulong Apply<TFormat>(ulong a, ulong b, ref FloatEnvironment environment)
        where TFormat : struct, IBinaryFormat;
}

internal readonly struct FloatAdd : IFloatOperation
{
    public static ulong Apply<TFormat>(ulong a, ulong b, ref FloatEnvironment environment)
        where TFormat : struct, IBinaryFormat => SoftFloat<TFormat>.Add(a, b, ref environment);
}

internal readonly struct FloatSubtract : IFloatOperation
{
    public static ulong Apply<TFormat>(ulong a, ulong b, ref FloatEnvironment environment)
        where TFormat : struct, IBinaryFormat => SoftFloat<TFormat>.Subtract(a, b, ref environment);
}

internal readonly struct FloatMultiply : IFloatOperation
{
    public static ulong Apply<TFormat>(ulong a, ulong b, ref FloatEnvironment environment)
        where TFormat : struct, IBinaryFormat => SoftFloat<TFormat>.Multiply(a, b, ref environment);
}

internal readonly struct FloatDivide : IFloatOperation
{
    public static ulong Apply<TFormat>(ulong a, ulong b, ref FloatEnvironment environment)
        where TFormat : struct, IBinaryFormat => SoftFloat<TFormat>.Divide(a, b, ref environment);
}

internal readonly struct FloatMinimum : IFloatOperation
{
    public static ulong Apply<TFormat>(ulong a, ulong b, ref FloatEnvironment environment)
        where TFormat : struct, IBinaryFormat => SoftFloat<TFormat>.MinimumOrMaximum(a, b, maximum: false, ref environment);
}

internal readonly struct FloatMaximum : IFloatOperation
{
    public static ulong Apply<TFormat>(ulong a, ulong b, ref FloatEnvironment environment)
        where TFormat : struct, IBinaryFormat => SoftFloat<TFormat>.MinimumOrMaximum(a, b, maximum: true, ref environment);
}

/// <summary>Of the source alone; the destination's element is not looked at.</summary>
internal readonly struct FloatSquareRoot : IFloatOperation
{
    public static ulong Apply<TFormat>(ulong a, ulong b, ref FloatEnvironment environment)
        where TFormat : struct, IBinaryFormat => SoftFloat<TFormat>.SquareRoot(b, ref environment);
}
