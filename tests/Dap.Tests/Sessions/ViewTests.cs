using System;
using System.IO;
using System.Linq;
using System.Text;
using System.Text.Json.Nodes;
using System.Threading.Tasks;
using Dap.Protocol;
using Dap.Sessions;
using Replay.Packages;
using Xunit;

namespace Dap.Tests.Sessions;

/// <summary>Requests of our own: what is said for each.</summary>
public sealed class ViewTests(Recordings recordings)
{
    private const string Deposit = "0xffffffff80102ccb";

    [Fact]
    public void Page_tables()
    {
        using TestClient client = TestClient.Launched(recordings.Two, "70%");
        client.Ask("ttvm/pageTable");
        client.Ask("ttvm/pageTable", """{"path":"1ff.1fe.0","threadId":2}""");
        client.Ask("ttvm/pageTable", """{"path":"0.0.2"}""");
        client.Ask("ttvm/pageTable", """{"path":"0","filters":["user","dirty"]}""");
        client.Note("as against another position");
        client.Ask("ttvm/pageTable", """{"comparedTo":"start"}""");
        client.Ask("ttvm/pageTable", """{"path":"0.0","comparedTo":"60%"}""");
        client.Ask("ttvm/tableChanges", """{"from":"60%"}""");
        client.Ask("ttvm/tableChanges", """{"from":"20%","to":"70%","threadId":2}""");
        client.Note("translations");
        client.Ask("ttvm/translate", $$"""{"address":"{{Deposit}}"}""");
        client.Ask("ttvm/translate", """{"address":"rsp","threadId":2}""");
        client.Ask("ttvm/translate", """{"address":"0x7fffffff0000"}""");
        client.Ask("ttvm/translate", """{"address":"0x800000000000"}""");
        client.Note("ranges");
        client.Ask("ttvm/ranges", """{"count":4}""");
        client.Ask("ttvm/ranges", """{"start":1,"count":2,"filters":["executable","writable"]}""");
        client.Note("what cannot be");
        client.Ask("ttvm/pageTable", """{"path":"0.1ff.1"}""");
        client.Ask("ttvm/pageTable", """{"path":"rubbish"}""");
        client.Ask("ttvm/pageTable", """{"filters":["blue"]}""");
        client.Ask("ttvm/pageTable", """{"threadId":9}""");
        client.Ask("ttvm/pageTable", """{"comparedTo":"yesterday"}""");
        client.Ask("ttvm/translate", """{"address":"rsp +"}""");
        client.Ask("ttvm/tableChanges", """{"from":"999999999999"}""");
        client.Note("entries that are not present, made in a diversion");
        string root = (string)client.Body("ttvm/pageTable")["root"]!;
        client.Ask("writeMemory", $$"""{"memoryReference":"phys:{{root}}","offset":16,"data":"3sAAAAAAAAA="}""");
        client.Ask("ttvm/pageTable", """{"includeAbsent":true}""");
        client.Ask("ttvm/pageTable", """{"includeAbsent":true,"filters":["user"]}""");
        client.Ask("ttvm/returnToRecording");
        client.Note("without paging");
        client.Ask("ttvm/seek", """{"position":"start"}""");
        client.Ask("ttvm/pageTable");
        client.Ask("ttvm/translate", """{"address":"0x1234"}""");
        client.Ask("ttvm/ranges");
        Golden.Check("page-tables", client.Transcript);
    }

    [Fact]
    public void Console_and_bookmarks()
    {
        string file = recordings.One + ".bookmarks.json";
        using TestClient client = TestClient.Launched(recordings.One, "30%");
        client.Ask("ttvm/console");
        client.Ask("ttvm/console", """{"channel":"serial0","count":2}""");
        client.Ask("ttvm/console", """{"channel":"debug"}""");
        client.Ask("ttvm/console", """{"channel":"television"}""");
        client.Note("bookmarks");
        client.Ask("ttvm/bookmarks");
        client.Ask("ttvm/setBookmark", """{"name":"here","note":"where the bug is"}""");
        client.Ask("ttvm/setBookmark", """{"name":"late","position":"90%"}""");
        client.Ask("ttvm/setBookmark", """{"name":"here","position":"12345"}""");
        client.Ask("ttvm/removeBookmark", """{"name":"late"}""");
        client.Ask("ttvm/removeBookmark", """{"name":"late"}""");
        client.Note("checkpoints keep the state as well");
        client.Ask("ttvm/setBookmark", """{"name":"kept","isCheckpoint":true}""");
        client.Ask("ttvm/setBookmark", """{"name":"elsewhere","position":"10%","isCheckpoint":true}""");
        client.Ask("ttvm/removeBookmark", """{"name":"kept"}""");
        client.Ask("ttvm/setBookmark", """{"name":" "}""");
        client.Ask("ttvm/setBookmark", """{"name":"never","position":"999999999999"}""");
        File.WriteAllText(file, "{\"bookmarks\": [ {");
        client.Ask("ttvm/bookmarks");
        client.Ask("ttvm/setBookmark", """{"name":"lost?"}""");
        Assert.Equal("{\"bookmarks\": [ {", File.ReadAllText(file));
        File.Delete(file);
        Golden.Check("console", client.Transcript);
    }

