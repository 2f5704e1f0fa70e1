using System;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Text.Json.Nodes;
using TestKit;
using Xunit;

namespace Cli.Tests;

/// <summary>What `ttvm pack` writes is all that a colleague needs: copied alone to an empty folder, and debugged from there, it has lines, variables and the text of its sources.</summary>
public sealed class SharedRecordingTests(DemoRecording demo)
{
    [Fact]
    public void A_packed_recording_debugs_at_source_level_where_nothing_else_is()
    {
        string folder = Directory.CreateDirectory(demo.PathOf("colleague")).FullName, path = Path.Combine(folder, "received.ttvm");
        File.Copy(Repository.PathOf("traces/demo64-shared.ttvm"), path);
        var start = new ProcessStartInfo(Ttvm.Program, ["dap"]) { RedirectStandardInput = true, RedirectStandardOutput = true, WorkingDirectory = folder };
        using Process process = Process.Start(start)!;
        // A test that fails closes them, which ends the adapter.
        using Stream input = process.StandardInput.BaseStream, output = process.StandardOutput.BaseStream;
        var adapter = new DapClient(input, output);
        adapter.Ask("initialize", new JsonObject { ["adapterID"] = "ttvm" });
        adapter.Ask("launch", new JsonObject { ["program"] = path });
        adapter.Ask("setFunctionBreakpoints", new JsonObject { ["breakpoints"] = new JsonArray(new JsonObject { ["name"] = "bank_deposit" }) });
        adapter.Ask("configurationDone");
        adapter.WaitFor("stopped");
        adapter.Ask("continue", new JsonObject { ["threadId"] = 1 });
        int thread = (int)adapter.WaitFor("stopped")["threadId"]!;
        JsonNode frame = adapter.Ask("stackTrace", new JsonObject { ["threadId"] = thread })["stackFrames"]![0]!, source = frame["source"]!;
        Assert.StartsWith("bank_deposit", (string?)frame["name"], StringComparison.Ordinal);
        // Nothing of it is on the disk: the adapter has the text.
        Assert.EndsWith("guests/demo64/bank.c", (string?)source["path"], StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(folder, (string)source["path"]!)));
        Assert.True((long)source["sourceReference"]! > 0);
        string text = (string)adapter.Ask("source", new JsonObject { ["source"] = source.DeepClone(), ["sourceReference"] = source["sourceReference"]!.DeepClone() })["content"]!;
        Assert.Equal(File.ReadAllText(Repository.PathOf("guests/demo64/bank.c")), text);
        // The function's argument by its name and type.
        JsonNode amount = adapter.Ask("evaluate", new JsonObject { ["expression"] = "amount", ["frameId"] = frame["id"]!.DeepClone(), ["context"] = "watch" });
        Assert.False(string.IsNullOrEmpty((string?)amount["type"]));
        // Going back works there, too.
        adapter.Ask("reverseContinue", new JsonObject { ["threadId"] = thread });
        adapter.WaitFor("stopped");
        adapter.Ask("disconnect");
        Assert.True(process.WaitForExit(TimeSpan.FromSeconds(30)), "the adapter does not end");
        Assert.Equal(["received.ttvm"], Directory.GetFileSystemEntries(folder).Select(static entry => Path.GetFileName(entry)));
    }
}
