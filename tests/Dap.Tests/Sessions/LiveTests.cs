using System;
using System.IO;
using System.Linq;
using System.Text.Json.Nodes;
using System.Threading;
using Dap.Live;
using Dap.Sessions;
using Replay.Packages;
using Replay.Recording;
using Replay.Verification;
using TestKit;
using Vmm.Platform;
using Xunit;

namespace Dap.Tests.Sessions;

/// <summary>Guests that live: started by a client, or attached to; their past is visited, and they live on.</summary>
public sealed class LiveTests : IDisposable
{
    // In the demo kernel as committed: bank_deposit.
    private const string Deposit = """{"breakpoints":[{"instructionReference":"0xffffffff80102ccb"}]}""", Nothing = """{"breakpoints":[]}""", Thread1 = """{"threadId":1}""";
    private const string ByInstruction = """{"threadId":1,"granularity":"instruction"}""";

    private readonly string _folder = Directory.CreateTempSubdirectory("ttvm-live").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Copy(string image)
    {
        string path = Path.Combine(_folder, Path.GetFileName(image));
        File.Copy(image, path);
        return path;
    }

    private static TestClient Started(string program, Action<JsonObject>? more = null, bool stopOnEntry = true)
    {
        var client = new TestClient(new DapServerOptions { Host = new TestHost(), ProgressDelay = TimeSpan.FromDays(1) });
        client.Ask("initialize", """{"adapterID":"ttvm"}""");
        var arguments = new JsonObject { ["program"] = program, ["memory"] = "32M", ["stopOnEntry"] = stopOnEntry };
        more?.Invoke(arguments);
        client.Body("launch", arguments.ToJsonString());
        return client;
    }

    [Fact]
    public void A_guest_is_started_sent_back_and_lives_on()
    {
        string program = Copy(GuestImages.PrebuiltDemo64), recorded = Path.ChangeExtension(program, ".ttvm");
        using (TestClient client = Started(program, a => a["cpus"] = 2))
        {
            Live(client, "configurationDone");
            Assert.Equal("0", client.Position());
            Assert.True((bool)client.Body("ttvm/position")["isLive"]!);
            client.Body("setInstructionBreakpoints", Deposit);
            for (int i = 0; i < 3; i++) Assert.Equal("instruction breakpoint", (string?)Live(client, "continue")["reason"]);
            string there = client.Position();
            for (int i = 0; i < 5; i++) Live(client, "stepBack", ByInstruction);
            Assert.NotEqual(there, client.Position());
            Assert.Equal("instruction breakpoint", (string?)Live(client, "reverseContinue")["reason"]);
            Live(client, "continue");
            Assert.Equal(there, client.Position());
            // From the past over the end of what is recorded, a step at a time.
            client.Body("setInstructionBreakpoints", Nothing);
            string end = (string)client.Body("ttvm/position")["end"]!;
            Live(client, "ttvm/seek", new JsonObject { ["position"] = end }.ToJsonString());
            for (int i = 0; i < 5; i++) Live(client, "stepIn", ByInstruction);
            Assert.NotEqual(end, client.Position());
            Assert.Equal("end", (string?)Live(client, "continue")["reason"]);
            Assert.False((bool)client.Body("ttvm/position")["isLive"]!);
            client.Body("terminate");
            Assert.Contains(client.Events, e => (string?)e["event"] == "terminated");
            Assert.False((bool)client.Ask("threads")["success"]!);
            client.Body("disconnect");
            client.Close();
        }
        using RecordingFile recording = RecordingFile.Open(recorded);
        Assert.Equal(OutcomeKind.DebugExit, recording.Outcome.Kind);
        Assert.True(RecordingVerifier.Verify(recording).IsGood);
    }

