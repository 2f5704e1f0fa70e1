using System;
using Replay.Packages;
using Replay.Recording;
using Vmm.Platform;

namespace Cli.Hosting;

/// <summary>What must happen for `record --tail-on` to keep its recording.</summary>
/// <param name="text">What a console prints; null: a panic.</param>
internal sealed class TailCondition(string? text)
{
    // Linux's panic() in kernel/panic.c prints the first at once and the second behind all that it has to say, unless it reboots before.
    private const string PanicText = "Kernel panic - not syncing", PanicEnd = "---[ end Kernel panic";

    /// <summary>Recording ends behind it.</summary>
    public string StopText => text ?? PanicEnd;

    /// <summary>For people.</summary>
    public string Description => text is null ? "a panic" : $"the text '{text}'";

    /// <exception cref="CommandException">It is no such condition.</exception>
    public static TailCondition? Parse(string? condition)
    {
        if (condition is null) return null;
        if (condition == "panic") return new TailCondition(null);
        if (condition.StartsWith("text:", StringComparison.Ordinal) && condition.Length > 5) return new TailCondition(condition[5..]);
        throw CommandException.Usage($"--tail-on: '{condition}' is not panic or text:S");
    }

    /// <summary>Whether it happened.</summary>
    public bool WasMet(RecorderStop stop, RecordingFile recording) => stop == RecorderStop.TextPrinted
        || text is null && (recording.Outcome.Kind == OutcomeKind.TripleFault || recording.Console.Find(PanicText, recording.Start, reverse: false) is not null);
}
