using System;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text;
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
        using var adapter = new Adapter(folder);
        adapter.Ask("initialize", new JsonObject { ["adapterID"] = "ttvm" });
        adapter.Ask("launch", new JsonObject { ["program"] = path });
        adapter.Ask("setFunctionBreakpoints", new JsonObject { ["breakpoints"] = new JsonArray(new JsonObject { ["name"] = "bank_deposit" }) });
        adapter.Ask("configurationDone", []);
        adapter.Await("stopped");
        adapter.Ask("continue", new JsonObject { ["threadId"] = 1 });
        int thread = (int)adapter.Await("stopped")["threadId"]!;
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
        adapter.Await("stopped");
        adapter.Ask("disconnect", []);
        Assert.Equal(["received.ttvm"], Directory.GetFileSystemEntries(folder).Select(static entry => Path.GetFileName(entry)));
    }

    /// <summary>`ttvm dap` in a folder of its own, and a client of few words.</summary>
    private sealed class Adapter : IDisposable
    {
        private readonly Process _process;
        private int _sequence;

        public Adapter(string folder)
        {
            var start = new ProcessStartInfo(Ttvm.Program, ["dap"]) { RedirectStandardInput = true, RedirectStandardOutput = true, WorkingDirectory = folder };
            _process = Process.Start(start)!;
        }

        public JsonNode Ask(string command, JsonObject arguments)
        {
            var request = new JsonObject { ["seq"] = ++_sequence, ["type"] = "request", ["command"] = command, ["arguments"] = arguments };
            byte[] content = Encoding.UTF8.GetBytes(request.ToJsonString());
            Stream input = _process.StandardInput.BaseStream;
            input.Write(Encoding.ASCII.GetBytes($"Content-Length: {content.Length}\r\n\r\n"));
            input.Write(content);
            input.Flush();
            while (true)
            {
                JsonNode message = Read();
                if ((string?)message["type"] != "response" || (int)message["request_seq"]! != _sequence) continue;
                Assert.True((bool)message["success"]!, message.ToJsonString());
                return message["body"] ?? new JsonObject();
            }
        }

        public JsonNode Await(string name)
        {
            while (true)
            {
                JsonNode message = Read();
                if ((string?)message["event"] == name) return message["body"]!;
            }
        }

        public void Dispose()
        {
            if (!_process.WaitForExit(TimeSpan.FromSeconds(30))) _process.Kill();
            _process.Dispose();
        }

        private JsonNode Read()
        {
            Stream output = _process.StandardOutput.BaseStream;
            var header = new StringBuilder();
            while (!header.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
            {
                int next = output.ReadByte();
                Assert.True(next >= 0, "the adapter has ended");
                header.Append((char)next);
            }
            var content = new byte[int.Parse(header.ToString()["Content-Length: ".Length..].Trim(), CultureInfo.InvariantCulture)];
            output.ReadExactly(content);
            return JsonNode.Parse(content)!;
        }
    }
}
