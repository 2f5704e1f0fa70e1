using System;
using System.IO;
using Replay.Packages;
using Replay.Recording;
using Vmm.Cpu;
using Vmm.Platform;

namespace Cli.Presentation;

/// <summary>What `record` says at its end.</summary>
/// <param name="path">The recording.</param>
/// <param name="stop">Why recording stopped.</param>
/// <param name="text">The text that was waited for, if any.</param>
/// <param name="machine">The recorded machine, at its end.</param>
/// <param name="elapsed">Real time of the run.</param>
/// <param name="script">The input script, if any.</param>
internal sealed class RecordingSummary(string path, RecorderStop stop, string? text, Machine machine, TimeSpan elapsed, ScriptedInput? script)
{
    private readonly Outcome _outcome = machine.Outcome;

    private bool TextIsMissing => text is not null && stop == RecorderStop.Ended;

    public int ExitCode => OutcomeText.IsFailure(_outcome) || TextIsMissing ? Cli.ExitCode.Failed : Cli.ExitCode.Good;

    private string WhyStopped => stop switch
    {
        RecorderStop.CountReached => "the asked-for number of instructions was reached",
        RecorderStop.TextPrinted => $"the guest printed '{text}'",
        RecorderStop.Cancelled => "stopped by Ctrl-C",
        _ => OutcomeText.Describe(_outcome),
    };

    public void Write(TextWriter output, RecordingFile recording)
    {
        RecordingSizes sizes = recording.Sizes;
        ulong count = machine.InstructionCount;
        output.WriteLine($"ttvm: {WhyStopped}");
        if (TextIsMissing) output.WriteLine($"ttvm: the guest ended without printing '{text}'");
        if (script is { IsDone: false }) output.WriteLine($"ttvm: the guest ended before its input script: {script.CurrentCommand}");
        foreach (Vcpu vcpu in machine.Vcpus)
            if (vcpu.Index > 0 && vcpu.State.Activity == VcpuActivity.WaitingForSipi) output.WriteLine($"ttvm: the guest never started vCPU {vcpu.Index}");
        output.WriteLine($"ttvm: {Words.Count(count)} instructions, guest time {Words.GuestTime(machine.GuestNanoseconds)}, recorded in {Words.Duration(elapsed)}, "
            + Words.Rate(count, elapsed));
        output.WriteLine($"ttvm: {path}: {Words.Size(sizes.FileSizeBytes)}, {Words.Plural(sizes.CheckpointCount, "checkpoint")}, "
            + $"log {LogDensity(recording):F3} bytes per 1,000 instructions");
        string look = OutcomeText.IsFailure(_outcome) ? $"see what happened:  ttvm back {path} --at {recording.End} --steps 10" : $"check it:  ttvm verify {path}";
        output.WriteLine($"ttvm: {look}");
    }

    public void WriteJson(TextWriter output, RecordingFile recording) => JsonText.WriteObject(output, json =>
    {
        json.WriteString("file", path);
        json.WriteString("stop", stop.ToString());
        json.WriteString("outcome", _outcome.Kind.ToString());
        json.WriteNumber("code", _outcome.Code);
        json.WriteString("detail", _outcome.Detail);
        json.WritePosition("end", recording.End);
        json.WriteNumber("instructionCount", recording.End.InstructionCount);
        json.WriteNumber("guestNanoseconds", machine.GuestNanoseconds);
        json.WriteNumber("seconds", double.Round(elapsed.TotalSeconds, 6));
        json.WriteNumber("fileSizeBytes", recording.Sizes.FileSizeBytes);
        json.WriteNumber("checkpointCount", recording.Sizes.CheckpointCount);
        json.WriteNumber("logBytesPerThousandInstructions", double.Round(LogDensity(recording), 4));
    });

    private static double LogDensity(RecordingFile recording) => recording.Sizes.LogSizeBytes * 1000.0 / Math.Max(1, recording.InstructionCount);
}
