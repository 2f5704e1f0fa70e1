using System.Collections.Generic;
using System.Globalization;
using System.Text.Json.Nodes;
using Xunit;

namespace Dap.Tests.Sessions;

/// <summary>Recursion and inlining, by source lines, compared with what single instructions show.</summary>
public sealed class CallsTests
{
    private const string Thread1 = """{"threadId":1}""", ByInstruction = """{"threadId":1,"granularity":"instruction"}""";

    private sealed record Moment(string Position, string Function, int Line, int Depth);

    private static Moment Here(TestClient client)
    {
        JsonNode trace = client.Body("stackTrace", Thread1), top = trace["stackFrames"]![0]!;
        return new Moment(client.Position(), (string)top["name"]!, (int)top["line"]!, (int)trace["totalFrames"]!);
    }

    private static void Seek(TestClient client, string position)
    {
        client.Body("ttvm/seek", $$"""{"position":"{{position}}"}""");
        client.TakeStopped();
    }

    // Every instruction from the beginning of run() on.
    private static List<Moment> Trace(TestClient client)
    {
        client.Body("setFunctionBreakpoints", """{"breakpoints":[{"name":"run"}]}""");
        client.Move("continue");
        client.Body("setFunctionBreakpoints", """{"breakpoints":[]}""");
        var moments = new List<Moment>();
        do moments.Add(Here(client));
        while ((string?)client.Move("stepIn", ByInstruction)["reason"] == "step");
        return moments;
    }

    [Fact]
    public void Without_optimization_every_step_over_is_as_instructions_say()
    {
        using var guest = new CallsGuest("-O0");
        using TestClient client = TestClient.Launched(guest.Recording);
        List<Moment> all = Trace(client);
        Assert.True(all.Count > 1000);
        for (int i = 0; i < all.Count - 40; i += 23)
        {
            int expected = i + 1;
            while (!(all[expected].Depth < all[i].Depth || (all[expected].Depth == all[i].Depth && all[expected].Line != all[i].Line))) expected++;
            Seek(client, all[i].Position);
            client.Move("next");
            Assert.Equal(all[expected], Here(client));
        }
    }

    [Fact]
    public void Without_optimization_every_step_back_is_as_instructions_say()
    {
        using var guest = new CallsGuest("-O0");
        using TestClient client = TestClient.Launched(guest.Recording);
        List<Moment> all = Trace(client);
        for (int i = 60; i < all.Count; i += 23)
        {
            Seek(client, all[i].Position);
            client.Move("stepBack");
            Moment there = Here(client);
            int index = all.FindIndex(moment => moment.Position == there.Position);
            Assert.InRange(index, 0, i - 1);
            // It never goes deeper, and what lies between is one line of that frame, with all that it called.
            Assert.True(there.Depth <= all[i].Depth, $"{all[i]} -> {there}");
            for (int j = index; j < i; j++)
            {
                bool isPrologueOfThis = all[j].Depth == all[i].Depth && there.Depth < all[i].Depth;
                Assert.True(all[j].Depth > there.Depth || all[j].Line == there.Line || isPrologueOfThis, $"{all[i]} -> {there} goes over {all[j]}");
            }
        }
    }

    [Theory]
    [InlineData("-O0")]
    [InlineData("-O1")]
    [InlineData("-O2")]
    public void Steps_into_everything_and_back(string optimization)
    {
        using var guest = new CallsGuest(optimization);
        using TestClient client = TestClient.Launched(guest.Recording);
        client.Body("setFunctionBreakpoints", """{"breakpoints":[{"name":"run"}]}""");
        client.Move("continue");
        client.Body("setFunctionBreakpoints", """{"breakpoints":[]}""");
        foreach ((string forwards, string backwards) in ((string, string)[])[("stepIn", "ttvm/reverseStepIn"), ("next", "stepBack")])
        {
            client.Move("next");
            var moments = new List<Moment> { Here(client) };
            while (moments.Count < 150 && (string?)client.Move(forwards)["reason"] == "step" && Here(client) is { Line: > 0 } here)
            {
                if (forwards == "next" && here.Depth != moments[0].Depth) break;
                moments.Add(here);
            }
            Assert.True(moments.Count > 2, moments.Count.ToString(CultureInfo.InvariantCulture));
            Seek(client, moments[^1].Position);
            for (int i = moments.Count - 2; i >= 0; i--)
            {
                client.Move(backwards);
                Assert.Equal(moments[i], Here(client));
            }
        }
    }

    [Fact]
    public void Frames_of_recursion_and_of_inlined_copies()
    {
        using var guest = new CallsGuest("-O0");
        using TestClient client = TestClient.Launched(guest.Recording);
        client.Body("setFunctionBreakpoints", """{"breakpoints":[{"name":"square"},{"name":"add"}]}""");
        client.Move("continue");
        JsonNode frames = client.Body("stackTrace", Thread1)["stackFrames"]!;
        Assert.Equal(["square", "fourth", "run"], Names(frames)[..3]);
        Assert.Equal(CallsGuest.Source, (string)frames[0]!["source"]!["path"]!);
        client.Body("setFunctionBreakpoints", """{"breakpoints":[]}""");
        client.Move("stepOut");
        Assert.Equal("fourth", Names(client.Body("stackTrace", Thread1)["stackFrames"]!)[0]);
    }

    [Fact]
    public void Out_and_back_out_of_recursion()
    {
        using var guest = new CallsGuest("-O0");
        using TestClient client = TestClient.Launched(guest.Recording);
        client.Body("setFunctionBreakpoints", """{"breakpoints":[{"name":"fibonacci","condition":"dword[ebp+8] == 1"}]}""");
        client.Move("continue");
        client.Body("setFunctionBreakpoints", """{"breakpoints":[]}""");
        Moment inside = Here(client);
        Assert.Equal("fibonacci", inside.Function);
        client.Move("stepOut");
        Moment outside = Here(client);
        Assert.Equal(("fibonacci", inside.Depth - 1), (outside.Function, outside.Depth));
        Seek(client, inside.Position);
        client.Move("ttvm/reverseStepOut");
        Moment calling = Here(client);
        Assert.Equal((outside.Function, outside.Line, outside.Depth), (calling.Function, calling.Line, calling.Depth));
    }

    private static string[] Names(JsonNode frames)
    {
        var names = new List<string>();
        foreach (JsonNode? frame in frames.AsArray()) names.Add((string)frame!["name"]!);
        return [.. names];
    }
}
