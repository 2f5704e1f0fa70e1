using System.Collections.Generic;
using System.IO;
using System.Text.Json.Nodes;
using TestKit;
using Xunit;

namespace Dap.Tests.Sessions;

/// <summary>Breakpoints in the source, with conditions, hit counts and messages.</summary>
public sealed class SourceBreakpointTests(Recordings recordings)
{
    private static string Bank => Repository.PathOf("guests/demo64/bank.c");

    private static bool IsBreakpoint(JsonNode stop) => (string?)stop["reason"] is "breakpoint" or "function breakpoint" or "instruction breakpoint";

    private static JsonNode Set(TestClient client, string path, string breakpoints) =>
        client.Body("setBreakpoints", $$"""{"source":{"path":"{{path}}"},"breakpoints":{{breakpoints}}}""")["breakpoints"]!;

    // All stops up to an end of the recording, or so many.
    private static List<string> Stops(TestClient client, string command, int maximumCount = int.MaxValue)
    {
        var positions = new List<string>();
        while (positions.Count < maximumCount && IsBreakpoint(client.Move(command))) positions.Add(client.Position());
        return positions;
    }

    private static string Top(TestClient client)
    {
        JsonNode frame = client.Body("stackTrace", """{"threadId":1,"levels":1}""")["stackFrames"]![0]!;
        return $"{frame["name"]}:{frame["line"]}";
    }

    [Fact]
    public void A_line_stops_and_a_line_without_code_moves_down()
    {
        using TestClient client = TestClient.Launched(recordings.One);
        JsonNode answers = Set(client, Bank, """[{"line":36},{"line":45},{"line":9999}]""");
        Assert.True((bool)answers[0]!["verified"]!);
        Assert.True((int)answers[0]!["line"]! > 36);
        Assert.True((bool)answers[1]!["verified"]!);
        Assert.False((bool)answers[2]!["verified"]!);
        Assert.Equal("there is no code at this line or below it", (string)answers[2]!["message"]!);
        Assert.Equal("breakpoint", (string?)client.Move("continue")["reason"]);
        // Its first statement is a call that was inlined.
        JsonNode frames = client.Body("stackTrace", """{"threadId":1}""")["stackFrames"]!;
        Assert.Equal("account_lock", (string?)frames[0]!["name"]);
        Assert.Equal("bank_deposit", (string?)frames[1]!["name"]);
    }

    [Fact]
    public void A_file_of_another_program_is_told_apart()
    {
        using TestClient client = TestClient.Launched(recordings.One);
        JsonNode answers = Set(client, "/elsewhere/other.c", """[{"line":1}]""");
        Assert.False((bool)answers[0]!["verified"]!);
        Assert.Contains("\"symbols\"", (string)answers[0]!["message"]!, System.StringComparison.Ordinal);
    }

    [Fact]
    public void Breakpoint_locations_are_the_lines_with_statements()
    {
        using TestClient client = TestClient.Launched(recordings.One);
        JsonArray locations = client.Body("breakpointLocations", $$"""{"source":{"path":"{{Bank}}"},"line":1,"endLine":60}""")["breakpoints"]!.AsArray();
        Assert.True(locations.Count > 5);
        foreach (JsonNode? location in locations)
        {
            JsonNode answer = Set(client, Bank, $$"""[{"line":{{location!["line"]}}}]""")[0]!;
            Assert.Equal((int)location["line"]!, (int)answer["line"]!);
        }
    }

    [Theory]
    [InlineData("3")]
    [InlineData(">= 5")]
    [InlineData("% 4")]
    [InlineData("< 3")]
    public void Hit_counts_choose_the_same_hits_in_both_directions(string hitCondition)
    {
        using TestClient client = TestClient.Launched(recordings.One);
        // The first 60: a limit that is far from both ends of the recording.
        client.Body("setDataBreakpoints", "{\"breakpoints\":[]}");
        Set(client, Bank, """[{"line":45}]""");
        List<string> all = Stops(client, "continue", 60);
        Assert.Equal(60, all.Count);
        var condition = Dap.Sessions.HitCondition.Parse(hitCondition);
        var expected = new List<string>();
        for (int i = 0; i < all.Count; i++)
            if (condition.Accepts((ulong)i + 1)) expected.Add(all[i]);
        client.Body("ttvm/seek", """{"position":"start"}""");
        client.TakeStopped();
        Set(client, Bank, $$"""[{"line":45,"hitCondition":"{{hitCondition}}"}]""");
        Assert.Equal(expected, Stops(client, "continue", expected.Count));
        // Behind the last of them, so that it is found again.
        client.Body("ttvm/seek", $$"""{"position":"{{all[^1]}}:1"}""");
        client.TakeStopped();
        List<string> backwards = Stops(client, "reverseContinue");
        backwards.Reverse();
        Assert.Equal(expected, backwards);
    }

