using System;
using System.IO;
using System.Linq;
using System.Text.Json;
using TestKit;
using Xunit;

namespace Cli.Tests;

/// <summary><c>ttvm locks</c> on the guests of guests/concurrency and the demo.</summary>
public sealed class LocksTests(DemoRecording files)
{
    private string Record(string guest, int seed)
    {
        string path = files.PathOf($"locks-{guest}-{seed}.ttvm");
        if (!File.Exists(path))
            Ttvm.Good("record", "-q", "-o", path, "--kernel", GuestImages.Own($"concurrency-{guest}.elf"), "--cpus", "4", "--memory", "16M", "--chaos", $"{seed}");
        return path;
    }

    [Fact]
    public void A_deadlock_is_told_with_who_waits_for_whom()
    {
        string recording = Record("deadlock-broken", 0);
        string[] lines = Ttvm.Expect(1, "locks", recording, "--check").Output.TrimEnd().Split('\n');
        string deadlock = Assert.Single(lines, static line => line.Contains("Deadlock: ", StringComparison.Ordinal));
        Assert.Contains("waits for lockA", deadlock, StringComparison.Ordinal);
        Assert.Contains("waits for lockB", deadlock, StringComparison.Ordinal);
        Assert.Contains("deadlock.c:", deadlock, StringComparison.Ordinal);
        // There, both are held, and one of the two waits already.
        string position = deadlock.Split(' ')[0];
        JsonElement[] locks = [.. JsonDocument.Parse(Ttvm.Good("locks", recording, "--at", position, "--json")).RootElement.GetProperty("locks").EnumerateArray()];
        JsonElement[] pair = [.. locks.Where(static one => one.GetProperty("name").GetString() is "lockA" or "lockB")];
        Assert.Equal(2, pair.Length);
        Assert.All(pair, static one => Assert.Equal("holder", one.GetProperty("queue")[0].GetProperty("role").GetString()));
        Assert.Contains(pair, static one => one.GetProperty("state").GetString() == "contended");
        string text = Ttvm.Good("locks", recording, "--at", position);
        Assert.Contains("vCPU 3", text, StringComparison.Ordinal);
        Assert.Contains("holds", text.Split('\n').Last(static line => line.StartsWith("lockA ", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_guest_without_mistakes_is_clean_and_its_locks_are_counted()
    {
        string recording = Record("ticket", 3);
        Assert.StartsWith("nothing is wrong with ", Ttvm.Good("locks", recording, "--check"), StringComparison.Ordinal);
        JsonElement history = JsonDocument.Parse(Ttvm.Good("locks", recording, "--history", "--json")).RootElement;
        JsonElement ticket = Assert.Single(history.GetProperty("locks").EnumerateArray(), static one => one.GetProperty("name").GetString() == "ticketLock");
        long taken = ticket.GetProperty("taken").GetInt64();
        Assert.Contains($" {taken} (", Ttvm.Good("print", recording, "acquisitionCount", "--at", "end"), StringComparison.Ordinal);
        JsonElement uses = JsonDocument.Parse(Ttvm.Good("locks", recording, "--lock", "ticketLock", "--limit", "100000", "--json")).RootElement;
        Assert.Equal(taken, uses.GetProperty("uses").EnumerateArray().Count(static use => use.TryGetProperty("released", out _)));
        string[] table = Ttvm.Good("locks", recording, "--lock", "ticketLock", "--limit", "5").TrimEnd().Split('\n');
        Assert.Equal(7, table.Length);
        Assert.StartsWith("... and ", table[^1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("give one of", "--check", "--history")]
    [InlineData("--from and --to go with", "--from", "50%")]
    [InlineData("--at goes without", "--history", "--at", "50%")]
    [InlineData("lies before --from", "--history", "--from", "60%", "--to", "40%")]
    [InlineData("there is no lock, symbol or address 'nothing'", "--lock", "nothing")]
    [InlineData("does not exist", "--layout", "nowhere.json")]
    public void What_makes_no_sense_is_told(string what, params string[] arguments) =>
        Assert.Contains(what, Ttvm.Expect(2, ["locks", Record("ticket", 3), .. arguments]).Error, StringComparison.Ordinal);
}
