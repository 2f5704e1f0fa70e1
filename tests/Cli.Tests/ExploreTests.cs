using System;
using System.IO;
using System.Linq;
using System.Text.Json;
using System.Xml.Linq;
using TestKit;
using Xunit;

namespace Cli.Tests;

/// <summary>`ttvm explore` finds, records and shrinks; `ttvm record --schedule` makes the same recording again; `ttvm bench --only locks` draws.</summary>
public sealed class ExploreTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ttvm-explore").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_failing_schedule_is_recorded_shrunk_and_made_again()
    {
        string kernel = GuestImages.Own("concurrency-ttas-broken.elf");
        ToolResult result = Ttvm.Expect(1, "explore", kernel, "--seeds", "64", "--memory", "16M", "-o", _folder, "--json");
        JsonElement failure = Assert.Single(JsonDocument.Parse(result.Output).RootElement.GetProperty("failures").EnumerateArray());
        Assert.StartsWith("ttas: broken: ", failure.GetProperty("lastLine").GetString(), StringComparison.Ordinal);
        string recording = failure.GetProperty("recording").GetString()!, shrunk = failure.GetProperty("shrunkRecording").GetString()!;
        string schedule = failure.GetProperty("schedule").GetString()!;
        Ttvm.Good("verify", recording, shrunk);
        Assert.Equal(3, Directory.GetFiles(_folder).Length);
        JsonElement[] switches = [.. failure.GetProperty("switches").EnumerateArray()];
        Assert.InRange(switches.Length, 1, 3);
        Assert.Contains(switches, one => one.GetProperty("place").GetString()!.Contains("ttas_acquire+0x", StringComparison.Ordinal));
        Assert.Contains(switches, one => one.GetProperty("place").GetString()!.Contains("ttas.c:", StringComparison.Ordinal));

        string again = Path.Combine(_folder, "again.ttvm");
        Ttvm.Good("record", "-o", again, "--kernel", kernel, "--cpus", "4", "--memory", "16M", "--schedule", schedule, "-q");
        Assert.Equal(EndDigest(shrunk), EndDigest(again));
        Assert.Contains($"forced switches: {switches.Length}", Ttvm.Good("info", again), StringComparison.Ordinal);
        ulong seed = failure.GetProperty("seed").GetUInt64();
        string chaos = Path.Combine(_folder, "chaos.ttvm");
        Ttvm.Good("record", "-o", chaos, "--kernel", kernel, "--cpus", "4", "--memory", "16M", "--chaos", $"{seed}", "-q");
        Assert.Equal(EndDigest(recording), EndDigest(chaos));
    }

    [Fact]
    public void It_says_what_it_found_or_that_nothing_fails()
    {
        string text = Ttvm.Good("explore", GuestImages.Own("concurrency-mcs.elf"), "--seeds", "5", "--memory", "16M", "-o", Path.Combine(_folder, "none"));
        Assert.StartsWith("no schedule fails: 5 seeds from 0", text, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(_folder, "none")));
        text = Ttvm.Expect(1, "explore", GuestImages.PrebuiltDemo64, "--seeds", "20", "--good-exit", "0x10", "--append", "lock=broken", "--no-shrink", "-o", _folder).Output;
        Assert.Contains("BUG: lost update", text, StringComparison.Ordinal);
        text = Ttvm.Expect(1, "explore", GuestImages.PrebuiltDemo64, "--seeds", "2", "--from-seed", "3", "--good-exit", "0x10", "--append", "lock=mcs",
            "--fails-on", "text:4 cpus", "--keep", "0").Output;
        Assert.StartsWith("2 failing schedules in 2 seeds from 3", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Bad_files_are_refused_with_a_sentence()
    {
        string schedule = Path.Combine(_folder, "bad.schedule"), kernel = GuestImages.PrebuiltDemo64, output = Path.Combine(_folder, "x.ttvm");
        Ttvm.Refuses(3, ["record", "-o", output, "--kernel", kernel, "--cpus", "2", "--schedule", schedule], "no such schedule");
        File.WriteAllText(schedule, "1000 1\n500 0\n");
        Ttvm.Refuses(3, ["record", "-o", output, "--kernel", kernel, "--cpus", "2", "--schedule", schedule], "line 2", "positions must rise");
        File.WriteAllText(schedule, "1000 2\n");
        Ttvm.Refuses(3, ["record", "-o", output, "--kernel", kernel, "--cpus", "2", "--schedule", schedule], "vCPU 2", "--cpus");
        Ttvm.Refuses(2, ["explore", kernel, "-o", schedule], "is a file");
        Ttvm.Refuses(3, ["explore", Path.Combine(_folder, "nothing.elf")], "does not exist");
        Ttvm.Refuses(3, ["bench", "--only", "locks", "--guests", _folder], "make -C guests");
    }

    [Fact]
    public void The_lock_bench_draws_its_picture()
    {
        string guests = Path.GetDirectoryName(GuestImages.Own("concurrency-mcs.elf"))!;
        Assert.Contains("| MCS, 8 vCPUs", Ttvm.Good("bench", "--only", "locks", "--guests", guests, "--figures", _folder), StringComparison.Ordinal);
        string[] rows = File.ReadAllLines(Path.Combine(_folder, "locks.csv"));
        Assert.Equal(1 + 3 * 8, rows.Length);
        double Changes(string name, int cpus) => double.Parse(
            rows.Single(row => row.StartsWith($"{name},{cpus},", StringComparison.Ordinal)).Split(',')[5], System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal(0, Changes("MCS", 1));
        // The lecture's point: test-and-set costs more with every waiter, MCS does not.
        Assert.True(Changes("test-and-set", 8) > 4 * Changes("test-and-test-and-set", 8));
        Assert.True(Changes("test-and-set", 8) > 2 * Changes("test-and-set", 4));
        Assert.InRange(Changes("MCS", 8), 0.8 * Changes("MCS", 4), 1.2 * Changes("MCS", 4));
        XElement svg = XDocument.Load(Path.Combine(_folder, "locks.svg")).Root!;
        Assert.Equal(3, svg.Elements().Count(static one => one.Name.LocalName == "polyline"));
    }

    private static string EndDigest(string path) => JsonDocument.Parse(Ttvm.Good("info", path, "--json")).RootElement.GetProperty("end").GetProperty("digest").GetString()!;
}
