namespace Vmm.Interpretation.Sse;

/// <summary>An IEEE 754 binary interchange format of at most 64 bits, held in the low bits of a ulong.</summary>
internal interface IBinaryFormat
{
    static abstract int FractionBits { get; }
    static abstract int ExponentBits { get; }
    static abstract int SizeBytes { get; }
}

/// <summary>Single precision.</summary>
internal readonly struct Binary32 : IBinaryFormat
{
    public static int FractionBits => 23;
    public static int ExponentBits => 8;
    public static int SizeBytes => 4;
}

/// <summary>Double precision.</summary>
internal readonly struct Binary64 : IBinaryFormat
{
    public static int FractionBits => 52;
    public static int ExponentBits => 11;
    public static int SizeBytes => 8;
}