    [Fact]
    public void A_running_guest_takes_breakpoints_keys_and_a_pause()
    {
        using TestClient client = Started(Copy(GuestImages.Own("echo.elf")), stopOnEntry: false);
        client.Body("configurationDone");
        Assert.Equal("vCPU 0: running", (string?)client.Body("threads")["threads"]![0]!["name"]);
        Assert.Equal("the guest is running: pause it first", (string?)client.Ask("stackTrace", Thread1)["message"]);
        Assert.Equal("the guest is running: pause it first", (string?)client.Ask("continue", Thread1)["message"]);
        client.Body("setExceptionBreakpoints", """{"filters":[],"filterOptions":[{"filterId":"console","condition":"HEL"}]}""");
        client.Body("ttvm/type", """{"text":"hello"}""");
        JsonNode stop = WaitForStop(client);
        Assert.Equal("exception", (string?)stop["reason"]);
        client.Body("setExceptionBreakpoints", """{"filters":[]}""");
        client.Body("continue", Thread1);
        while (!Printed(client).EndsWith('O')) client.Events.Add(client.Receive()!);
        Assert.Equal("HELLO", (string?)client.Body("ttvm/console")["lines"]!.AsArray()[^1]!["text"]);
        client.Body("pause", Thread1);
        Assert.Equal("pause", (string?)WaitForStop(client)["reason"]);
        Assert.EndsWith("HELLO", (string?)client.Body("evaluate", """{"expression":"console","context":"repl"}""")["result"], StringComparison.Ordinal);
        client.Body("stackTrace", Thread1);
        client.Body("disconnect");
    }

    private static string Printed(TestClient client) =>
        string.Concat(client.Events.Where(e => (string?)e["event"] == "output").Select(e => (string?)e["body"]!["output"]));

    // Other requests are answered before a living guest stops.
    private static JsonNode Live(TestClient client, string command, string arguments = Thread1)
    {
        client.Body(command, arguments);
        return WaitForStop(client);
    }