    [Fact]
    public void Bookmarks_travel_in_the_recording_until_there_are_others_beside_it()
    {
        string path = Path.Combine(Directory.CreateTempSubdirectory("ttvm-bookmarks").FullName, "sent.ttvm");
        using (var recording = RecordingFile.Open(recordings.One))
            RecordingEmbedder.AddBookmarks(recording, path, Encoding.UTF8.GetBytes("""{"bookmarks":[{"name":"bug","position":"4321","note":"look here"}]}"""));
        using (TestClient client = TestClient.Launched(path))
        {
            Assert.Equal("look here", (string?)client.Body("ttvm/bookmarks")["bookmarks"]![0]!["note"]);
            client.Body("ttvm/setBookmark", """{"name":"mine","position":"10"}""");
            Assert.Equal(2, client.Body("ttvm/bookmarks")["bookmarks"]!.AsArray().Count);
            Assert.Contains("look here", File.ReadAllText(path + ".bookmarks.json"), StringComparison.Ordinal);
        }
        Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
    }

    [Fact]
    public void Saved_breakpoints()
    {
        string folder = Directory.CreateTempSubdirectory("ttvm-dap-saved-").FullName, path = Path.Combine(folder, "one.ttvm");
        File.Copy(recordings.One, path);
        using (TestClient client = TestClient.Launched(path))
        {
            client.Ask("ttvm/savedBreakpoints");
            client.Ask("setBreakpoints", """{"source":{"path":"/elsewhere/guests/demo64/bank.c"},"breakpoints":[{"line":43,"condition":"amount > 5"},"""
                + """{"line":43,"logMessage":"{amount} more"},{"line":45,"condition":"amount =="}]}""");
            client.Ask("setFunctionBreakpoints", """{"breakpoints":[{"name":"bank_deposit","hitCondition":"3"},{"name":"write 0xffffffff80104658 8"},{"name":"no_such_function"}]}""");
            client.Ask("setInstructionBreakpoints", $$"""{"breakpoints":[{"instructionReference":"{{Deposit}}","offset":4}]}""");
            client.Ask("setDataBreakpoints", """{"breakpoints":[{"dataId":"0xffffffff80104658:8","accessType":"readWrite"}]}""");
            client.Ask("setExceptionBreakpoints", """{"filters":["tripleFault"]}""");
            client.Body("ttvm/setBookmark", """{"name":"a bookmark stays","position":"10"}""");
            client.Note("what is set, without what was refused and without exceptions");
            client.Ask("ttvm/saveBreakpoints");
            client.Body("ttvm/setBookmark", """{"name":"and breakpoints stay","position":"20"}""");
            client.Ask("ttvm/savedBreakpoints");
            Golden.Check("saved-breakpoints", client.Transcript);
        }
        // They travel.
        string packed = Path.Combine(folder, "sent.ttvm");
        using (var recording = RecordingFile.Open(path)) RecordingEmbedder.AddBookmarks(recording, packed, File.ReadAllBytes(path + ".bookmarks.json"));
        using (TestClient client = TestClient.Launched(packed))
        {
            Assert.Equal(6, client.Body("ttvm/savedBreakpoints")["breakpoints"]!.AsArray().Count);
            Assert.Equal(2, client.Body("ttvm/bookmarks")["bookmarks"]!.AsArray().Count);
            // Nothing is set now: nothing is kept.
            Assert.Empty(client.Body("ttvm/saveBreakpoints")["breakpoints"]!.AsArray());
            Assert.Equal(2, client.Body("ttvm/bookmarks")["bookmarks"]!.AsArray().Count);
        }
        File.WriteAllText(packed + ".bookmarks.json", """{"bookmarks":[null,{"name":"x","position":"1"}],"breakpoints":[null]}""");
        using (TestClient client = TestClient.Launched(packed))
        {
            Assert.Single(client.Body("ttvm/bookmarks")["bookmarks"]!.AsArray());
            Assert.Empty(client.Body("ttvm/savedBreakpoints")["breakpoints"]!.AsArray());
        }
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>Several sessions keep bookmarks of one recording at the same time, and one was killed while it did.</summary>
    [Fact]
    public async Task Bookmarks_of_sessions_side_by_side_are_all_kept()
    {
        string folder = Directory.CreateTempSubdirectory("ttvm-bookmarks-").FullName, path = Path.Combine(folder, "any.ttvm"), left = path + ".bookmarks.json.new";
        File.WriteAllText(left, "{\"bookm");
        File.SetLastWriteTimeUtc(left, DateTime.UtcNow.AddMinutes(-1));
        const int writers = 4, each = 25;
        Task Write(int writer) => Task.Run(() =>
        {
            for (int i = 0; i < each; i++) new BookmarkFile(path).Set(new TtvmBookmark { Name = $"{writer}.{i}", Position = "1" });
        }, TestContext.Current.CancellationToken);
        Task all = Task.WhenAll(Enumerable.Range(0, writers).Select(Write));
        // Who reads meanwhile finds a whole file.
        int last = 0;
        while (!all.IsCompleted)
        {
            int now = new BookmarkFile(path).Read().Count;
            Assert.True(now >= last);
            last = now;
        }
        await all;
        Assert.Equal(writers * each, new BookmarkFile(path).Read().Count);
        Assert.False(File.Exists(left));
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void Locks_and_devices()
    {
        using TestClient client = TestClient.Launched(recordings.Two, "70%");
        LearnLocks(client);
        client.Ask("ttvm/locks");
        client.Ask("ttvm/devices");
        client.Note("layouts that are named, and are no good");
        string file = Path.Combine(Path.GetDirectoryName(recordings.Two)!, "bad.layout.json");
        File.WriteAllText(file, """{"types":{"x":{"kind":"rw"}},"locks":[]}""");
        using var other = new TestClient();
        other.Ask("initialize", """{"adapterID":"ttvm"}""");
        other.Ask("launch", new JsonObject { ["program"] = recordings.Two, ["layouts"] = new JsonArray(file, "/nowhere/x.layout.json") }.ToJsonString());
        LearnLocks(other);
        other.Ask("ttvm/locks");
        File.Delete(file);
        Golden.Check("locks-devices", client.Transcript + other.Transcript);
    }

    [Fact]
    public void Past_of_locks()
    {
        const string one = """ "lock":"account.brokenLock" """;
        using TestClient client = TestClient.Launched(recordings.Two, "50%");
        LearnLocks(client);
        client.Ask("ttvm/lockHistory", """{"count":3}""");
        client.Ask("ttvm/lockHistory", $$"""{{{one}},"count":2}""");
        client.Ask("ttvm/lockHistory", $$"""{{{one}},"from":"50%","to":"52%","start":1,"count":1,"bucketCount":4}""");
        client.Ask("ttvm/lockFindings");
        client.Note("from here on and back");
        foreach (string what in (string[])["wait", "acquire", "release"])
        {
            client.Ask("ttvm/lockSeek", $$"""{{{one}},"event":"{{what}}"}""");
            if (what == "wait") client.Ask("ttvm/locks");
            client.Ask("ttvm/lockSeek", $$"""{{{one}},"event":"{{what}}","reverse":true}""");
        }
        client.Note("what cannot be");
        client.Ask("ttvm/lockHistory", """{"lock":"no such lock"}""");
        client.Ask("ttvm/lockHistory", """{"from":"60%","to":"50%"}""");
        client.Ask("ttvm/lockSeek", $$"""{{{one}},"event":"party"}""");
        client.Ask("ttvm/seek", """{"position":"start"}""");
        client.Ask("ttvm/lockSeek", $$"""{{{one}},"event":"release","reverse":true}""");
        client.Note("in a diversion only memory tells");
        client.Ask("ttvm/seek", """{"position":"50%"}""");
        client.Ask("setVariable", $$"""{"variablesReference":{{Registers(client)}},"name":"rax","value":"1"}""");
        client.Ask("ttvm/locks");
        client.Ask("ttvm/lockSeek", $$"""{{{one}},"event":"wait"}""");
        Golden.Check("lock-history", client.Transcript);
    }

    [Fact]
    public void Events_in_both_directions()
    {
        using TestClient client = TestClient.Launched(recordings.Two, "50%");
        foreach (string kind in (string[])["exception", "interrupt", "systemCall", "contextSwitch", "schedule", "input", "consoleLine"])
        {
            client.Ask("ttvm/seek", """{"position":"50%"}""");
            client.Ask("ttvm/gotoEvent", $$"""{"kind":"{{kind}}"}""");
            client.Ask("ttvm/gotoEvent", $$"""{"kind":"{{kind}}"}""");
            client.Ask("ttvm/gotoEvent", $$"""{"kind":"{{kind}}","reverse":true}""");
        }
        client.Ask("ttvm/gotoEvent", """{"kind":"interrupt","threadId":2}""");
        client.Ask("ttvm/gotoEvent", """{"kind":"schedule","threadId":2,"reverse":true}""");
        client.Ask("ttvm/gotoEvent", """{"kind":"eclipse"}""");
        client.Ask("ttvm/seek", """{"position":"end"}""");
        client.Ask("ttvm/gotoEvent", """{"kind":"interrupt"}""");
        Golden.Check("events", client.Transcript);
    }

    [Fact]
    public void Console_commands()
    {
        using TestClient client = TestClient.Launched(recordings.Two, "70%");
        LearnLocks(client);
        foreach (string command in (string[])["bt", "info threads", "thread 2", "info threads", "thread 9", "info breakpoints", "locks", "devices", "devices pic", "devices 8254",
            "devices toaster", "ranges", "tablechanges 60% 70%", "tablechanges 69.9%", "tablechanges", "shadow rip", "shadow 0x7fffffff0000", "bookmarks",
            "bookmark here where it is", "bookmarks", "seek start", "walk 0x1000", "ranges", "seek here",
            "stepi", "rsi", "rsi", "si 5", "reverse-nexti", "continue", "rc", "x/2z rsp", "locks/x"])
            client.Ask("evaluate", new JsonObject { ["expression"] = command, ["context"] = "repl" }.ToJsonString());
        client.Ask("completions", """{"text":"rev","column":4}""");
        File.Delete(recordings.Two + ".bookmarks.json");
        Golden.Check("console-commands", client.Transcript);
    }

    [Fact]
    public void Timeline()
    {
        using TestClient client = TestClient.Launched(recordings.Two, "50%");
        client.Body("ttvm/setBookmark", """{"name":"middle"}""");
        Complete(client, """{"bucketCount":5}""");
        Complete(client, """{"from":"50%","to":"50.05%","bucketCount":3}""");
        client.Ask("ttvm/timeline", """{"from":"60%","to":"50%"}""");
        client.Ask("ttvm/timeline", """{"from":"never"}""");
        client.Ask("ttvm/removeBookmark", """{"name":"middle"}""");
        File.Delete(recordings.Two + ".bookmarks.json");
        Golden.Check("timeline", client.Transcript);
    }

    // What is said before all of their past is known differs from run to run.
    private static void LearnLocks(TestClient client)
    {
        while (!(bool)client.Quietly("ttvm/lockFindings", "{}")["isComplete"]!) System.Threading.Thread.Sleep(5);
    }

    private static int Registers(TestClient client)
    {
        JsonNode frames = client.Quietly("stackTrace", """{"threadId":1,"levels":1}""")["stackFrames"]!;
        foreach (JsonNode? scope in client.Quietly("scopes", $$"""{"frameId":{{frames[0]!["id"]}}}""")["scopes"]!.AsArray())
            if ((string)scope!["name"]! == "Registers") return (int)scope["variablesReference"]!;
        throw new Xunit.Sdk.XunitException("there are no registers");
    }

    // What comes while it is not complete differs from run to run.
    private static void Complete(TestClient client, string arguments)
    {
        while (true)
        {
            JsonNode answer = client.Quietly("ttvm/timeline", arguments);
            if ((bool)answer["isComplete"]!) break;
            System.Threading.Thread.Sleep(5);
        }
        client.Ask("ttvm/timeline", arguments);
    }
}
