using System;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text.Json;
using TestKit;
using Xunit;

namespace Cli.Tests;

/// <summary><c>ttvm rcu</c>, <c>ttvm channels</c> and <c>ttvm find --cas</c> on the guests of guests/concurrency, against what these print and store.</summary>
public sealed class ConcurrencyTests(DemoRecording files)
{
    private const int StackNodes = 8;

    private string Record(string guest, int seed)
    {
        string path = files.PathOf($"{guest}-{seed}.ttvm");
        if (!File.Exists(path))
        {
            string kernel = GuestImages.Own($"concurrency-{guest}.elf");
            Ttvm.Good("record", "-q", "-o", path, "--kernel", kernel, "--cpus", "4", "--memory", "32M", "--chaos", $"{seed}", "--checkpoint-interval", "20000");
        }
        return path;
    }

    private static string Layout(string guest) => Repository.PathOf($"guests/concurrency/layouts/concurrency-{guest}.layout.json");

    private static JsonElement Json(params string[] arguments) => JsonDocument.Parse(Ttvm.Good([.. arguments, "--json"])).RootElement;

    // "(volatile u64) 400 (0x190)"
    private static ulong Stored(string recording, string variable) =>
        ulong.Parse(Ttvm.Good("print", recording, variable, "--at", "end").Split(") ")[1].Split(' ')[0], CultureInfo.InvariantCulture);

