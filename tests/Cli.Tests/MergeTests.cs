using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json;
using TestKit;
using Xunit;

namespace Cli.Tests;

/// <summary>Searches in parts: put together, they are the search of the whole, letter for letter.</summary>
public sealed class MergeTests(DemoRecording demo)
{
    private static readonly string s_recording = Repository.PathOf("traces/demo64-lost-update.ttvm");

    /// <summary>Eight intervals between checkpoints: fewer parts, and for some kinds as many and more.</summary>
    [Theory]
    [InlineData("find --console deposits")]
    [InlineData("find --console lost -r")]
    [InlineData("find --exception pf", 9)]
    [InlineData("find --exception pf --reverse")]
    [InlineData("find --exception pf --from 40% --cpu 1")]
    [InlineData("find --exception df")]
    [InlineData("find --interrupt any --from 50%")]
    [InlineData("find --breakpoint SpinLock_acquire --from 80% --reverse")]
    [InlineData("find --last-write ledger --size 8")]
    [InlineData("find --next-write ledger --size 8 --from 60%")]
    [InlineData("find --call put", 8)]
    [InlineData("find --call put --limit 7")]
    [InlineData("find --call SpinLock_acquire,SpinLock_release --from 20% --to 85% --limit 100000")]
    [InlineData("find --call kernel_main,ap_main,schedule,idle_loop,trap_dispatch,smp_start --limit 100000")]
    [InlineData("find --call page_allocate --where ret!=0")]
    [InlineData("find --cas ledger", 3)]
    [InlineData("find --cas ledger --from 20% --to 90% --limit 40", 9)]
    [InlineData("find --cas bank_deposit --limit 5")]
    [InlineData("locks --check")]
    [InlineData("locks --history --from 25% --to 75% --limit 3")]
    [InlineData("locks --lock ledger --limit 50")]
    public void The_parts_are_the_whole(string search, int count = 2)
    {
        string[] words = search.Split(' '), whole = [words[0], s_recording, .. words[1..]];
        ToolResult expected = Ttvm.Run([.. whole, "--json"]);
        Assert.InRange(expected.ExitCode, 0, 1);
        var parts = new List<string>();
        for (int i = 1; i <= count; i++) parts.Add(Write($"{Guid.NewGuid():n}.json", Ttvm.Good([.. whole, "--shard", $"{i}/{count}"])));
        // In any order.
        parts.Reverse();
        ToolResult merged = Ttvm.Run(["merge", .. parts]);
        Assert.Equal(expected.Output, merged.Output);
        Assert.Equal(expected.ExitCode, merged.ExitCode);
    }

    /// <summary>Locks whose functions are inlined are watched by their words, or followed by the instructions that access them.</summary>
    [Theory]
    [InlineData("rw-inlined")]
    [InlineData("rw-pooled")]
    [InlineData("ticket-inlined")]
    public void The_parts_are_the_whole_of_inlined_locks(string guest)
    {
        string path = demo.PathOf($"{guest}.ttvm");
        Ttvm.Good("record", "-q", "-o", path, "--kernel", GuestImages.Own($"concurrency-{guest}.elf"), "--memory", "16M", "--cpus", "4", "--checkpoint-interval", "20000");
        string[] search = ["locks", path, "--history", "--limit", "100000"];
        string expected = Ttvm.Good([.. search, "--json"]);
        Assert.Contains("\"inlined\"", Ttvm.Good(["locks", path, "--lock", LockOf(expected), "--limit", "3", "--json"]), StringComparison.Ordinal);
        string[] parts = [.. Enumerable.Range(1, 4).Select(i => Write($"{guest}-{i}.json", Ttvm.Good([.. search, "--shard", $"{i}/4"])))];
        Assert.Equal(expected, Ttvm.Good(["merge", .. parts]));

        static string LockOf(string json)
        {
            using JsonDocument document = JsonDocument.Parse(json);
            return document.RootElement.GetProperty("locks")[0].GetProperty("address").GetString()!;
        }
    }

