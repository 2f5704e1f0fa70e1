using System;
using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using TestKit;
using Xunit;

namespace Cli.Tests;

/// <summary>`record --dap`: debuggers attach to a guest that runs, and leave it running.</summary>
public sealed partial class AttachTests(DemoRecording demo)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);

    [Fact]
    public void Debuggers_attach_to_a_guest_that_runs_and_leave_it_running()
    {
        string path = demo.PathOf("attached.ttvm");
        using Process process = Ttvm.Start(["record", "-o", path, "--kernel", GuestImages.Own("echo.elf"), "--memory", "32M", "--dap", "0"]);
        process.BeginOutputReadLine();
        int port = 0;
        for (int i = 0; i < 2; i++)
        {
            Match found = ListeningPort().Match(process.StandardError.ReadLine() ?? "");
            Assert.True(found.Success, "it does not say where to attach");
            int now = int.Parse(found.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
            Assert.True(port == 0 || port == now);
            port = now;
            using var connection = new TcpClient("127.0.0.1", port);
            NetworkStream stream = connection.GetStream();
            stream.ReadTimeout = (int)s_patience.TotalMilliseconds;
            var client = new DapClient(stream, stream);
            client.Ask("initialize", new JsonObject { ["adapterID"] = "ttvm" });
            client.Ask("attach");
            client.Ask("configurationDone");
            client.Ask("pause", new JsonObject { ["threadId"] = 1 });
            client.WaitFor("stopped");
            client.Ask("stepBack", new JsonObject { ["threadId"] = 1, ["granularity"] = "instruction" });
            client.WaitFor("stopped");
            Assert.True((bool)client.Ask("ttvm/position")["isLive"]!);
            if (i == 1) client.Ask("ttvm/type", new JsonObject { ["text"] = "hello\nq" });
            client.Ask("disconnect");
        }
        Assert.True(process.WaitForExit(s_patience), "the guest does not end");
        Assert.Equal(0, process.ExitCode);
        Ttvm.Good("verify", path);
        Assert.Contains("HELLO", Ttvm.Good("console", path), StringComparison.Ordinal);
    }

    [Fact]
    public void What_does_not_go_together_is_refused()
    {
        string[] record = ["record", "-o", demo.PathOf("never.ttvm"), "--kernel", DemoRecording.Kernel];
        Ttvm.Refuses(2, [.. record, "--dap", "99999"], "--dap: 99999 is not a port");
        Ttvm.Refuses(2, [.. record, "--dap", "0", "--until", "count:5"], "--dap and --until count:N exclude each other");
    }

    [GeneratedRegex(@"a debugger can attach at port (\d+) of 127\.0\.0\.1")]
    private static partial Regex ListeningPort();
}
