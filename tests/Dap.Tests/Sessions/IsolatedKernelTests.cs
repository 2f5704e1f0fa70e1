using System;
using System.Text.Json.Nodes;
using Xunit;

namespace Dap.Tests.Sessions;

/// <summary>Steps between a program and a kernel that runs on page tables of its own.</summary>
[Trait("Category", "Slow")]
public sealed class IsolatedKernelTests(IsolatedProgramsGuest guest) : IClassFixture<IsolatedProgramsGuest>
{
    private const ulong RootMask = 0x000F_FFFF_FFFF_F000;

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

    [Fact]
    public void Entering_the_kernel_is_no_switch_to_another_program()
    {
        using TestClient client = TestClient.Launched(guest.Recording);
        client.Body("setFunctionBreakpoints", """{"breakpoints":[{"name":"_start"}]}""");
        client.Move("continue");
        client.Body("setFunctionBreakpoints", """{"breakpoints":[]}""");
        ulong user = Number(client, "cr3") & RootMask;
        int entries = 0;
        foreach (bool isForward in (bool[])[true, true, false, false, true])
        {
            client.Body("ttvm/gotoEvent", $$"""{"kind":"contextSwitch","reverse":{{(isForward ? "false" : "true")}}}""");
            int thread = (int)client.TakeStopped()["threadId"]!;
            ulong before = Number(client, "cr3") & RootMask;
            client.Move("stepIn", $$"""{"threadId":{{thread}},"granularity":"instruction"}""");
            ulong after = Number(client, "cr3") & RootMask;
            Assert.NotEqual(before & ~0x1000UL, after & ~0x1000UL);
            if ((before & 0x1000) == 0 && (user & 0x1000) != 0) entries++;
        }
        // It ran on a table of its own, and the kernel, which switches, on another one.
        Assert.True(entries > 0);
    }

    private static ulong Number(TestClient client, string expression) =>
        Convert.ToUInt64(client.Body("evaluate", $$"""{"expression":"{{expression}}"}""")["result"]!.ToString().Split(' ')[0], 16);
}
