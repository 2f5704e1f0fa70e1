using System;
using System.Linq;
using System.Text.Json.Nodes;
using System.Threading;
using Xunit;

namespace Dap.Tests.Sessions;

/// <summary>What is said of locks that are used wrongly, of read-copy-update, of channels and of words that are swapped.</summary>
public sealed class SharedMemoryTests(Recordings recordings)
{
    [Fact]
    public void Locks_that_are_wrong()
    {
        using TestClient client = TestClient.Launched(recordings.Concurrency("inversion-broken", 0), "end");
        Learn(client, "ttvm/lockFindings");
        client.Ask("ttvm/lockFindings");
        string first = (string)client.Quietly("ttvm/lockFindings", "{}")["findings"]![0]!["position"]!;
        client.Ask("ttvm/seek", $$"""{"position":"{{first}}"}""");
        client.Note("in the console");
        Console(client, "locks findings", "locks history", "locks history lockA", "locks last acquire lockA", "locks next release lockA", "locks last wait lockB", "locks next party lockA",
            "locks next wait", "locks findings please");
        Golden.Check("lock-findings", client.Transcript);
    }

    [Fact]
    public void Classes_of_locks()
    {
        using TestClient client = TestClient.Launched(recordings.Concurrency("classes", 1), "end");
        client.Ask("ttvm/lockClasses");
        client.Note("found once");
        client.Ask("ttvm/lockClasses");
        Learn(client, "ttvm/lockFindings");
        client.Ask("ttvm/lockFindings");
        string first = (string)client.Quietly("ttvm/lockClasses", "{}")["findings"]![0]!["position"]!;
        client.Ask("ttvm/seek", $$"""{"position":"{{first}}"}""");
        Console(client, "locks classes");
        client.Note("in a diversion");
        client.Ask("setExpression", """{"expression":"$rax","value":"1"}""");
        client.Ask("ttvm/lockClasses");
        using TestClient other = TestClient.Launched(recordings.Concurrency("inversion-broken", 0), "end");
        other.Note("an inversion already");
        other.Ask("ttvm/lockClasses");
        Console(other, "locks classes");
        Golden.Check("lock-classes", client.Transcript + other.Transcript);
    }

    [Fact]
    public void Read_copy_update()
    {
        using TestClient client = TestClient.Launched(recordings.Concurrency("rcu-list-broken", 3), "95%");
        WaitUntilFound(client);
        Learn(client, "ttvm/rcuFindings");
        client.Ask("ttvm/rcu");
        client.Ask("ttvm/rcuFindings");
        client.Ask("ttvm/rcuReaders");
        client.Note("from here on and back");
        foreach (string what in (string[])["publication", "readerEnters", "readerLeaves", "deferral", "release", "gracePeriodBegins", "gracePeriodEnds"])
        {
            client.Ask("ttvm/rcuSeek", $$"""{"event":"{{what}}"}""");
            client.Ask("ttvm/rcuSeek", $$"""{"event":"{{what}}","reverse":true}""");
        }
        client.Note("only of one");
        client.Ask("ttvm/rcuSeek", """{"event":"publication","pointer":"list","reverse":true}""");
        client.Ask("ttvm/rcuSeek", """{"event":"publication","pointer":"next[3]"}""");
        client.Ask("ttvm/rcuSeek", """{"event":"readerEnters","threadId":3}""");
        client.Note("where the first one is freed");
        string first = (string)client.Quietly("ttvm/rcuFindings", "{}")["findings"]![0]!["position"]!;
        client.Ask("ttvm/seek", $$"""{"position":"{{first}}"}""");
        client.Ask("ttvm/rcu");
        Console(client, "rcu", "rcu findings", "rcu next publication list", "rcu last release", "rcu next party", "rcu please", "rcu readers");
        client.Note("what cannot be");
        client.Ask("ttvm/rcuSeek", """{"event":"party"}""");
        client.Ask("ttvm/rcuSeek", """{"event":"publication","pointer":"nowhere"}""");
        client.Ask("ttvm/rcuSeek", """{"event":"readerEnters","threadId":9}""");
        client.Ask("ttvm/seek", """{"position":"start"}""");
        client.Ask("ttvm/rcuSeek", """{"event":"release","reverse":true}""");
        client.Ask("ttvm/rcu");
        Golden.Check("rcu", client.Transcript);
    }

