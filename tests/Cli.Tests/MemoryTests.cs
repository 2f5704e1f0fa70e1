using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
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

    [Fact]
    public void A_session_all_over_a_boot_stays_within_its_memory()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("what a process takes is read from /proc");
        string file = Path.Combine(_folder, "linux.ttvm");
        Ttvm.Good("record", "-q", "-o", file, "--kernel", GuestImages.LinuxCloudKernel(), "--initrd", GuestImages.Initramfs(), "--memory", $"{GuestMiB}M", "--append",
            "console=ttyS0 panic=-1");
        var random = new Random(1);
        var requests = new List<(string, string)>
        {
            ("initialize", """{"adapterID":"x"}"""), ("launch", $$"""{"program":"{{file}}","at":"end"}"""), ("configurationDone", "{}"),
            ("ttvm/locks", "{}"), ("ttvm/timeline", """{"bucketCount":20}"""),
        };
        for (int i = 0; i < Stops; i++)
        {
            string percent = (random.NextDouble() * 100).ToString("F6", CultureInfo.InvariantCulture);
            requests.Add(("ttvm/seek", $$"""{"position":"{{percent}}%"}"""));
            requests.Add(("stackTrace", """{"threadId":1,"levels":20}"""));
            foreach (string step in (string[])["stepBack", "next", "stepBack", "stepIn", "ttvm/reverseStepIn", "ttvm/reverseStepOut"])
                foreach (string granularity in (string[])["line", "instruction"]) requests.Add((step, $$"""{"threadId":1,"granularity":"{{granularity}}"}"""));
        }
        // All before it is done when this is answered.
        requests.Add(("ttvm/position", "{}"));
        DapTalk talk = DapTalk.Of([Ttvm.Program, "dap"], [.. requests]);
        Assert.True(talk.IsGood(requests.Count));
        string line = talk.ProcessStatus.Split('\n').Single(static one => one.StartsWith("VmRSS:", StringComparison.Ordinal));
        int takenMiB = int.Parse(line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) >> 10;
        Assert.True(takenMiB <= GuestMiB + AllowedMiB, $"the server takes {takenMiB} MiB after {requests.Count} requests");
    }
}
