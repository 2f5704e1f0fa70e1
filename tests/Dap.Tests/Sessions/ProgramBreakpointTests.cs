using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json.Nodes;
using System;
using Dap.Sessions;
using TestKit;
using Xunit;

namespace Dap.Tests.Sessions;

/// <summary>Breakpoints in programs that are not mapped yet, or not any more: they wait, and are hit wherever the program is, in both directions.</summary>
public sealed class ProgramBreakpointTests(ProgramsGuest guest) : IClassFixture<ProgramsGuest>
{
    private const string Thread1 = """{"threadId":1}""";
    private static readonly int s_line = 1 + Array.FindIndex(File.ReadAllLines(ProgramsGuest.Source), line => line.Contains("total += n", StringComparison.Ordinal));

    [Fact]
    public void A_breakpoint_waits_before_the_kernel_is_there()
    {
        using TestClient client = TestClient.Launched(guest.Beginning);
        JsonNode line = SetLine(client), function = client.Body("setFunctionBreakpoints", """{"breakpoints":[{"name":"step"}]}""")["breakpoints"]![0]!;
        foreach (JsonNode breakpoint in (JsonNode[])[line, function])
        {
            Assert.False((bool)breakpoint["verified"]!);
            Assert.Equal("pending", (string?)breakpoint["reason"]);
            Assert.Contains("waits for a program that has it", (string)breakpoint["message"]!, StringComparison.Ordinal);
        }
        Assert.Equal("end", (string?)client.Move("continue")["reason"]);
        Assert.DoesNotContain(client.Events, IsBreakpoint);
    }

    [Theory]
    [Trait("Category", "Slow")]
    [InlineData("line")]
    [InlineData("function")]
    [InlineData("condition")]
    public void Breakpoints_in_programs_are_hit_in_both_directions(string kind)
    {
        using TestClient client = TestClient.Launched(guest.Recording);
        Assert.False((bool)Set(client, kind)["verified"]!);
        var forward = new List<(string Position, string Rip)>();
        for (JsonNode stop = Continue(client, "continue"); (string?)stop["reason"] != "end"; stop = Continue(client, "continue"))
        {
            if (forward.Count == 0) Assert.Contains(client.Events, e => IsBreakpoint(e) && (bool)e["body"]!["breakpoint"]!["verified"]!);
            Assert.Contains("breakpoint", (string)stop["reason"]!, StringComparison.Ordinal);
            forward.Add(Here(client, stop));
        }
        int count = kind == "condition" ? 2 : 6;
        Assert.Equal(count, forward.Count);
        // Each time elsewhere: else this would prove less than it should.
        Assert.Equal(2, forward.Select(each => each.Rip).Distinct().Count());
        for (int i = count - 1; i >= 0; i--) Assert.Equal(forward[i], Here(client, Continue(client, "reverseContinue")));

        // From the end, where nobody has seen the program yet.
        using TestClient other = TestClient.Launched(guest.Recording, "end");
        Assert.False((bool)Set(other, kind)["verified"]!);
        for (int i = count - 1; i >= 0; i--) Assert.Equal(forward[i], Here(other, Continue(other, "reverseContinue")));
        Assert.Equal("start", (string?)Continue(other, "reverseContinue")["reason"]);
        // Now its place is known.
        Assert.True((bool)Set(other, kind)["verified"]!);
    }

    /// <summary>The first write to a page of its data faults, and is begun again by the kernel: what the program does is one execution of the instruction.</summary>
    [Theory]
    [Trait("Category", "Slow")]
    [InlineData("line")]
    [InlineData("function")]
    [InlineData("counted")]
    public void An_instruction_that_faults_is_hit_once(string kind)
    {
        int line = 1 + Array.FindIndex(File.ReadAllLines(ProgramsGuest.Source), text => text.Contains("an instruction that faults", StringComparison.Ordinal));
        using TestClient client = TestClient.Launched(guest.Recording);
        if (kind == "function") client.Body("setFunctionBreakpoints", """{"breakpoints":[{"name":"_start"}]}""");
        else SetLine(client, line: line, hits: kind == "counted" ? "2" : null);
        var hits = new List<string>();
        var addresses = new List<JsonNode>();
        for (JsonNode stop = Continue(client, "continue"); (string?)stop["reason"] != "end"; stop = Continue(client, "continue"))
        {
            hits.Add(client.Position());
            addresses.Add(new JsonObject { ["instructionReference"] = client.Rip((int)stop["threadId"]!) });
        }
        Assert.Equal(kind == "counted" ? 1 : 2, hits.Count);
        for (int i = hits.Count - 1; i >= 0; i--)
        {
            Continue(client, "reverseContinue");
            Assert.Equal(hits[i], client.Position());
        }
        Assert.Equal("start", (string?)Continue(client, "reverseContinue")["reason"]);
        // On the instruction itself each attempt is a hit, as the processor sees it.
        client.Body("setBreakpoints", new JsonObject { ["source"] = new JsonObject { ["path"] = ProgramsGuest.Source }, ["breakpoints"] = new JsonArray() }.ToJsonString());
        client.Body("setFunctionBreakpoints", """{"breakpoints":[]}""");
        client.Body("setInstructionBreakpoints", new JsonObject { ["breakpoints"] = new JsonArray([.. addresses]) }.ToJsonString());
        int attempts = 0;
        while ((string?)Continue(client, "continue")["reason"] != "end") attempts++;
        Assert.Equal(2 * hits.Count, attempts);
    }