    [Fact]
    public void Swaps_are_as_many_as_the_guest_counts()
    {
        string recording = Record("stack", 3);
        JsonElement[] attempts = [.. Json("find", recording, "--cas", "stack", "--limit", "5000").GetProperty("attempts").EnumerateArray()];
        Assert.Equal(StackNodes + (int)Stored(recording, "pops") + (int)Stored(recording, "pushes"), attempts.Count(static one => one.GetProperty("hasWon").GetBoolean()));
        Assert.Equal((int)Stored(recording, "retries"), attempts.Count(static one => !one.GetProperty("hasWon").GetBoolean()));
        string[] rows = Ttvm.Good("find", recording, "--cas", "stack", "--limit", "5000", "--csv").TrimEnd().Split('\n');
        Assert.Equal("position,cpu,task,code,instruction,expected,old,new,result,retry,remark", rows[0]);
        Assert.Equal(attempts.Select(static one => one.GetProperty("position").GetString()), rows.Skip(1).Select(static row => row.Split(',')[0]));
        Assert.Equal(attempts.Count(static one => !one.GetProperty("hasWon").GetBoolean()), rows.Count(static row => row.Contains(",lost,", StringComparison.Ordinal)));
        ToolResult cut = Ttvm.Expect(0, "find", recording, "--cas", "stack", "--limit", "3");
        Assert.Contains("there are more than 3 attempts", cut.Error, StringComparison.Ordinal);
        Assert.Equal(4, cut.Output.TrimEnd().Split('\n').Length);
        Assert.Contains("stack_swap+", cut.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Wrong_words_are_told()
    {
        string recording = Record("stack", 3);
        Ttvm.Refuses(2, ["find", recording, "--cas", "stak"], "--cas", "no symbol 'stak'");
        Ttvm.Refuses(2, ["find", recording, "--cas", "stack", "--size", "17"], "--size", "16");
        Ttvm.Refuses(2, ["find", recording, "--cas", "stack", "--call", "stack_pop"], "exactly one");
        Ttvm.Refuses(2, ["find", recording, "--cas", "stack", "--from", "90%", "--to", "10%"], "--to", "--from");
        Assert.Contains("nothing found: nobody changes programName there", Ttvm.Expect(1, "find", recording, "--cas", "programName").Error, StringComparison.Ordinal);
        Ttvm.Refuses(1, ["rcu", recording], "declare it in a layout file");
        Ttvm.Refuses(1, ["channels", recording], "declare them in a layout file");
        Ttvm.Refuses(2, ["rcu", recording, "--check", "--history"], "not both");
        Ttvm.Refuses(2, ["rcu", recording, "--check", "--at", "50%"], "--from and --to");
        Ttvm.Refuses(2, ["channels", recording, "--from", "50%"], "--history and --check");
        Ttvm.Refuses(2, ["channels", recording, "--layout", "nothing.json"], "--layout", "does not exist");
    }

    [Fact]
    public void Channels_show_a_moment_their_past_and_what_was_wrong()
    {
        string right = Record("channel", 1), broken = Record("channel-broken", 1), layout = Layout("channel");
        Assert.StartsWith("nothing wrong: 240 messages", Ttvm.Good("channels", right, "--layout", layout, "--check"), StringComparison.Ordinal);
        JsonElement first = Json("channels", right, "--layout", layout, "--at", "end").GetProperty("channels")[0];
        Assert.Equal((60, 60, 4), (first.GetProperty("sent").GetInt32(), first.GetProperty("received").GetInt32(), first.GetProperty("credits").GetInt32()));
        Assert.Equal("Empty", first.GetProperty("state").GetString());
        Assert.Contains("60 sent, 60 read, 60 acknowledged, 4 credits", Ttvm.Good("channels", right, "--layout", layout), StringComparison.Ordinal);
        JsonElement history = Json("channels", right, "--layout", layout, "--history", "--limit", "1000");
        Assert.Equal(240, history.GetProperty("messages").GetArrayLength());
        Assert.Contains("channels[1] sends 1: 1000000010000 1000000010001", Ttvm.Good("channels", right, "--layout", layout, "--history", "--limit", "50"), StringComparison.Ordinal);
        string check = Ttvm.Expect(1, "channels", broken, "--layout", layout, "--check").Output;
        Assert.Contains("publishes message 1 of channels[", check, StringComparison.Ordinal);
        Assert.Contains("its payload is still written at", check, StringComparison.Ordinal);
        JsonElement finding = JsonDocument.Parse(Ttvm.Expect(1, "channels", broken, "--layout", layout, "--check", "--json").Output).RootElement.GetProperty("findings")[0];
        Assert.StartsWith(finding.GetProperty("position").GetString(), check, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_copy_update_shows_a_moment_its_past_and_what_was_wrong()
    {
        string right = Record("rcu-list", 1), broken = Record("rcu-list-broken", 1), layout = Layout("rcu-list");
        Assert.StartsWith("nothing wrong: 62 freed", Ttvm.Good("rcu", right, "--layout", layout, "--check"), StringComparison.Ordinal);
        JsonElement history = Json("rcu", right, "--layout", layout, "--history", "--limit", "1000");
        Assert.Equal(Stored(right, "walks"), history.GetProperty("sectionCount").GetUInt64());
        Assert.Equal((int)Stored(right, "replacements"), history.GetProperty("gracePeriods").GetArrayLength());
        // In the middle of a section.
        JsonElement section = history.GetProperty("sections")[5];
        string begin = section.GetProperty("begin").GetString()!, inside = $"{ulong.Parse(begin, CultureInfo.InvariantCulture) + 3}";
        int cpu = section.GetProperty("cpu").GetInt32();
        JsonElement reader = Json("rcu", right, "--layout", layout, "--at", inside).GetProperty("readers").EnumerateArray().Single(one => one.GetProperty("cpu").GetInt32() == cpu);
        Assert.Equal((begin, section.GetProperty("caller").GetString()), (reader.GetProperty("since").GetString(), reader.GetProperty("caller").GetString()));
        Assert.Contains($"since {begin} in list_walk+", Ttvm.Good("rcu", right, "--layout", layout, "--at", inside), StringComparison.Ordinal);
        Assert.Contains("list: 0x", Ttvm.Good("rcu", right, "--layout", layout, "--history", "--limit", "1000"), StringComparison.Ordinal);
        string check = Ttvm.Expect(1, "rcu", broken, "--layout", layout, "--check").Output;
        Assert.Contains("frees 0x", check, StringComparison.Ordinal);
        Assert.Contains("by node_free", check, StringComparison.Ordinal);
        Assert.Contains(", in list_walk+", check, StringComparison.Ordinal);
    }

    [Fact]
    public void A_layout_beside_the_recording_is_found()
    {
        string recording = Record("channel", 2);
        File.Copy(Layout("channel"), files.PathOf("channel-2.layout.json"), overwrite: true);
        Assert.StartsWith("nothing wrong", Ttvm.Good("channels", recording, "--check"), StringComparison.Ordinal);
    }
}
