using System.Collections.Generic;
using System.Globalization;
using Dap.Handles;
using Dap.Protocol;
using Dap.Views;
using Introspection.History;
using Replay.Checkpoints;
using Replay.Log;
using Replay.Packages;
using Vmm.Time;

namespace Dap.Sessions.Scopes;

/// <summary>Where the session stands in the recording, and what that is.</summary>
internal sealed class RecordingScope(Session session)
{
    private const int NearbyCount = 10;

    public IReadOnlyList<Variable> Read()
    {
        TtvmPosition where = session.Where();
        RecordingFile recording = session.Recording;
        RecordingSizes sizes = recording.Sizes;
        return
        [
            Plain("position", where.Position + (where.InDiversion ? " [diversion]" : "")),
            Plain("percent", where.Percent.ToString("0.####", CultureInfo.InvariantCulture) + "%"),
            Plain("end", where.End),
            Plain("outcome", EventText.Describe(recording.Outcome)),
            Plain("guest time", $"{where.GuestNanoseconds / 1_000_000_000}.{where.GuestNanoseconds % 1_000_000_000 / 1000:D6} s"),
            Plain("turn", $"vCPU {session.Machine.CurrentCpuIndex} of {session.Machine.Vcpus.Count}"),
            Plain("log size", $"{Hexadecimal.Grouped((ulong)sizes.LogSizeBytes)} bytes"),
            Plain("file size", $"{Hexadecimal.Grouped((ulong)sizes.FileSizeBytes)} bytes"),
            Opened("checkpoints", $"{sizes.CheckpointCount}", Checkpoints),
            Opened("schedule near by", "turns of the vCPUs, each with its position", () => Happened(HistoryEventKind.Schedule)),
            Opened("events near by", "exceptions, interrupts, system calls, context switches", () => Happened(null)),
            Opened("inputs near by", "what came from outside, each with its position", Inputs),
        ];
    }

    private List<Variable> Checkpoints()
    {
        var list = new List<Variable>();
        foreach (CheckpointInfo checkpoint in session.Recording.Checkpoints) list.Add(Plain(checkpoint.Position.ToString(), $"{checkpoint.GuestNanoseconds} ns"));
        return list;
    }

    // The last inputs up to the position, and the next ones.
    private IReadOnlyList<Variable> Inputs()
    {
        Position here = session.Machine.Position;
        var before = new Queue<LogRecord>();
        var list = new List<Variable>();
        int after = 0;
        foreach (LogRecord input in session.Recording.ReadInputs())
        {
            if (input.At >= here && ++after > NearbyCount) break;
            if (input.At < here && before.Count == NearbyCount) before.Dequeue();
            before.Enqueue(input);
        }
        foreach (LogRecord input in before) list.Add(Plain(input.At.ToString(), $"{input.Kind}, {input.Data.Length} bytes{(input.At < here ? "" : ", to come")}"));
        return list.Count > 0 ? list : [Plain("none", "no input entered this machine")];
    }

    private IReadOnlyList<Variable> Happened(HistoryEventKind? wanted)
    {
        Position here = session.Timeline.Position;
        var list = new List<Variable>();
        foreach (HistoryEvent one in NearbyEvents.Read(session.Recording, here, NearbyCount, wanted, session.Activity.Token))
        {
            string who = one.Kind is HistoryEventKind.Schedule or HistoryEventKind.Input ? "" : $"vCPU {one.CpuIndex}: ";
            list.Add(Plain(one.At.ToString(), $"{who}{TimelineMarkers.Describe(one)}{(one.At < here ? "" : ", to come")}"));
        }
        return list.Count > 0 ? list : [Plain("none", "nothing of that happened near by")];
    }

    private Variable Opened(string name, string value, System.Func<IReadOnlyList<Variable>> read) =>
        new() { Name = name, Value = value, VariablesReference = session.Variables.Add(VariableSource.Of(read)) };

    private static Variable Plain(string name, string value) => new() { Name = name, Value = value, VariablesReference = 0 };
}