    [Fact]
    public void Channels()
    {
        using TestClient client = TestClient.Launched(recordings.Concurrency("channel-broken", 1), "93%");
        WaitUntilFound(client);
        Learn(client, "ttvm/channelFindings");
        client.Ask("ttvm/channels");
        client.Ask("ttvm/channelFindings");
        client.Note("from here on and back");
        foreach (string what in (string[])["publication", "receipt", "fullStall", "emptyStall"])
        {
            client.Ask("ttvm/channelSeek", $$"""{"event":"{{what}}"}""");
            client.Ask("ttvm/channelSeek", $$"""{"event":"{{what}}","reverse":true}""");
        }
        client.Note("a message's way");
        client.Ask("ttvm/channelSeek", """{"event":"publication","channel":"channels[1]","number":3,"reverse":true}""");
        client.Ask("ttvm/channelSeek", """{"event":"receipt","channel":"channels[1]","number":3}""");
        Console(client, "channels", "channels findings", "channels next publication channels[0]", "channels last receipt channels[0] 2", "channels next party",
            "channels next receipt channels[0] x");
        client.Note("what cannot be");
        client.Ask("ttvm/channelSeek", """{"event":"party"}""");
        client.Ask("ttvm/channelSeek", """{"event":"receipt","channel":"television"}""");
        Golden.Check("channels", client.Transcript);
    }

    [Fact]
    public void Nothing_of_the_kind()
    {
        using TestClient client = TestClient.Launched(recordings.Two, "70%");
        WaitUntilFound(client);
        foreach (string request in (string[])["ttvm/rcu", "ttvm/rcuReaders", "ttvm/rcuFindings", "ttvm/channels", "ttvm/channelFindings"]) client.Ask(request);
        client.Ask("ttvm/rcuSeek", """{"event":"publication"}""");
        client.Ask("ttvm/channelSeek", """{"event":"publication"}""");
        Console(client, "rcu", "channels", "rcu findings", "channels findings");
        Golden.Check("nothing-shared", client.Transcript);
    }

    [Fact]
    public void Words_that_are_swapped()
    {
        using TestClient client = TestClient.Launched(recordings.Concurrency("stack-broken", 0), "98%");
        Console(client, "cas stack 98.6% 99%", "cas nothing", "cas stack 10% 11%", "cas");
        client.Note("as requests");
        client.Ask("ttvm/swaps", """{"word":"stack","from":"98.6%","to":"99%","count":3}""");
        client.Ask("ttvm/swaps", """{"word":"stack","sizeBytes":16,"from":"98.6%","to":"98.7%"}""");
        client.Ask("ttvm/swaps", """{"word":"stack","from":"10%","to":"11%"}""");
        // The first seed under which the guest says itself that its stack is broken.
        using TestClient broken = TestClient.Launched(recordings.Concurrency("stack-broken", 19), "end");
        foreach (JsonNode? one in broken.Quietly("ttvm/swaps", """{"word":"stack","count":10000}""")["swaps"]!.AsArray())
            if ((bool)one!["isDeceived"]!) broken.Note($"deceived: {one["position"]}, who read at {one["readAt"]}: {one["remark"]}");
        client.Note("what cannot be");
        client.Ask("ttvm/swaps", """{"word":"nothing"}""");
        client.Ask("ttvm/swaps", """{"word":"stack","sizeBytes":17}""");
        client.Ask("ttvm/swaps", """{"word":"stack","from":"20%","to":"10%"}""");
        Golden.Check("swaps", client.Transcript + broken.Transcript);
    }

    private static void Console(TestClient client, params string[] commands)
    {
        foreach (string command in commands) client.Ask("evaluate", new JsonObject { ["expression"] = command, ["context"] = "repl" }.ToJsonString());
    }

    // What is said before all of the past is known differs from run to run.
    private static void Learn(TestClient client, string findings)
    {
        while (!(bool)client.Quietly(findings, "{}")["isComplete"]!) Thread.Sleep(5);
    }

    /// <summary>Answers do not wait for what is being looked for, and transcripts have the whole ones.</summary>
    private static void WaitUntilFound(TestClient client)
    {
        DateTime end = DateTime.UtcNow.AddMinutes(2);
        while (((string[])["ttvm/rcu", "ttvm/channels"]).Any(request => (bool?)client.Quietly(request, "{}")["isBeingFound"] == true))
        {
            Assert.True(DateTime.UtcNow < end, "it is being looked for for ever");
            System.Threading.Thread.Sleep(20);
        }
    }
}
