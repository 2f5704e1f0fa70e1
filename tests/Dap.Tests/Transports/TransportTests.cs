using System;
using System.Diagnostics;
using System.IO;
using System.IO.Pipes;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Dap.Sessions;
using Dap.Transports;
using TestKit;
using Xunit;

namespace Dap.Tests.Transports;

/// <summary>The three ways to the server, and a client that is not ours.</summary>
public sealed class TransportTests(Recordings recordings)
{
    private static readonly string s_program = Path.Combine(AppContext.BaseDirectory, "ttvm.dll");

    private static readonly byte[] s_session = [.. Message("initialize", 1), .. Message("disconnect", 2)];

    [Fact]
    public void Standard_streams_carry_the_protocol_alone()
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(s_program);
        start.ArgumentList.Add("dap");
        using Process process = Process.Start(start)!;
        process.StandardInput.BaseStream.Write(s_session);
        process.StandardInput.BaseStream.Flush();
        string output = process.StandardOutput.ReadToEnd();
        Assert.True(process.WaitForExit(TimeSpan.FromSeconds(30)));
        Assert.Equal(0, process.ExitCode);
        Assert.StartsWith("Content-Length: ", output, StringComparison.Ordinal);
        Assert.Contains("\"supportsStepBack\":true", output, StringComparison.Ordinal);
        Assert.EndsWith("\"command\":\"disconnect\"}", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_named_pipe()
    {
        string name = Path.Combine(Path.GetTempPath(), $"ttvm-dap-{Guid.NewGuid():N}");
        using var listening = new ManualResetEventSlim();
        Task server = Task.Run(() =>
        {
            using Connection connection = Connection.OverPipe(name, listening.Set, CancellationToken.None);
            DapServer.Serve(connection, new DapServerOptions(), CancellationToken.None);
        });
        Assert.True(listening.Wait(TimeSpan.FromSeconds(30)));
        using var client = new NamedPipeClientStream(".", name, PipeDirection.InOut);
        await client.ConnectAsync(30_000);
        await client.WriteAsync(s_session);
        using var reader = new StreamReader(client);
        Assert.Contains("\"command\":\"disconnect\"", await reader.ReadToEndAsync(), StringComparison.Ordinal);
        await server.WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public void Microsofts_test_client_over_a_port()
    {
        HostTool.Require("node", "nodejs");
        string folder = Repository.PathOf("tests/Dap.Tests/client");
        if (!Directory.Exists(Path.Combine(folder, "node_modules"))) Requirement.Missing("the client's packages are not installed", "npm ci --prefix tests/Dap.Tests/client");
        ToolResult result = HostTool.Run("node", [Path.Combine(folder, "client.mjs"), s_program, recordings.One], TimeSpan.FromMinutes(2));
        Assert.True(result.ExitCode == 0 && result.Output.EndsWith("OK\n", StringComparison.Ordinal), result.Output + result.Error);
    }

    private static byte[] Message(string command, int sequence) =>
        DapMessages.Encode($$$"""{"seq":{{{sequence}}},"type":"request","command":"{{{command}}}","arguments":{"adapterID":"ttvm"}}""");
}
