using System;
using System.Text.Json.Nodes;
using Xunit;

namespace Dap.Tests.Sessions;

/// <summary>Steps between a program and a kernel that runs on page tables of its own.</summary>
[Trait("Category", "Slow")]
public sealed class IsolatedKernelTests(IsolatedProgramsGuest guest) : IClassFixture<IsolatedProgramsGuest>
{
    [Fact]
    public void Steps_out_of_the_kernel_lead_to_the_program_in_both_directions()
    {
        using TestClient client = TestClient.Launched(guest.Recording);
        client.Body("setFunctionBreakpoints", """{"breakpoints":[{"name":"_start"}]}""");
        int thread = (int)client.Move("continue")["threadId"]!;
        client.Body("setFunctionBreakpoints", """{"breakpoints":[]}""");
        // The first write to a page of its data enters the kernel.
        string arguments = $$"""{"threadId":{{thread}}}""", before = "", rip = "";
        for (int i = 0; i < 10 && Number(client, "cs & 3") == 3; i++)
        {
            (before, rip) = (client.Position(), client.Rip(thread));
            client.Move("stepIn", $$"""{"threadId":{{thread}},"granularity":"instruction"}""");
        }
        Assert.Equal(0UL, Number(client, "cs & 3"));
        JsonNode frames = client.Body("stackTrace", arguments)["stackFrames"]!;
        Assert.StartsWith("_start (user)", (string)frames[1]!["name"]!, StringComparison.Ordinal);
        string inside = client.Position();
        Assert.Equal("step", (string?)client.Move("stepOut", arguments)["reason"]);
        Assert.Equal((3UL, rip), (Number(client, "cs & 3"), client.Rip(thread)));
        client.Body("ttvm/seek", $$"""{"position":"{{inside}}"}""");
        client.TakeStopped();
        Assert.Equal("step", (string?)client.Move("ttvm/reverseStepOut", arguments)["reason"]);
        Assert.Equal((before, rip), (client.Position(), client.Rip(thread)));
    }

    private static ulong Number(TestClient client, string expression) =>
        Convert.ToUInt64(client.Body("evaluate", $$"""{"expression":"{{expression}}"}""")["result"]!.ToString().Split(' ')[0], 16);
}
