using Vmm.Cpu;
using Vmm.Interpretation.FloatingPoint;

namespace Vmm.Interpretation;

/// <summary>A format of x87 memory operands, as a type argument of the handlers that take several.</summary>
internal interface IX87Format
{
    static abstract int SizeBytes { get; }

    /// <summary>Loads without exceptions: a NaN stays signaling. False: a memory fault is pending.</summary>
    static abstract bool TryLoad(Vcpu vcpu, ulong linear, out Float80 value, out bool denormal);
}

internal readonly struct SingleFormat : IX87Format
{
    public static int SizeBytes => 4;

    public static bool TryLoad(Vcpu vcpu, ulong linear, out Float80 value, out bool denormal)
    {
        bool read = vcpu.TryRead(linear, out uint bits);
        value = Float80Conversions.FromSingle(bits, out denormal);
        return read;
    }
}

internal readonly struct DoubleFormat : IX87Format
{
    public static int SizeBytes => 8;

    public static bool TryLoad(Vcpu vcpu, ulong linear, out Float80 value, out bool denormal)
    {
        bool read = vcpu.TryRead(linear, out ulong bits);
        value = Float80Conversions.FromDouble(bits, out denormal);
        return read;
    }
}

internal readonly struct ExtendedFormat : IX87Format
{
    public static int SizeBytes => 10;

    public static bool TryLoad(Vcpu vcpu, ulong linear, out Float80 value, out bool denormal)
    {
        denormal = false;
        value = default;
        if (!vcpu.TryRead(linear, out ulong significand) || !vcpu.TryRead(linear + 8, out ushort signExponent)) return false;
        value = new Float80(signExponent, significand);
        return true;
    }
}

internal readonly struct BcdFormat : IX87Format
{
    public static int SizeBytes => 10;

    public static bool TryLoad(Vcpu vcpu, ulong linear, out Float80 value, out bool denormal)
    {
        denormal = false;
        value = default;
        if (!vcpu.TryRead(linear, out ulong low) || !vcpu.TryRead(linear + 8, out ushort high)) return false;
        value = Float80Conversions.FromBcd(low, high);
        return true;
    }
}

/// <summary>Two's complement integers that the x87 loads and stores.</summary>
internal interface IX87Integer<TInteger> : IX87Format where TInteger : unmanaged
{
    static abstract TInteger Truncate(long value);
}

internal readonly struct Int16Format : IX87Integer<short>
{
    public static int SizeBytes => 2;

    public static short Truncate(long value) => (short)value;

    public static bool TryLoad(Vcpu vcpu, ulong linear, out Float80 value, out bool denormal)
    {
        denormal = false;
        bool read = vcpu.TryRead(linear, out short integer);
        value = Float80Conversions.FromInteger(integer);
        return read;
    }
}

internal readonly struct Int32Format : IX87Integer<int>
{
    public static int SizeBytes => 4;

    public static int Truncate(long value) => (int)value;

    public static bool TryLoad(Vcpu vcpu, ulong linear, out Float80 value, out bool denormal)
    {
        denormal = false;
        bool read = vcpu.TryRead(linear, out int integer);
        value = Float80Conversions.FromInteger(integer);
        return read;
    }
}

internal readonly struct Int64Format : IX87Integer<long>
{
    public static int SizeBytes => 8;

    public static long Truncate(long value) => value;

    public static bool TryLoad(Vcpu vcpu, ulong linear, out Float80 value, out bool denormal)
    {
        denormal = false;
        bool read = vcpu.TryRead(linear, out long integer);
        value = Float80Conversions.FromInteger(integer);
        return read;
    }
}
