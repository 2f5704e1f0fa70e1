using System.Collections.Generic;
using System.IO;
using System.Text.Json.Nodes;
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
        client.Ask("ttvm/setBookmark", """{"name":" "}""");
        client.Ask("ttvm/setBookmark", """{"name":"never","position":"999999999999"}""");
        File.WriteAllText(file, "{\"bookmarks\": [ {");
        client.Ask("ttvm/bookmarks");
        client.Ask("ttvm/setBookmark", """{"name":"lost?"}""");
        Assert.Equal("{\"bookmarks\": [ {", File.ReadAllText(file));
        File.Delete(file);
        Golden.Check("console", client.Transcript);
    }
}