    [Fact]
    public void A_hit_count_counts_hits_whose_condition_holds()
    {
        using TestClient client = TestClient.Launched(recordings.One, "95%");
        Set(client, Bank, """[{"line":45,"condition":"rip % 2 == 2"}]""");
        Assert.Equal("end", (string?)client.Move("continue")["reason"]);
        client.Body("setInstructionBreakpoints", """{"breakpoints":[{"instructionReference":"0xffffffff80102ccb","condition":"rdi > 58"}]}""");
        List<string> all = Stops(client, "reverseContinue");
        all.Reverse();
        client.Body("setInstructionBreakpoints", """{"breakpoints":[{"instructionReference":"0xffffffff80102ccb","condition":"rdi > 58","hitCondition":"% 3"}]}""");
        List<string> third = Stops(client, "continue");
        for (int i = 0; i < third.Count; i++) Assert.Equal(all[3 * i + 2], third[i]);
        Assert.Equal(all.Count / 3, third.Count);
    }

    [Fact]
    public void Log_points_print_in_the_direction_of_travel_and_do_not_stop()
    {
        using TestClient client = TestClient.Launched(recordings.One);
        JsonNode answers = Set(client, Bank,
            """[{"line":45,"condition":"rbx > 62 && &account != 0","logMessage":"amount {rdi & 0xff} {{at}} {rsp"},{"line":46,"logMessage":"{nonsense}"}]""");
        Assert.True((bool)answers[0]!["verified"]!);
        Assert.False((bool)answers[1]!["verified"]!);
        List<string> forwards = Printed(client, "continue", "end"), backwards = Printed(client, "reverseContinue", "start");
        Assert.NotEmpty(forwards);
        Assert.Equal(forwards.Count, backwards.Count);
        Assert.Matches("^amount 0x[0-9a-f]+ {at} {rsp\n$", forwards[0]);
        // The way back begins at the end: what came last comes first.
        for (int i = 0; i < forwards.Count; i++) Assert.Equal(forwards[^(i + 1)], backwards[i]);
    }

    private static List<string> Printed(TestClient client, string command, string reason)
    {
        client.Events.Clear();
        client.Body(command, """{"threadId":1}""");
        var printed = new List<string>();
        foreach (JsonNode message in client.Events)
            if ((string?)message["event"] == "output" && (string?)message["body"]!["category"] == "console") printed.Add((string)message["body"]!["output"]!);
        Assert.Equal(reason, (string?)client.TakeStopped()["reason"]);
        return printed;
    }

    [Fact]
    public void A_step_stops_at_a_breakpoint_on_the_way()
    {
        using TestClient client = TestClient.Launched(recordings.One);
        string traps = Repository.PathOf("guests/demo64/traps.c");
        client.Body("setFunctionBreakpoints", """{"breakpoints":[{"name":"syscall_dispatch"}]}""");
        client.Move("continue");
        client.Body("setFunctionBreakpoints", """{"breakpoints":[]}""");
        while (Top(client) != "syscall_dispatch:56") Assert.Equal("step", (string?)client.Move("next")["reason"]);
        string before = client.Position();
        client.Move("next");
        string after = client.Position();
        Assert.Equal("syscall_dispatch:57", Top(client));
        Set(client, Bank, """[{"line":45}]""");
        Assert.Equal("breakpoint", (string?)client.Move("stepBack")["reason"]);
        Assert.StartsWith("bank_deposit:", Top(client), System.StringComparison.Ordinal);
        client.Body("ttvm/seek", $$"""{"position":"{{before}}"}""");
        client.TakeStopped();
        Assert.Equal("breakpoint", (string?)client.Move("next")["reason"]);
        Set(client, Bank, "[]");
        client.Body("ttvm/seek", $$"""{"position":"{{after}}"}""");
        client.TakeStopped();
        client.Move("stepBack");
        Assert.Equal(before, client.Position());
        Assert.True(File.Exists(traps));
    }

    [Fact]
    public void Goto_travels_to_the_next_and_the_last_execution()
    {
        using TestClient client = TestClient.Launched(recordings.One);
        Set(client, Bank, """[{"line":45}]""");
        List<string> all = Stops(client, "continue");
        Set(client, Bank, "[]");
        client.Body("ttvm/seek", $$"""{"position":"{{all[3]}}"}""");
        client.TakeStopped();
        Assert.Equal(all[4], Go(0));
        Assert.Equal(all[3], Go(1));
        Assert.Equal(all[2], Go(1));
        for (int i = 1; i >= 0; i--) Assert.Equal(all[i], Go(1));
        JsonNode targets = Targets();
        JsonNode answer = client.Ask("goto", $$"""{"threadId":1,"targetId":{{targets[1]!["id"]}}}""");
        Assert.False((bool)answer["success"]!);
        Assert.Equal(all[0], client.Position());

        JsonNode Targets() => client.Body("gotoTargets", $$"""{"source":{"path":"{{Bank}}"},"line":45}""")["targets"]!;

        string Go(int index)
        {
            client.Body("goto", $$"""{"threadId":1,"targetId":{{Targets()[index]!["id"]}}}""");
            Assert.Equal("goto", (string?)client.TakeStopped()["reason"]);
            return client.Position();
        }
    }

