namespace Vmm.Cpu;

/// <summary>The guest's own breakpoints in DR0..DR3 (SDM 3B 18.2).</summary>
internal static class DebugBreakpoints
{
    private static int Condition(in VcpuState s, int index) => (int)(s.Debug[7] >> (16 + 4 * index)) & 3;

    private static int Length(in VcpuState s, int index) => ((int)(s.Debug[7] >> (18 + 4 * index)) & 3) switch { 0 => 1, 1 => 2, 2 => 8, _ => 4 };

    private static bool IsEnabled(in VcpuState s, int index) => (s.Debug[7] >> (2 * index) & 3) != 0;

    /// <summary>A breakpoint on data writes or accesses.</summary>
    public static bool IsDataEnabled(in VcpuState s, int index) => IsEnabled(s, index) && (Condition(s, index) is 1 or 3);

    public static bool AnyInstruction(in VcpuState s)
    {
        if ((s.Debug[7] & 0xFF) == 0) return false;
        for (int i = 0; i < 4; i++)
            if (IsEnabled(s, i) && Condition(s, i) == 0) return true;
        return false;
    }

    /// <summary>DR6 bits of the instruction breakpoints at a linear address.</summary>
    public static uint MatchInstruction(in VcpuState s, ulong linear)
    {
        uint hit = 0;
        for (int i = 0; i < 4; i++)
            if (IsEnabled(s, i) && Condition(s, i) == 0 && s.Debug[i] == linear) hit |= 1U << i;
        return hit;
    }

    /// <summary>A data access: a match is a trap after the instruction.</summary>
    public static void OnAccess(Vcpu vcpu, ulong linear, int sizeBytes, bool write)
    {
        ref VcpuState s = ref vcpu.State;
        if ((s.Debug[7] & 0xFF) == 0) return;
        for (int i = 0; i < 4; i++)
        {
            if (!IsDataEnabled(s, i) || (Condition(s, i) == 1 && !write)) continue;
            ulong length = (ulong)Length(s, i), start = s.Debug[i] & ~(length - 1);
            if (linear + (ulong)sizeBytes <= start || linear >= start + length) continue;
            s.PendingDebug |= 1U << i;
            vcpu.EndBlockSoon();
        }
    }

    /// <summary>A port access: breakpoints on I/O exist with CR4.DE.</summary>
    public static void OnPort(Vcpu vcpu, ushort port, int sizeBytes)
    {
        ref VcpuState s = ref vcpu.State;
        if ((s.Debug[7] & 0xFF) == 0 || (s.Cr4 & Cr4.DebuggingExtensions) == 0) return;
        for (int i = 0; i < 4; i++)
        {
            if (!IsEnabled(s, i) || Condition(s, i) != 2) continue;
            ulong length = (ulong)Length(s, i), start = s.Debug[i] & ~(length - 1);
            if (port + (ulong)sizeBytes > start && port < start + length) s.PendingDebug |= 1U << i;
        }
    }
}
