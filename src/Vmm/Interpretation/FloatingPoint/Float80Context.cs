namespace Vmm.Interpretation.FloatingPoint;

/// <summary>What an operation obeys (rounding, precision, masks) and what it reports (exceptions, C1).</summary>
internal struct Float80Context(RoundingMode rounding, int precisionBits, X87Exceptions masked)
{
    public readonly RoundingMode Rounding = rounding;
    /// <summary>24, 53 or 64: the significand length to which add, subtract, multiply, divide and square root round.</summary>
    public readonly int PrecisionBits = precisionBits;
    public readonly X87Exceptions Masked = masked;

    public X87Exceptions Raised;
    /// <summary>An operand that came from memory was denormal there, though it is normal in the extended format.</summary>
    public bool IsMemoryOperandDenormal;
    /// <summary>C1 where it is the "round up" bit: the magnitude was incremented.</summary>
    public bool RoundedUp;

    public static Float80Context FromControlWord(ushort control) => new(
        (RoundingMode)((control >> 10) & 3),
        // 01b is reserved (SDM 1 table 8-2) and treated as extended precision.
        ((control >> 8) & 3) switch { 0 => 24, 2 => 53, _ => 64 },
        (X87Exceptions)(control & 0x3F));

    /// <summary>An unmasked pre-computation exception: the operands stay as they are and there is no result (SDM 1 8.6).</summary>
    public readonly bool IsStopped =>
        (Raised & ~Masked & (X87Exceptions.Invalid | X87Exceptions.Denormal | X87Exceptions.ZeroDivide)) != 0;

    /// <summary>An unmasked exception that keeps a memory destination unwritten: all but precision (SDM 1 8.5.4, 8.5.5).</summary>
    public readonly bool IsStoreSuppressed => (Raised & ~Masked & ~X87Exceptions.Precision & X87Exceptions.Maskable) != 0;

    public readonly bool IsUnmasked(X87Exceptions exception) => (Masked & exception) == 0;

    public Float80 RaiseInvalid()
    {
        Raised |= X87Exceptions.Invalid;
        return Float80.Indefinite;
    }

    /// <summary>Raises the denormal-operand exception where it is due. False: it is unmasked and the operation ends.</summary>
    public bool CheckDenormal(Float80 value)
    {
        if (!value.IsDenormal && !IsMemoryOperandDenormal) return true;
        Raised |= X87Exceptions.Denormal;
        return (Masked & X87Exceptions.Denormal) != 0;
    }

    public bool CheckDenormal(Float80 a, Float80 b)
    {
        if (!a.IsDenormal && !b.IsDenormal && !IsMemoryOperandDenormal) return true;
        Raised |= X87Exceptions.Denormal;
        return (Masked & X87Exceptions.Denormal) != 0;
    }

    public Float80 PropagateNaN(Float80 value)
    {
        if (value.IsSignalingNaN) Raised |= X87Exceptions.Invalid;
        return value.Quieted;
    }

    /// <summary>The result of an operation with at least one NaN operand (SDM 1 table 4-7, the x87 column).</summary>
    public Float80 PropagateNaN(Float80 a, Float80 b)
    {
        bool aSignals = a.IsSignalingNaN, bSignals = b.IsSignalingNaN;
        if (aSignals || bSignals) Raised |= X87Exceptions.Invalid;
        if (!a.IsNaN) return b.Quieted;
        if (!b.IsNaN) return a.Quieted;
        if (aSignals != bSignals) return aSignals ? b : a;
        if (a.Significand != b.Significand) return a.Significand > b.Significand ? a.Quieted : b.Quieted;
        return a.IsNegative ? b.Quieted : a.Quieted;
    }
}
