using Vmm.Time;

namespace Vmm.Platform;

/// <summary>How a machine's life ended. A machine with an outcome does not run on, but can be looked at.</summary>
public enum OutcomeKind
{
    None = 0,
    /// <summary>ACPI S5, or the guest's debug-exit port with code 0.</summary>
    PowerOff = 1,
    /// <summary>The guest asked for a reset (keyboard controller, port 0xCF9, ACPI).</summary>
    Reset = 2,
    /// <summary>A triple fault on any vCPU.</summary>
    TripleFault = 3,
    /// <summary>QEMU's debug-exit port; <see cref="Outcome.Code"/> is the value written.</summary>
    DebugExit = 4,
    /// <summary>Every vCPU is halted for ever: no timer armed, no input to come.</summary>
    Halted = 5,
    /// <summary>An instruction that the architecture defines and CPUID offers, but the engine does not know.</summary>
    Unimplemented = 6,
}

/// <param name="Kind">How it ended.</param>
/// <param name="Code">The debug-exit value.</param>
/// <param name="Detail">One sentence for people.</param>
public readonly record struct Outcome(OutcomeKind Kind, uint Code, string Detail);

/// <summary>Why <see cref="Machine.Run"/> returned.</summary>
public enum RunStop
{
    /// <summary>The asked-for InstructionCount was reached; nothing at that count has happened yet.</summary>
    CountReached,
    /// <summary>An observer or another thread asked to stop.</summary>
    Requested,
    /// <summary>The machine has an <see cref="Machine.Outcome"/>.</summary>
    Ended,
}
