using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Text.Json.Nodes;
using System.Threading;
using Cli.Presentation;
using Replay.Packages;

namespace Cli.Bench;

/// <summary>What an editor waits for: the first stop, steps in both directions, and what is shown of the machine at a stop.</summary>
internal sealed class DapLatency(string name, string path, int sampleCount, CancellationToken cancellation)
{
    private const string StateTarget = "median at most 5 ms", StepTarget = "90 % within 30 ms";

    private static readonly (string Command, JsonObject Arguments)[] s_requests =
    [
        ("evaluate", new JsonObject { ["expression"] = "[rsp] + rax" }), ("readMemory", new JsonObject { ["memoryReference"] = "phys:0x100000", ["count"] = 4096 }),
        ("ttvm/position", []), ("ttvm/pageTable", []), ("ttvm/locks", []), ("ttvm/devices", []), ("ttvm/console", new JsonObject { ["count"] = 100 }),
        ("ttvm/timeline", new JsonObject { ["bucketCount"] = 500 }),
    ];

    /// <summary>Also of the machine that the recording makes: its memory does not count as the server's.</summary>
    public void Run(BenchReport report)
    {
        long guestMemory;
        using (RecordingFile recording = RecordingFile.Open(path)) guestMemory = (long)recording.Manifest.Machine.MemorySizeBytes;
        using var client = new DapClient();
        var watch = Stopwatch.StartNew();
        Launch(client, path);
        report.Add($"{name}: from launch at the end of the recording to the first stop, process start included", Words.Duration(watch.Elapsed), "at most 1 s");

        var times = new SortedDictionary<string, List<double>>(StringComparer.Ordinal);
        var random = new Random(1);
        int cpuCount = ((JsonArray)client.Ask("threads")!["threads"]!).Count;
        for (int i = 0; i < sampleCount; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            client.Ask("ttvm/seek", new JsonObject { ["position"] = $"{random.NextDouble() * 100:F6}%" });
            long thread = (long)client.WaitForStop()["threadId"]!;
            Show(client, thread, cpuCount, times);
            foreach (string command in (string[])["stepBack", "next", "stepBack", "stepIn", "ttvm/reverseStepIn", "ttvm/reverseStepOut"])
            {
                Step(client, command, thread, granularity: null, times);
                Step(client, command, thread, "instruction", times);
            }
        }
        foreach ((string command, List<double> list) in times)
        {
            bool isStep = command.Contains(" by ", StringComparison.Ordinal);
            report.Add($"{name}: {command}", list.Count == 0 ? "refused" : RecordingCost.Percentiles(list), isStep ? StepTarget : StateTarget);
        }
        report.Add($"{name}: memory of the server after that", $"{Words.Size(client.MemorySizeBytes)}, of a guest with {Words.Size(guestMemory)}", "at most 300 MiB more than the guest's");
        client.Ask("disconnect");
    }

    private static void Launch(DapClient client, string path)
    {
        client.Ask("initialize", new JsonObject { ["adapterID"] = "ttvm" });
        client.Ask("launch", new JsonObject { ["program"] = path, ["at"] = "end" });
        client.Ask("setExceptionBreakpoints", new JsonObject { ["filters"] = new JsonArray() });
        client.Ask("configurationDone");
        client.WaitForStop();
    }

    // As VS Code does at each stop, with every scope opened, and our own views.
    private static void Show(DapClient client, long thread, int cpuCount, SortedDictionary<string, List<double>> times)
    {
        Time(client, "threads", [], times);
        JsonNode? stack = null;
        for (int i = 1; i <= cpuCount; i++)
        {
            JsonNode? one = Time(client, "stackTrace", new JsonObject { ["threadId"] = i, ["startFrame"] = 0, ["levels"] = 20 }, times);
            if (i == thread) stack = one;
        }
        JsonNode frame = stack!["stackFrames"]![0]!;
        JsonNode? scopes = Time(client, "scopes", new JsonObject { ["frameId"] = frame["id"]!.DeepClone() }, times);
        foreach (JsonNode? scope in (JsonArray)scopes!["scopes"]!)
        {
            var arguments = new JsonObject { ["variablesReference"] = scope!["variablesReference"]!.DeepClone(), ["start"] = 0, ["count"] = 100 };
            Time(client, "variables", arguments, times, $"variables of {scope["name"]}");
        }
        var code = new JsonObject { ["memoryReference"] = frame["instructionPointerReference"]!.DeepClone(), ["instructionOffset"] = -200, ["instructionCount"] = 400 };
        Time(client, "disassemble", code, times, "disassemble, 400 instructions");
        Time(client, "ttvm/translate", new JsonObject { ["address"] = "rip" }, times);
        foreach ((string command, JsonObject arguments) in s_requests) Time(client, command, (JsonObject)arguments.DeepClone(), times);
    }

    private static JsonNode? Time(DapClient client, string command, JsonObject arguments, SortedDictionary<string, List<double>> times, string? label = null)
    {
        long began = Stopwatch.GetTimestamp();
        JsonNode? body = client.Ask(command, arguments);
        double taken = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
        List<double> list = ListOf(label ?? command, times);
        if (body is not null) list.Add(taken);
        return body;
    }

    private static void Step(DapClient client, string command, long thread, string? granularity, SortedDictionary<string, List<double>> times)
    {
        var arguments = new JsonObject { ["threadId"] = thread };
        if (granularity is not null) arguments["granularity"] = granularity;
        long began = Stopwatch.GetTimestamp();
        if (client.Ask(command, arguments) is null) return;
        client.WaitForStop();
        ListOf($"{command} by {granularity ?? "line"}", times).Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
    }

    private static List<double> ListOf(string label, SortedDictionary<string, List<double>> times)
    {
        if (!times.TryGetValue(label, out List<double>? list)) times.Add(label, list = []);
        return list;
    }
}
