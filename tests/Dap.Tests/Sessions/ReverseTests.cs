using System;
using System.Collections.Generic;
using System.Text.Json.Nodes;
using Xunit;

namespace Dap.Tests.Sessions;

/// <summary>Backwards is the inverse of forwards.</summary>
public sealed class ReverseTests(Recordings recordings)
{
    private const string Deposit = "0xffffffff80102ccb";
    private const string ByInstruction = """{"threadId":1,"granularity":"instruction"}""";

    [Fact]
    public void A_guest_that_panicked_is_found_from_both_sides()
    {
        using TestClient client = TestClient.Launched(TestKit.Repository.PathOf("traces/demo64-lost-update.ttvm"), "end");
        client.Body("setExceptionBreakpoints", """{"filters":["panic"]}""");
        Assert.Equal("The guest panics", (string?)client.Move("reverseContinue")["description"]);
        string there = client.Position();
        Assert.Equal("start", (string?)client.Move("reverseContinue")["reason"]);
        Assert.Equal("The guest panics", (string?)client.Move("continue")["description"]);
        Assert.Equal(there, client.Position());
        Assert.Equal("end", (string?)client.Move("continue")["reason"]);
    }

    [Theory]
    [InlineData("20%")]
    [InlineData("55%")]
    [InlineData("90%")]
    public void Steps_into_and_back_into(string at)
    {
        using TestClient client = TestClient.Launched(recordings.One, at);
        var rips = new Stack<string>();
        for (int i = 0; i < 60; i++)
        {
            rips.Push(client.Rip());
            client.Move("stepIn", ByInstruction);
        }
        while (rips.TryPop(out string? rip))
        {
            client.Move("ttvm/reverseStepIn", ByInstruction);
            Assert.Equal(rip, client.Rip());
        }
    }

    [Theory]
    [InlineData(1, "50%")]
    [InlineData(2, "50%")]
    [InlineData(1, "80%")]
    [InlineData(2, "80%")]
    public void Steps_of_one_of_two_processors_and_back(int threadId, string at)
    {
        using TestClient client = TestClient.Launched(recordings.Two, at);
        string thread = $$"""{"threadId":{{threadId}},"granularity":"instruction"}""";
        var rips = new Stack<string>();
        for (int i = 0; i < 30; i++)
        {
            rips.Push(client.Rip(threadId));
            Assert.Equal(threadId, (int)client.Move("stepIn", thread)["threadId"]!);
        }
        while (rips.TryPop(out string? rip))
        {
            client.Move("ttvm/reverseStepIn", thread);
            Assert.Equal(rip, client.Rip(threadId));
        }
    }

    [Fact]
    public void Steps_over_and_back_over()
    {
        using TestClient client = TestClient.Launched(recordings.One);
        client.Body("setInstructionBreakpoints", $$"""{"breakpoints":[{"instructionReference":"{{Deposit}}"}]}""");
        client.Move("continue");
        client.Body("setInstructionBreakpoints", """{"breakpoints":[]}""");
        var rips = new Stack<string>();
        for (int i = 0; i < 40; i++)
        {
            rips.Push(client.Rip());
            Assert.Equal("step", (string?)client.Move("next", ByInstruction)["reason"]);
        }
        while (rips.TryPop(out string? rip))
        {
            client.Move("stepBack", ByInstruction);
            Assert.Equal(rip, client.Rip());
        }
    }

    [Fact]
    public void A_breakpoint_is_hit_at_the_same_positions_in_both_directions()
    {
        using TestClient client = TestClient.Launched(recordings.Two);
        client.Body("setInstructionBreakpoints", $$"""{"breakpoints":[{"instructionReference":"{{Deposit}}"}]}""");
        client.Body("setDataBreakpoints", """{"breakpoints":[{"dataId":"0xffffffff80104658:4","accessType":"write"}]}""");
        var forwards = new List<string>();
        for (int i = 0; i < 40; i++)
        {
            JsonNode stop = client.Move("continue");
            if ((string?)stop["reason"] is not ("instruction breakpoint" or "data breakpoint")) break;
            forwards.Add(client.Position());
        }
        Assert.True(forwards.Count > 3);
        var backwards = new List<string>();
        while (true)
        {
            JsonNode stop = client.Move("reverseContinue");
            if ((string?)stop["reason"] == "start") break;
            backwards.Add(client.Position());
        }
        backwards.Reverse();
        // The last one forwards is where the way back begins.
        Assert.Equal(forwards.GetRange(0, forwards.Count - (backwards.Count == forwards.Count ? 0 : 1)), backwards);
    }

    [Fact]
    public void The_start_and_the_end_are_reported_twice()
    {
        using TestClient client = TestClient.Launched(recordings.One);
        for (int i = 0; i < 2; i++) Assert.Equal("start", (string?)client.Move("stepBack")["reason"]);
        for (int i = 0; i < 2; i++) Assert.Equal("start", (string?)client.Move("reverseContinue")["reason"]);
        for (int i = 0; i < 2; i++) Assert.Equal("end", (string?)client.Move("continue")["reason"]);
        for (int i = 0; i < 2; i++) Assert.Equal("end", (string?)client.Move("stepIn")["reason"]);
        Assert.NotEqual("0", client.Position());
    }
}
