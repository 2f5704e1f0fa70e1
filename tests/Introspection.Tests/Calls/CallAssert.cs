using System;
using System.Collections.Generic;
using System.Linq;
using Introspection.Calls;
using Introspection.Programs;
using Replay.Packages;
using Replay.Recording;
using Replay.Timelines;
using Symbols.Elf;
using Vmm.Platform;
using Vmm.Time;
using Xunit;

namespace Introspection.Tests.Calls;

/// <summary>Compares searches with brute force.</summary>
internal static class CallAssert
{
    public static void Record(MachineConfiguration configuration, string path, ulong checkpointInterval, ulong limit)
    {
        using var recorder = new Recorder(configuration, new NoInput(), new StandingHost(),
            new RecorderOptions { Path = path, CheckpointInterval = checkpointInterval, RecordedFrom = "a test", Overwrite = true });
        recorder.Run(limit);
        recorder.Finish();
    }

    /// <summary>All functions of a file's symbol table, the first name of each address.</summary>
    public static List<CallTarget> FunctionsOf(ElfImage image)
    {
        var targets = new Dictionary<ulong, CallTarget>();
        foreach (ElfSymbol symbol in image.Symbols.Symbols)
            if (symbol.IsFunction && symbol.HasAddress) targets.TryAdd(symbol.Address, new CallTarget(symbol.Address, image.Symbols.NameOf(symbol), symbol.SizeBytes, null));
        return [.. targets.Values];
    }

    public static List<OracleCall> BruteForce(RecordingFile recording, IEnumerable<CallTarget> targets)
    {
        using var oracle = new ShadowStackOracle(recording, targets.ToDictionary(static target => target.Entry, static target => target.SizeBytes));
        oracle.Run();
        return oracle.Calls;
    }

    public static CallSearch Search(Timeline timeline, IReadOnlyList<CallTarget> targets, ICallCondition? condition = null) =>
        new(timeline, targets, new CallValueReader(CallingConvention.Automatic, new CallValueText(new SymbolSet())), condition);

    public static void Equal(IReadOnlyList<OracleCall> expected, IReadOnlyList<FunctionCall> actual)
    {
        for (int i = 0; i < Math.Min(expected.Count, actual.Count); i++) Assert.Equal(TextOf(expected[i], actual[i].EnteredBy == CallEntry.Unknown), TextOf(actual[i]));
        Assert.Equal(expected.Count, actual.Count);
    }

    // What lies before a checkpoint is not known behind it: how a call was entered whose first instruction is the interval's first.
    private static string TextOf(OracleCall call, bool isUnknown)
    {
        string end = call.Return is { } at ? $"returned {at} on {call.ReturnCpu} with {call.Result:x}" : call.IsAbandoned ? "abandoned" : "open";
        string words = string.Join(' ', call.Words.Select(static word => $"{word:x}"));
        string by = isUnknown ? "Unknown" : $"{call.EnteredBy}";
        return $"{call.Function:x} at {call.Entry} on {call.Cpu} in {call.AddressSpace:x} by {by}, {call.Slot:x} -> {call.ReturnAddress:x} ({words}): {end}";
    }

    private static string TextOf(FunctionCall call)
    {
        string end = call.End switch
        {
            CallEnd.Returned => $"returned {call.Return} on {call.ReturnCpuIndex} with {call.Result!.Number:x}",
            CallEnd.Abandoned => "abandoned",
            _ => "open",
        };
        string words = string.Join(' ', call.Arguments.Select(static argument => $"{argument.Number ?? 0:x}"));
        return $"{call.Target.Entry:x} at {call.Entry} on {call.CpuIndex} in {call.AddressSpace:x} by {call.EnteredBy}, {call.Slot:x} -> {call.ReturnAddress:x} ({words}): {end}";
    }
}
