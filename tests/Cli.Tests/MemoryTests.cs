using System;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Text;
using System.Text.Json;
using TestKit;
using Xunit;

namespace Cli.Tests;

/// <summary>A debug server takes at most 300 MiB beside what its guest has, however long the session.</summary>
[Trait("Category", "Slow")]
public sealed class MemoryTests : IDisposable
{
    private const int GuestMiB = 256, AllowedMiB = 300, Stops = 25;

    private readonly string _folder = Directory.CreateTempSubdirectory("ttvm-cli").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private int _asked;

    [Fact]
    public void A_session_all_over_a_boot_stays_within_its_memory()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("what a process takes is read from /proc");
        string file = Path.Combine(_folder, "linux.ttvm");
        Ttvm.Good("record", "-q", "-o", file, "--kernel", GuestImages.LinuxCloudKernel(), "--initrd", GuestImages.Initramfs(), "--memory", $"{GuestMiB}M", "--append",
            "console=ttyS0 panic=-1");
        using Process server = Process.Start(new ProcessStartInfo(Ttvm.Program, ["dap"]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        Ask(server, "initialize", """{"adapterID":"x"}""");
        Ask(server, "launch", $$"""{"program":"{{file}}","at":"end"}""");
        Ask(server, "configurationDone", "{}");
        var random = new Random(1);
        for (int i = 0; i < Stops; i++)
        {
            string percent = (random.NextDouble() * 100).ToString("F6", CultureInfo.InvariantCulture);
            Ask(server, "ttvm/seek", $$"""{"position":"{{percent}}%"}""");
            Ask(server, "stackTrace", """{"threadId":1,"levels":20}""");
            // Their past is learnt in the background, between requests.
            Ask(server, "ttvm/locks", "{}");
            Ask(server, "ttvm/timeline", """{"bucketCount":20}""");
            foreach (string step in (string[])["stepBack", "next", "stepBack", "stepIn", "ttvm/reverseStepIn", "ttvm/reverseStepOut"])
                foreach (string granularity in (string[])["line", "instruction"])
                {
                    Ask(server, step, $$"""{"threadId":1,"granularity":"{{granularity}}"}""");
                    Ask(server, "ttvm/position", "{}");
                }
        }
        server.Refresh();
        long takenMiB = server.WorkingSet64 >> 20;
        server.StandardInput.Close();
        server.StandardOutput.ReadToEnd();
        Assert.True(server.WaitForExit(TimeSpan.FromMinutes(2)));
        Assert.True(takenMiB <= GuestMiB + AllowedMiB, $"the server takes {takenMiB} MiB after {_asked} requests");
    }

    /// <summary>Asks, and reads up to the answer. What is asked next waits until all of it is done.</summary>
    private void Ask(Process server, string command, string arguments)
    {
        byte[] request = Encoding.UTF8.GetBytes($$"""{"seq":{{++_asked}},"type":"request","command":"{{command}}","arguments":{{arguments}}}""");
        server.StandardInput.BaseStream.Write([.. Encoding.ASCII.GetBytes($"Content-Length: {request.Length}\r\n\r\n"), .. request]);
        server.StandardInput.BaseStream.Flush();
        while (true)
        {
            string? header = server.StandardOutput.ReadLine();
            Assert.True(header?.StartsWith("Content-Length: ", StringComparison.Ordinal), $"{command}: the server has ended");
            server.StandardOutput.ReadLine();
            // All that is sent is ASCII: one character a byte.
            var content = new char[int.Parse(header![16..], CultureInfo.InvariantCulture)];
            Assert.Equal(content.Length, server.StandardOutput.ReadBlock(content));
            using JsonDocument message = JsonDocument.Parse(content);
            if (message.RootElement.TryGetProperty("request_seq", out JsonElement answered) && answered.GetInt32() == _asked) return;
        }
    }
}