    private static JsonNode WaitForStop(TestClient client)
    {
        while (!client.Events.Exists(e => (string?)e["event"] == "stopped")) client.Events.Add(client.Receive()!);
        return client.TakeStopped();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_was_recorded_is_kept_when_the_client_goes(bool saysGoodbye)
    {
        string program = Copy(GuestImages.Own("echo.elf"));
        using (TestClient client = Started(program, stopOnEntry: false))
        {
            client.Body("configurationDone");
            client.Body("ttvm/type", """{"text":"h"}""");
            while (!Printed(client).EndsWith('H')) client.Events.Add(client.Receive()!);
            if (saysGoodbye) client.Body("disconnect");
            client.Close();
        }
        using RecordingFile recording = RecordingFile.Open(Path.ChangeExtension(program, ".ttvm"));
        Assert.True(recording.End.InstructionCount > 0);
        Assert.True(RecordingVerifier.Verify(recording).IsGood);
    }

    [Fact]
    [Trait("Category", "Slow")]
    public void Debians_kernel_boots_under_the_debugger_and_takes_commands()
    {
        string recorded = Path.Combine(_folder, "linux.ttvm");
        using (TestClient client = Started(GuestImages.LinuxCloudKernel(), a =>
        {
            a["initrd"] = GuestImages.Initramfs();
            a["append"] = "console=ttyS0 ttvm.shell";
            a["memory"] = "256M";
            a["recording"] = recorded;
        }, stopOnEntry: false))
        {
            client.Body("setExceptionBreakpoints", """{"filters":[],"filterOptions":[{"filterId":"console","condition":"ttvm: init reached"}]}""");
            client.Body("configurationDone");
            Assert.Equal("exception", (string?)WaitForStop(client)["reason"]);
            string there = client.Position();
            // Somewhere in the past, then on over the end of what is recorded, to the prompt.
            Live(client, "ttvm/seek", """{"position":"50%"}""");
            Live(client, "stepBack", ByInstruction);
            Live(client, "continue");
            Assert.Equal(there, client.Position());
            client.Body("setExceptionBreakpoints", """{"filters":[],"filterOptions":[{"filterId":"console","condition":"ttvm# "}]}""");
            Live(client, "continue");
            client.Body("setExceptionBreakpoints", """{"filters":[],"filterOptions":[{"filterId":"console","condition":"is 42"}]}""");
            client.Body("ttvm/type", """{"text":"echo six times seven is $((6*7))\n"}""");
            Assert.Equal("exception", (string?)Live(client, "continue")["reason"]);
            client.Body("setExceptionBreakpoints", """{"filters":[]}""");
            client.Body("ttvm/type", """{"text":"poweroff -f\n"}""");
            Assert.Equal("end", (string?)Live(client, "continue")["reason"]);
            client.Body("disconnect");
            client.Close();
        }
        using RecordingFile recording = RecordingFile.Open(recorded);
        Assert.Equal(OutcomeKind.PowerOff, recording.Outcome.Kind);
        Assert.True(RecordingVerifier.Verify(recording).IsGood);
    }

    [Fact]
    public void An_earlier_recording_is_not_replaced_unless_it_is_named()
    {
        string program = Copy(GuestImages.PrebuiltDemo64), first = Path.ChangeExtension(program, ".ttvm");
        File.WriteAllText(first, "precious");
        using (TestClient client = Started(program)) client.Body("disconnect");
        Assert.Equal("precious", File.ReadAllText(first));
        RecordingFile.Open(Path.Combine(_folder, "demo64-2.ttvm")).Dispose();
        using (TestClient client = Started(program, a => a["recording"] = first)) client.Body("disconnect");
        RecordingFile.Open(first).Dispose();
    }

    [Fact]
    public void Clients_attach_one_after_the_other_and_the_guest_lives_on()
    {
        string path = Path.Combine(_folder, "attached.ttvm");
        var input = new LiveInput(new InteractiveInput());
        var configuration = new MachineConfiguration
        {
            MemorySizeBytes = 32 << 20, Images = [new MachineImage("kernel", "echo.elf", File.ReadAllBytes(GuestImages.Own("echo.elf")))],
        };
        using (var live = new LiveRecording(new Recorder(configuration, input, new TestHost(), new RecorderOptions { Path = path })))
        {
            var options = new DapServerOptions { Guest = new LiveGuest(live, input), ProgressDelay = TimeSpan.FromDays(1) };
            for (int i = 0; i < 2; i++)
            {
                using var client = new TestClient(options);
                client.Ask("initialize", """{"adapterID":"ttvm"}""");
                client.Body("attach", """{"stopOnEntry":true}""");
                Live(client, "configurationDone");
                Live(client, "next", ByInstruction);
                Live(client, "stepBack", ByInstruction);
                client.Body("disconnect");
                client.Close();
                Assert.True(live.IsAlive);
            }
            Assert.True(input.TryType("q"));
            live.Run([], live.Recording.End, CancellationToken.None);
            live.Finish();
        }
        using RecordingFile recording = RecordingFile.Open(path);
        Assert.True(RecordingVerifier.Verify(recording).IsGood);
    }

    [Fact]
    public void What_cannot_be_started_is_said_in_a_sentence()
    {
        string program = Copy(GuestImages.PrebuiltDemo64), noKernel = Path.Combine(_folder, "text");
        File.WriteAllText(noKernel, "this is no kernel");
        using var client = new TestClient(new DapServerOptions { Host = new TestHost(), ProgressDelay = TimeSpan.FromDays(1) });
        client.Ask("initialize", """{"adapterID":"ttvm"}""");
        foreach ((string name, JsonNode value, string message) in new (string, JsonNode, string)[]
        {
            ("cpus", 9, "'cpus' 9: a machine has 1 to 8 vCPUs"),
            ("cpus", "two", "the arguments of 'launch' are not as the protocol says: 'cpus' has a value of another kind"),
            ("memory", "lots", "'memory': 'lots' is not a size: write 256M or 1G"),
            ("clock", "wall", "'clock' in launch.json is 'wall': write \"virtual\" or \"host\""),
            ("initrd", "/nowhere", "/nowhere does not exist: there is no such initrd"),
            ("at", "50%", "'at' is for recordings: a guest that is started begins at its start"),
        })
        {
            JsonNode answer = client.Ask("launch", new JsonObject { ["program"] = program, [name] = value.DeepClone() }.ToJsonString());
            Assert.Equal((false, message), ((bool)answer["success"]!, (string?)answer["message"]));
        }
        Assert.StartsWith($"{noKernel} cannot be started: ", (string?)client.Ask("launch", new JsonObject { ["program"] = noKernel }.ToJsonString())["message"], StringComparison.Ordinal);
        Assert.Contains("ttvm record --dap", (string?)client.Ask("attach")["message"], StringComparison.Ordinal);
        Assert.Equal("nothing takes what is typed: only a guest that lives does, and not while a script types", (string?)client.Ask("ttvm/type", """{"text":"x"}""")["message"]);
        Assert.Empty(Directory.GetFiles(_folder, "*.ttvm*"));
        // And the session is still good.
        client.Body("launch", new JsonObject { ["program"] = program, ["memory"] = "32M" }.ToJsonString());
        client.Body("disconnect");
    }

    // The demo kernel and echo want neither time nor random numbers; checkpoints ask how long they took.
    private sealed class TestHost : IHostServices
    {
        public ulong ReadMonotonicNanoseconds() => 0;
        public void FillRandom(Span<byte> destination) => destination.Clear();
    }
}
