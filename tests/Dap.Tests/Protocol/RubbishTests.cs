using System;
using System.IO;
using System.Linq;
using System.Text;
using System.Text.Json.Nodes;
using System.Threading.Tasks;
using Dap.Sessions;
using Replay.Recording;
using TestKit;
using Xunit;

namespace Dap.Tests.Protocol;

/// <summary>Malformed and out-of-order messages get error answers, and the server lives on.</summary>
public sealed class RubbishTests(Recordings recordings)
{
    // All but those that end the session, and some that nobody serves.
    private static readonly string[] s_commands =
        [.. DapServer.Requests.Except(["disconnect", "terminate"]).Order(StringComparer.Ordinal), "modules", "runInTerminal", "", "ttvm/nothing"];

    [Theory]
    [InlineData("{", "not JSON")]
    [InlineData("[]", "not a JSON object")]
    [InlineData("{}", "not a request")]
    [InlineData("""{"type":"request"}""", "no seq")]
    [InlineData("""{"type":"request","seq":1}""", "no command")]
    [InlineData("""{"type":"request","seq":1,"command":"threads","arguments":[]}""", "not an object")]
    [InlineData("""{"type":"request","seq":1,"command":"continue"}""", "threadId")]
    [InlineData("""{"type":"request","seq":1,"command":"continue","arguments":{"threadId":"one"}}""", "threadId")]
    [InlineData("""{"type":"request","seq":1,"command":"fly"}""", "'fly' is not supported")]
    [InlineData("""{"type":"response","seq":1,"command":"threads"}""", "not a request")]
    public void A_malformed_message_is_answered(string content, string expected)
    {
        using var client = new TestClient();
        client.SendContent(content);
        JsonNode answer = client.Receive()!;
        Assert.False((bool)answer["success"]!);
        Assert.Contains(expected, (string)answer["message"]!, StringComparison.Ordinal);
        Assert.True((bool)client.Ask("initialize", """{"adapterID":"x"}""")["success"]!);
    }

