using System;
using System.Globalization;
using System.Linq;
using System.Text.Json.Nodes;
using Xunit;

namespace Dap.Tests.Sessions;

/// <summary>Locks of a Debian guest, and since when its tasks read under read-copy-update, against what memory alone says around that moment.</summary>
public sealed class LinuxLockTests(ProgramsGuest guest) : IClassFixture<ProgramsGuest>
{
    [Fact]
    public void Since_when_a_reader_reads_is_where_it_became_one()
    {
        using TestClient client = TestClient.Launched(guest.Recording, "60%");
        int checkedCount = 0;
        for (int i = 0; i < 8; i++)
        {
            client.Move("ttvm/rcuSeek", """{"event":"readerEnters"}""");
            ulong entered = Number(client.Position());
            Seek(client, entered + 20);
            JsonNode answer = client.Body("ttvm/rcuReaders");
            Assert.Null((string?)answer["problem"]);
            Assert.Equal(client.Position(), (string?)answer["position"]);
            foreach (JsonNode? reader in answer["readers"]!.AsArray())
            {
                string task = (string)reader!["task"]!, text = (string)reader["from"]!["text"]!;
                ulong since = Number((string)reader["since"]!);
                Assert.InRange(since, 1UL, entered + 20);
                Assert.NotEqual("", text);
                // The view shows the same reader, and memory has it from there on.
                Assert.Contains(client.Body("ttvm/rcu")["readers"]!.AsArray(), one => (string?)one!["task"] == task);
                Seek(client, since - 1);
                Assert.False(IsReading(client, task), $"{task} reads before {since}");
                Seek(client, since + 1);
                Assert.True(IsReading(client, task), $"{task} does not read behind {since}");
                Seek(client, entered + 20);
                checkedCount++;
            }
        }
        Assert.True(checkedCount > 3, $"{checkedCount} readers");
    }

    /// <summary>Locks are looked for at the beginning of a session: who asks for the variables meanwhile does not wait, and is told when to ask again.</summary>
    [Fact]
    public void Variables_do_not_wait_until_locks_are_found()
    {
        using TestClient client = JustLaunched();
        JsonArray early = Locks(client);
        if ((string?)early[0]!["name"] == "none")
        {
            Assert.Equal("The locks of the guest are being looked for.", (string?)early[0]!["value"]);
            WaitUntilTold(client, "invalidated");
        }
        JsonArray rows = Locks(client);
        Assert.Contains(rows, static row => (string?)row!["name"] == "read-copy-update");
        Assert.DoesNotContain(rows, static row => ((string?)row!["value"])?.Contains("being looked for", StringComparison.Ordinal) == true);
    }

    /// <summary>The same of read-copy-update and of channels: each answer comes at once, says whether there is more to come, and is whole once that was told.</summary>
    [Fact]
    public void Shared_memory_does_not_wait_until_it_is_found()
    {
        using TestClient client = JustLaunched();
        bool isEarly = false;
        foreach (string request in (string[])["ttvm/rcu", "ttvm/channels"])
        {
            JsonNode early = client.Body(request);
            if ((bool?)early["isBeingFound"] != true) continue;
            isEarly = true;
            Assert.Equal(("learning", null), ((string?)early["past"], (string?)early["gracePeriod"]?["state"]));
            Assert.Contains("being looked for", (string?)early["problem"]);
        }
        if (isEarly) WaitUntilTold(client, "ttvm/locksChanged");
        JsonNode rcu = client.Body("ttvm/rcu"), channels = client.Body("ttvm/channels");
        Assert.Equal(("Linux tree RCU", null, null), ((string?)rcu["kind"], (string?)rcu["problem"], (bool?)rcu["isBeingFound"]));
        Assert.NotEmpty(rcu["callbacks"]!.AsArray());
        Assert.Empty(channels["channels"]!.AsArray());
        Assert.Null((bool?)channels["isBeingFound"]);
    }

    private TestClient JustLaunched()
    {
        var client = new TestClient();
        client.Ask("initialize", """{"adapterID":"ttvm","supportsInvalidatedEvent":true}""");
        client.Ask("launch", new JsonObject { ["program"] = guest.Recording, ["at"] = "90%" }.ToJsonString());
        client.Ask("configurationDone");
        client.TakeStopped();
        return client;
    }

    private static void WaitUntilTold(TestClient client, string name)
    {
        DateTime end = DateTime.UtcNow.AddMinutes(2);
        while (!client.Events.Any(one => (string?)one["event"] == name))
        {
            Assert.True(DateTime.UtcNow < end, "the client is not told to ask again");
            client.Quietly("threads", "{}");
            System.Threading.Thread.Sleep(20);
        }
    }

    private static JsonArray Locks(TestClient client)
    {
        JsonNode frame = client.Body("stackTrace", """{"threadId":1}""")["stackFrames"]![0]!["id"]!;
        JsonArray scopes = client.Body("scopes", new JsonObject { ["frameId"] = frame.DeepClone() }.ToJsonString())["scopes"]!.AsArray();
        JsonNode scope = scopes.Single(static one => (string?)one!["name"] == "Locks")!;
        return client.Body("variables", new JsonObject { ["variablesReference"] = scope["variablesReference"]!.DeepClone() }.ToJsonString())["variables"]!.AsArray();
    }

    private static bool IsReading(TestClient client, string task) => client.Body("ttvm/rcu")["readers"]!.AsArray().Any(one => (string?)one!["task"] == task);

    private static void Seek(TestClient client, ulong position) =>
        client.Move("ttvm/seek", new JsonObject { ["position"] = position.ToString(CultureInfo.InvariantCulture) }.ToJsonString());

    private static ulong Number(string position) => ulong.Parse(position.Split(':')[0], CultureInfo.InvariantCulture);
}
