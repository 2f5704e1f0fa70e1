using System;
using TestKit;
using Xunit;

namespace Dap.Tests.Sessions;

/// <summary>An instruction that repeats 198,000 times is one step, from its midst, too.</summary>
public sealed class RepeatedInstructionTests : IDisposable
{
    private const int Count = 198_000;
    private readonly CallsGuest _guest = new("-O0", Repository.PathOf("tests/Dap.Tests/guests/fill.c"));

    public void Dispose() => _guest.Dispose();

    [Theory]
    [InlineData("stepBack", "instruction", 1000)]
    [InlineData("stepBack", "instruction", 190_000)]
    [InlineData("stepBack", "instruction", 0)]
    [InlineData("stepBack", "line", 190_000)]
    [InlineData("ttvm/reverseStepIn", "line", 190_000)]
    public void A_step_back_leads_to_its_beginning(string command, string granularity, int done)
    {
        string thread = $$"""{"threadId":1,"granularity":"{{granularity}}"}""";
        using TestClient client = TestClient.Launched(_guest.Recording, "50%");
        ulong middle = Number(client, "rcx"), position = ulong.Parse(client.Position(), System.Globalization.CultureInfo.InvariantCulture);
        Assert.InRange(middle, 1UL, (ulong)Count - 1);
        ulong first = position - (Count - middle);
        // From behind it when none is named.
        client.Body("ttvm/seek", $$"""{"position":"{{first + (ulong)(done == 0 ? Count : done)}}"}""");
        client.TakeStopped();
        Assert.Equal(done == 0 ? 0UL : (ulong)(Count - done), Number(client, "rcx"));
        Assert.Equal("step", (string?)client.Move(command, thread)["reason"]);
        string line = Line(client);
        if (granularity == "instruction") Assert.Equal(first.ToString(System.Globalization.CultureInfo.InvariantCulture), client.Position());
        Assert.Equal("24", line);
        client.Move("next", thread);
        while (granularity == "instruction" && Number(client, "rcx") != 0) client.Move("next", thread);
        Assert.Equal(0UL, Number(client, "rcx"));
    }

    private static ulong Number(TestClient client, string register) =>
        Convert.ToUInt64(client.Body("evaluate", $$"""{"expression":"{{register}}"}""")["result"]!.ToString().Split(' ')[0], 16);

    private static string Line(TestClient client) => client.Body("stackTrace", """{"threadId":1}""")["stackFrames"]![0]!["line"]!.ToString();
}
