namespace Gdb.Running;

/// <summary>Why the machine stands where it does now.</summary>
internal enum StopKind
{
    /// <summary>A step is done; also what gdb is told when it asks without a run.</summary>
    Step,
    SoftwareBreakpoint,
    HardwareBreakpoint,
    Write,
    Read,
    Access,
    /// <summary>The start of the recording.</summary>
    Start,
    /// <summary>The end of the recording, or of a diversion's machine.</summary>
    End,
    /// <summary>By the user.</summary>
    Interrupted,
}

/// <param name="Kind">Why.</param>
/// <param name="CpuIndex">The vCPU that did it.</param>
/// <param name="Address">Of watched memory, for the kinds that watch.</param>
internal readonly record struct StopReport(StopKind Kind, int CpuIndex, ulong Address = 0);
