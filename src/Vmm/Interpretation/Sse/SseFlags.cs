using Vmm.Cpu;

namespace Vmm.Interpretation.Sse;

/// <summary>The arithmetic flags as SSE instructions set them: all at once, AF always clear.</summary>
internal static class SseFlags
{
    /// <summary>In the form that <see cref="VcpuState.FlagsZero"/> and its neighbours document.</summary>
    public static void Set(ref VcpuState state, bool carry, bool parity, bool zero, bool sign, bool overflow)
    {
        state.FlagsZero = zero ? 0UL : 1;
        state.FlagsSignParity = (sign ? 1UL << 63 : 0) | (parity ? 0UL : 1);
        state.FlagsCarries = (carry ? 1UL << 63 : 0) | (carry != overflow ? 1UL << 62 : 0);
        state.FlagsAdjust = 0;
    }
}