    [Theory]
    [InlineData("\r\n\r\n", "without Content-Length")]
    [InlineData("Content-Length: many\r\n\r\n", "not a number")]
    [InlineData("Content-Length: -5\r\n\r\n", "not a number")]
    [InlineData("Content-Length: 99999999999\r\n\r\n{}", "too long")]
    [InlineData("hello\r\n", "not a header")]
    public void A_malformed_header_is_answered(string bytes, string expected)
    {
        using var client = new TestClient();
        client.SendRaw(Encoding.ASCII.GetBytes(bytes));
        Assert.Contains(expected, (string)client.Receive()!["message"]!, StringComparison.Ordinal);
        // The second empty line of the first case is rubbish as well.
        int sequence = client.Send("initialize", """{"adapterID":"x"}""");
        Assert.True((bool)client.WaitFor(sequence)["success"]!);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public void Any_requests_in_any_order(int seed)
    {
        var random = new Random(seed);
        using TestClient client = (seed % 4) switch
        {
            0 => TestClient.Launched(Copy(recordings.One), "50%"),
            1 => Live(),
            2 => TestClient.Launched(Copy(recordings.Two), "end"),
            _ => new TestClient(),
        };
        for (int i = 0; i < 250; i++)
        {
            string command = s_commands[random.Next(s_commands.Length)];
            string arguments = Arguments(random).ToJsonString();
            JsonNode answer = client.WaitFor(client.Send(command, arguments));
            // A guest whose registers were changed may run for ever.
            client.WaitFor(client.Send("pause", "{\"threadId\":1}"));
            Assert.DoesNotContain("bug in ttvm", (string?)answer["message"] ?? "", StringComparison.Ordinal);
            if (!(bool)answer["success"]!) Assert.False(string.IsNullOrWhiteSpace((string?)answer["message"]), $"seed {seed}: {command} {arguments}");
            Assert.DoesNotContain(client.Events, e => ((string?)e["body"]?["output"] ?? "").Contains("bug in ttvm", StringComparison.Ordinal));
            client.Events.Clear();
        }
        Assert.True((bool)client.WaitFor(client.Send("disconnect"))["success"]!);
        client.Close();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Any_bytes(int seed)
    {
        var random = new Random(seed);
        using var client = new TestClient();
        // A server whose answers nobody takes stops reading.
        Task drain = Task.Run(() =>
        {
            while (client.Receive() is not null) { }
        });
        byte[] good = Encoding.ASCII.GetBytes("Content-Length: 60\r\n\r\n{\"seq\":1,\"type\":\"request\",\"command\":\"threads\",\"arguments\":{}}");
        for (int i = 0; i < 200; i++)
        {
            var bytes = (byte[])good.Clone();
            for (int n = random.Next(1, 6); n > 0; n--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            client.SendRaw(bytes.AsSpan(0, random.Next(bytes.Length + 1)));
        }
        // Whatever length the rubbish announced: this fills it, and then comes a request that must be understood.
        byte[] filler = new byte[1000];
        client.SendRaw(filler);
        client.Close();
        await drain.WaitAsync(TimeSpan.FromSeconds(30));
    }

    // Bookmarks stay beside a recording.
    private static string Copy(string recording)
    {
        string path = Path.ChangeExtension(recording, ".fuzz.ttvm");
        File.Copy(recording, path, overwrite: true);
        return path;
    }

    // A guest that lives and waits for keys.
    private TestClient Live()
    {
        var client = new TestClient(new DapServerOptions { Host = new StoppedHost(), ProgressDelay = TimeSpan.FromDays(1) });
        client.Ask("initialize", """{"adapterID":"ttvm"}""");
        string recording = Path.ChangeExtension(recordings.One, ".live.ttvm");
        client.Body("launch", new JsonObject { ["program"] = GuestImages.Own("echo.elf"), ["memory"] = "32M", ["recording"] = recording }.ToJsonString());
        client.Ask("configurationDone");
        return client;
    }

    private sealed class StoppedHost : IHostServices
    {
        public ulong ReadMonotonicNanoseconds() => 0;
        public void FillRandom(Span<byte> destination) => destination.Clear();
    }

    private static JsonObject Arguments(Random random)
    {
        string[] names =
        [
            "threadId", "frameId", "variablesReference", "start", "count", "expression", "context", "memoryReference", "offset", "instructionOffset",
            "instructionCount", "position", "address", "bytes", "name", "value", "data", "breakpoints", "filters", "program", "at", "text", "column",
            "adapterID", "source", "requestId", "progressId", "asAddress", "granularity", "levels", "startFrame",
            "path", "filters", "comparedTo", "from", "to", "bucketCount", "kind", "reverse", "note", "channel", "targetId", "line", "filterOptions", "sourceReference",
        ];
        var arguments = new JsonObject();
        foreach (string name in names)
            if (random.Next(3) > 0) arguments[name] = Value(random, name);
        return arguments;
    }

    private static JsonNode? Value(Random random, string name)
    {
        // Mostly what fits, so that handlers are reached.
        bool fits = random.Next(8) > 0;
        if (fits)
        {
            switch (name)
            {
                case "threadId": return random.Next(0, 3);
                case "breakpoints":
                    return new JsonArray(new JsonObject
                    {
                        ["instructionReference"] = "0xffffffff80102ccb", ["dataId"] = "0xffffffff80104658:4", ["name"] = "x", ["line"] = 3,
                    });
                case "filters": return new JsonArray("interrupts", "port", "what");
                case "source": return new JsonObject { ["path"] = random.Next(2) == 0 ? "/x.c" : TestKit.Repository.PathOf("guests/demo64/bank.c") };
                case "kind": return new[] { "interrupt", "exception", "consoleLine", "schedule", "input", "nonsense" }[random.Next(6)];
                case "reverse": return random.Next(2) == 0;
                case "filterOptions": return new JsonArray(new JsonObject { ["filterId"] = "console", ["condition"] = "deposit" });
                case "expression": return new[] { "rax", "[rsp]", "x/4gx rsp", "walk rip", "lastwrite rsp 8", "seek 10%", "((((", "rbx" }[random.Next(8)];
                case "context": return "repl";
                case "position" or "from" or "to" or "comparedTo": return new[] { "start", "end", "50%", "99999", "-1", "" }[random.Next(6)];
                case "memoryReference" or "address" or "name": return new[] { "0xffffffff80102ccb", "0xffffffffffffffff", "0x0", "rax", "phys:0x1000", "rsp" }[random.Next(6)];
                case "data": return "AAAA";
                case "at" or "value" or "text" or "adapterID" or "progressId" or "granularity" or "program" or "note" or "channel" or "path": return "12";
                case "asAddress": return random.Next(2) == 0;
                case "offset" or "instructionOffset": return random.Next(-300, 300);
                default: return random.Next(0, 40);
            }
        }
        return random.Next(6) switch
        {
            0 => JsonValue.Create(long.MaxValue),
            1 => JsonValue.Create(-1),
            2 => JsonValue.Create("\u0000\ud83d\ude00 rubbish"),
            3 => new JsonArray(),
            4 => null,
            _ => JsonValue.Create(1.5),
        };
    }
}