    [Fact]
    public void A_variable_is_watched_by_its_name()
    {
        using TestClient client = TestClient.Launched(recordings.One);
        JsonNode info = client.Body("dataBreakpointInfo", """{"name":"account"}""");
        Assert.StartsWith("0xffffffff80", (string)info["dataId"]!, System.StringComparison.Ordinal);
        client.Body("setDataBreakpoints", $$"""{"breakpoints":[{"dataId":"{{info["dataId"]}}","accessType":"write"}]}""");
        Assert.Equal("data breakpoint", (string?)client.Move("continue")["reason"]);
    }

    [Fact]
    public void Exception_filters_take_an_expression()
    {
        using TestClient client = TestClient.Launched(recordings.One);
        client.Body("setExceptionBreakpoints", """{"filters":[],"filterOptions":[{"filterId":"port","condition":"0x3f8 if al == 0x64"}]}""");
        Assert.Equal("exception", (string?)client.Move("continue")["reason"]);
        Assert.StartsWith("0x0000000000000064", (string)client.Body("evaluate", """{"expression":"al"}""")["result"]!, System.StringComparison.Ordinal);
        client.Body("setExceptionBreakpoints", """{"filters":[],"filterOptions":[{"filterId":"vector-14","condition":"if cpl == 3"}]}""");
        Assert.Equal("exception", (string?)client.Move("continue")["reason"]);
        Assert.StartsWith("0x0000000000000003", (string)client.Body("evaluate", """{"expression":"cpl"}""")["result"]!, System.StringComparison.Ordinal);
        JsonNode answer = client.Body("setExceptionBreakpoints", """{"filters":[],"filterOptions":[{"filterId":"exceptions","condition":"if cpl =="}]}""");
        Assert.False((bool)answer["breakpoints"]![0]!["verified"]!);
    }

    [Fact]
    public void A_symbol_file_that_is_none_is_told_and_does_not_matter()
    {
        using var client = new TestClient();
        client.Ask("initialize", """{"adapterID":"ttvm"}""");
        client.Body("launch", new JsonObject
        {
            ["program"] = recordings.One, ["symbols"] = new JsonArray { "/nowhere/vmlinux", Repository.PathOf("README.md") },
        }.ToJsonString());
        client.Ask("configurationDone");
        var said = new List<string>();
        foreach (JsonNode message in client.Events)
            if ((string?)message["event"] == "output") said.Add((string)message["body"]!["output"]!);
        Assert.Equal(2, said.Count);
        Assert.Contains("/nowhere/vmlinux does not exist", said[0], System.StringComparison.Ordinal);
        Assert.Contains("is not an ELF file", said[1], System.StringComparison.Ordinal);
        client.TakeStopped();
        client.Body("setFunctionBreakpoints", """{"breakpoints":[{"name":"kernel_main"}]}""");
        Assert.Equal("function breakpoint", (string?)client.Move("continue")["reason"]);
    }

    [Fact]
    public void Sources_elsewhere_are_found_by_the_source_map_or_named_as_missing()
    {
        string folder = Directory.CreateTempSubdirectory("ttvm-dap").FullName;
        try
        {
            Directory.CreateDirectory(Path.Combine(folder, "copy"));
            File.Copy(Bank, Path.Combine(folder, "copy/bank.c"));
            using var client = new TestClient();
            client.Ask("initialize", """{"adapterID":"ttvm"}""");
            client.Body("launch", new JsonObject
            {
                ["program"] = recordings.One, ["symbols"] = GuestImages.PrebuiltDemo64, ["sourceMap"] = new JsonObject { ["guests/demo64"] = Path.Combine(folder, "copy") },
            }.ToJsonString());
            client.Ask("configurationDone");
            client.TakeStopped();
            Assert.True((bool)Set(client, Path.Combine(folder, "copy/bank.c"), """[{"line":45}]""")[0]!["verified"]!);
            client.Move("continue");
            JsonNode frames = client.Body("stackTrace", """{"threadId":1}""")["stackFrames"]!;
            Assert.Equal(Path.Combine(folder, "copy/bank.c"), (string)frames[0]!["source"]!["path"]!);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
