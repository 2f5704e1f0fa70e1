namespace Replay.Exploration;

/// <summary>What makes a run a failure, besides a triple fault, an instruction that is not implemented, and a guest in which every vCPU is halted for ever.</summary>
public sealed record FailureCriteria
{
    /// <summary>The code that the guest writes to its debug-exit port when all is well; another is a failure.</summary>
    public uint GoodExitCode { get; init; }

    /// <summary>It is a failure if the serial, debug or virtio console prints this; null: no text is.</summary>
    public string? FailureText { get; init; }

    /// <summary>A run of so many instructions hangs.</summary>
    public ulong MaximumInstructions { get; init; } = 20_000_000;
}

/// <summary>How a run went.</summary>
public enum VerdictKind
{
    Good = 0,
    ExitCode = 1,
    TripleFault = 2,
    Text = 3,
    /// <summary>It went on for too long, or every vCPU is halted for ever.</summary>
    Hang = 4,
    Unimplemented = 5,
}

/// <summary>How one run went.</summary>
/// <param name="Kind">Good, or in which way it failed.</param>
/// <param name="InstructionCount">Its length.</param>
/// <param name="Detail">One sentence for people; empty when it is good.</param>
/// <param name="LastLine">What the first serial port printed last; at most a few hundred characters.</param>
public sealed record Verdict(VerdictKind Kind, ulong InstructionCount, string Detail, string LastLine)
{
    public bool IsFailure => Kind != VerdictKind.Good;
}
