using System.Collections.Generic;
using System.Text.Json.Nodes;
using Xunit;

namespace Dap.Tests.Sessions;

/// <summary>Steps by source lines, and their inverse.</summary>
public sealed class LineSteppingTests(Recordings recordings)
{
    private sealed record Place(string Function, int Line, int Depth, string Registers);

    // One number of which it is most unlikely that another round of a loop has it too.
    private const string AllRegisters = "rip+rsp*3+rbp*5+rax*7+rbx*11+rcx*13+rdx*17+rsi*19+rdi*23+r8*29+r9*31+r10*37+r11*41+r12*43+r13*47+r14*53+r15*59";

    private static string Thread(int threadId) => $$"""{"threadId":{{threadId}}}""";

    private static Place Here(TestClient client, int threadId)
    {
        JsonNode trace = client.Body("stackTrace", Thread(threadId));
        JsonNode top = trace["stackFrames"]![0]!;
        var evaluate = new JsonObject { ["expression"] = AllRegisters, ["frameId"] = (int)top["id"]! };
        string registers = (string)client.Body("evaluate", evaluate.ToJsonString())["result"]!;
        return new Place((string)top["name"]!, (int)top["line"]!, (int)trace["totalFrames"]!, registers);
    }

    private static void Seek(TestClient client, string position)
    {
        client.Body("ttvm/seek", $$"""{"position":"{{position}}"}""");
        client.TakeStopped();
    }

    // A step that stays in its frame leads to the beginning of a line; one that leaves it, behind a call.
    private static bool ReachesBeginningOfLine(TestClient client, int threadId)
    {
        for (Place before = Here(client, threadId); ;)
        {
            if ((string?)client.Move("next", Thread(threadId))["reason"] != "step") return false;
            Place here = Here(client, threadId);
            if (here.Function == before.Function && here.Depth == before.Depth) return true;
            before = here;
        }
    }

    public static TheoryData<int, string, int> Starts()
    {
        var starts = new TheoryData<int, string, int>();
        foreach (int percent in (int[])[20, 35, 50, 65, 80, 95])
        {
            starts.Add(1, $"{percent}%", 1);
            starts.Add(2, $"{percent}%", 1);
            starts.Add(2, $"{percent}%", 2);
        }
        return starts;
    }

    [Theory]
    [MemberData(nameof(Starts))]
    public void Steps_over_lines_and_back(int cpuCount, string at, int threadId) => StepsOverAndBack(cpuCount, at, threadId, "line");

    [Theory]
    [MemberData(nameof(Starts))]
    public void Steps_over_statements_and_back(int cpuCount, string at, int threadId) => StepsOverAndBack(cpuCount, at, threadId, "statement");

    private void StepsOverAndBack(int cpuCount, string at, int threadId, string granularity)
    {
        using TestClient client = TestClient.Launched(cpuCount == 1 ? recordings.One : recordings.Two, at, steppingGranularity: granularity);
        int compared = 0;
        for (int round = 0; round < 6; round++)
        {
            if (!ReachesBeginningOfLine(client, threadId)) break;
            var places = new List<Place> { Here(client, threadId) };
            string last = client.Position();
            while (places.Count < 12)
            {
                if ((string?)client.Move("next", Thread(threadId))["reason"] != "step") break;
                Place here = Here(client, threadId);
                if (here.Function != places[0].Function || here.Depth != places[0].Depth) break;
                places.Add(here);
                last = client.Position();
            }
            string end = client.Position();
            Seek(client, last);
            for (int i = places.Count - 2; i >= 0; i--)
            {
                client.Move("stepBack", Thread(threadId));
                Assert.Equal(places[i], Here(client, threadId));
                compared++;
            }
            Seek(client, end);
            client.Move("next", Thread(threadId));
        }
        Assert.True(compared > 0);
    }

    [Theory]
    [InlineData(1, "20%", 1)]
    [InlineData(1, "50%", 1)]
    [InlineData(1, "80%", 1)]
    [InlineData(2, "40%", 1)]
    [InlineData(2, "60%", 2)]
    [InlineData(1, "50%", 1, "statement")]
    [InlineData(2, "60%", 2, "statement")]
    public void Steps_into_functions_and_back(int cpuCount, string at, int threadId, string granularity = "line")
    {
        using TestClient client = TestClient.Launched(cpuCount == 1 ? recordings.One : recordings.Two, at, steppingGranularity: granularity);
        Assert.True(ReachesBeginningOfLine(client, threadId));
        var places = new List<Place>();
        for (int i = 0; i < 40; i++)
        {
            places.Add(Here(client, threadId));
            if ((string?)client.Move("stepIn", Thread(threadId))["reason"] != "step") break;
        }
        for (int i = places.Count - 1; i >= 0; i--)
        {
            client.Move("ttvm/reverseStepIn", Thread(threadId));
            Assert.Equal(places[i], Here(client, threadId));
        }
    }

    [Fact]
    public void An_unknown_stepping_granularity_is_refused()
    {
        using var client = new TestClient();
        client.Ask("initialize", """{"adapterID":"ttvm"}""");
        JsonNode answer = client.Ask("launch", new JsonObject { ["program"] = recordings.One, ["steppingGranularity"] = "word" }.ToJsonString());
        Assert.False((bool)answer["success"]!);
        Assert.Equal("steppingGranularity is \"line\" or \"statement\", not \"word\"", (string?)answer["body"]!["error"]!["format"]);
    }
}