    /// <summary>A guest that boots while breakpoints wait: they are found when the kernel maps the program, without stopping for others.</summary>
    [Fact]
    [Trait("Category", "Slow")]
    public void A_breakpoint_waits_in_a_guest_that_lives()
    {
        (string kernel, string initrd) = guest.Images();
        using var client = new TestClient(new DapServerOptions { Host = new ProgramsGuest.RandomHost(), ProgressDelay = TimeSpan.FromDays(1) });
        client.Ask("initialize", """{"adapterID":"ttvm"}""");
        client.Body("launch", new JsonObject
        {
            ["program"] = kernel, ["initrd"] = initrd, ["cpus"] = 2, ["memory"] = "256M", ["append"] = "console=ttyS0 quiet", ["stopOnEntry"] = true,
            ["sourceMap"] = new JsonObject { [""] = Repository.Root },
        }.ToJsonString());
        client.Body("configurationDone");
        WaitForStop(client);
        Assert.True((bool)client.Body("ttvm/position")["isLive"]!);
        Assert.False((bool)SetLine(client)["verified"]!);
        var hits = new List<(string, string)>();
        for (int i = 0; i < 2; i++)
        {
            client.Body("continue", Thread1);
            JsonNode stop = WaitForStop(client);
            Assert.Equal("breakpoint", (string?)stop["reason"]);
            hits.Add(Here(client, stop));
            Assert.True((bool)client.Body("ttvm/position")["isLive"]!);
        }
        // The past is visited as in a recording, and the guest lives on from where it was.
        client.Body("reverseContinue", Thread1);
        Assert.Equal(hits[0], Here(client, WaitForStop(client)));
        client.Body("reverseContinue", Thread1);
        Assert.Equal("start", (string?)WaitForStop(client)["reason"]);
        foreach ((string, string) hit in hits)
        {
            client.Body("continue", Thread1);
            Assert.Equal(hit, Here(client, WaitForStop(client)));
        }
        client.Body("continue", Thread1);
        Assert.NotEqual(hits[1], Here(client, WaitForStop(client)));
    }

    // A guest that lives stops when it likes.
    private static JsonNode WaitForStop(TestClient client)
    {
        while (!client.Events.Exists(e => (string?)e["event"] == "stopped")) client.Events.Add(client.Receive()!);
        return client.TakeStopped();
    }

    private static JsonNode Set(TestClient client, string kind) => kind switch
    {
        "line" => SetLine(client),
        "condition" => SetLine(client, "n == 1"),
        _ => client.Body("setFunctionBreakpoints", """{"breakpoints":[{"name":"step"}]}""")["breakpoints"]![0]!,
    };

    private static JsonNode SetLine(TestClient client, string? condition = null, int? line = null, string? hits = null)
    {
        var breakpoint = new JsonObject { ["line"] = line ?? s_line };
        if (hits is not null) breakpoint["hitCondition"] = hits;
        if (condition is not null) breakpoint["condition"] = condition;
        var arguments = new JsonObject { ["source"] = new JsonObject { ["path"] = ProgramsGuest.Source }, ["breakpoints"] = new JsonArray(breakpoint) };
        return client.Body("setBreakpoints", arguments.ToJsonString())["breakpoints"]![0]!;
    }

    // Events that come before the stop are kept.
    private static JsonNode Continue(TestClient client, string command)
    {
        client.Events.Clear();
        client.Body(command, Thread1);
        return client.Events.First(e => (string?)e["event"] == "stopped")["body"]!;
    }

    private static (string Position, string Rip) Here(TestClient client, JsonNode stop)
    {
        int threadId = (int)stop["threadId"]!;
        JsonNode top = client.Body("stackTrace", $$"""{"threadId":{{threadId}},"levels":1}""")["stackFrames"]![0]!;
        Assert.Equal("step", ((string)top["name"]!).Split(' ')[0]);
        Assert.Equal(s_line, (int)top["line"]!);
        return (client.Position(), (string)top["instructionPointerReference"]!);
    }

    private static bool IsBreakpoint(JsonNode e) => (string?)e["event"] == "breakpoint";
}
