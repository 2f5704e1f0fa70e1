namespace Vmm.Devices;

/// <summary>
/// A crystal that has been ticking since reset: tick k comes at the first nanosecond that is not before k / Hertz. Exact
/// for ever: seconds
/// and fractions are scaled apart, so nothing overflows in 64 bits below 2^63 ns, and NanosecondsAt and TicksAt are inverse.
/// </summary>
/// <param name="Hertz">Ticks per second, at most 10^9.</param>
internal readonly record struct Oscillator(ulong Hertz)
{
    private const ulong NanosecondsPerSecond = 1_000_000_000;

    /// <summary>How many ticks have come at a time (the one at 0 is not counted).</summary>
    public ulong TicksAt(ulong nanoseconds) =>
        nanoseconds / NanosecondsPerSecond * Hertz + nanoseconds % NanosecondsPerSecond * Hertz / NanosecondsPerSecond;

    /// <summary>The first nanosecond at which <see cref="TicksAt"/> is <paramref name="tick"/>.</summary>
    public ulong NanosecondsAt(ulong tick) =>
        tick / Hertz * NanosecondsPerSecond + (tick % Hertz * NanosecondsPerSecond + Hertz - 1) / Hertz;
}