    [Fact]
    public void Calls_that_last_from_one_part_to_another_are_one_call()
    {
        string path = demo.PathOf("many-intervals.ttvm");
        Ttvm.Good("record", "-q", "-o", path, "--kernel", DemoRecording.Kernel, "--memory", "16M", "--cpus", "2", "--checkpoint-interval", "20000", "--append", "rounds=50");
        string[] search = ["find", path, "--call", "SpinLock_acquire,SpinLock_release,schedule,tasks_create,kernel_main,trap_dispatch", "--limit", "1000000"];
        string expected = Ttvm.Good([.. search, "--json"]);
        string[] parts = [.. Enumerable.Range(1, 9).Select(i => Write($"lasting-{i}.json", Ttvm.Good([.. search, "--shard", $"{i}/9"])))];
        Assert.Equal(expected, Ttvm.Good(["merge", .. parts]));
    }

    [Fact]
    public void The_part_can_be_the_CI_systems()
    {
        string[] search = ["find", s_recording, "--call", "put"];
        ToolResult second = HostTool.Run("env", ["CI_NODE_INDEX=2", "CI_NODE_TOTAL=2", Ttvm.Program, .. search, "--shard", "auto"], TimeSpan.FromMinutes(2));
        Assert.Equal(Ttvm.Good([.. search, "--shard", "2/2"]), second.Output);
    }

    [Fact]
    public void What_does_not_belong_together_is_refused()
    {
        string Part(string name, string shard, params string[] search) => Write(name, Ttvm.Good([.. search, "--shard", shard]));
        string[] put = ["find", s_recording, "--call", "put"], other = ["find", s_recording, "--call", "page_map"];
        string first = Part("put1.json", "1/2", put), second = Part("put2.json", "2/2", put), third = Part("put3.json", "3/3", put), alien = Part("alien.json", "2/2", other);
        string foreign = Part("foreign.json", "2/2", "find", demo.File, "--call", "put");
        Ttvm.Refuses(2, ["merge", first], "part 2/2 is missing");
        Ttvm.Refuses(2, ["merge", second], "part 1/2 is missing");
        Ttvm.Refuses(2, ["merge", first, first, second], "part 1/2 is there twice");
        Ttvm.Refuses(2, ["merge", first, second, second], "part 2/2 is there twice");
        Ttvm.Refuses(2, ["merge", first, third], "do not belong together");
        Ttvm.Refuses(2, ["merge", first, alien], "do not belong together");
        Ttvm.Refuses(2, ["merge", first, foreign], "another recording");
        Ttvm.Refuses(3, ["merge", demo.PathOf("none.json")], "does not exist");
        Ttvm.Refuses(3, ["merge", Write("text.json", "no JSON")], "is not what");
        Ttvm.Refuses(3, ["merge", Write("empty.json", "{}")], "is not what");
        Ttvm.Refuses(3, ["merge", Write("other.json", "[1, 2]")], "is not what");
        Ttvm.Refuses(3, ["merge", Write("damaged.json", File.ReadAllText(first).Replace("\"calls\": [", "\"falls\": [", StringComparison.Ordinal)), second], "damaged");
        Ttvm.Refuses(2, ["locks", s_recording, "--shard", "1/2"], "goes with --history");
        Ttvm.Refuses(2, [.. put, "--last", "--shard", "1/2"], "not with --last");
        // Locks are judged where the recording is.
        string[] check = ["locks", s_recording, "--check"];
        string one = Part("locks1.json", "1/2", check), two = Part("locks2.json", "2/2", check);
        Ttvm.Refuses(2, ["merge", one, two, "--recording", demo.File], "another recording");
        string moved = demo.PathOf("moved.ttvm");
        File.Copy(s_recording, moved);
        Assert.Equal(Ttvm.Run([.. check, "--json"]).Output, Ttvm.Run("merge", one, two, "--recording", moved).Output);
    }

    private string Write(string name, string content)
    {
        string path = demo.PathOf(name);
        File.WriteAllText(path, content);
        return path;
    }
}
