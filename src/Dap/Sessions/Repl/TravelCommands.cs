using System;
using System.Collections.Generic;
using System.Globalization;
using Dap.Protocol;
using Dap.Requests;

namespace Dap.Sessions.Repl;

/// <summary>Going elsewhere in the recording, and names for places there.</summary>
internal sealed class TravelCommands(Session session)
{
    private readonly Travel _travel = new(session);

    public IReadOnlyList<ConsoleCommand> All =>
    [
        new("position", "where the session stands", _ => WhereText()),
        new("seek POSITION", "go to an instruction count, count:event, 50%, start or end", Seek),
        new("lastwrite ADDRESS [BYTES]", "go back to just before the last write; phys:0x1000 is a guest-physical address", line => Write(line, isForward: false)),
        new("nextwrite ADDRESS [BYTES]", "go forward to just before the next write", line => Write(line, isForward: true)),
        new("bookmark NAME [NOTE]", "give the position a name", line => Bookmark(line, isCheckpoint: false)),
        new("checkpoint NAME [NOTE]", "the same, and keep the state in memory: coming back replays nothing", line => Bookmark(line, isCheckpoint: true)),
        new("bookmarks", "all names; seek goes to their positions", _ => Bookmarks(session.Bookmarks.Read())),
        new("return", "leave a diversion: back to the recording", _ => Return()),
    ];

    private string WhereText()
    {
        TtvmPosition where = session.Where();
        return string.Create(CultureInfo.InvariantCulture,
            $"{where.Position} of {where.End} ({where.Percent}%), vCPU {where.ThreadId - 1}{(where.InDiversion ? ", in a diversion" : "")}");
    }

    private ConsoleResult Seek(CommandLine line)
    {
        string target = line.Required;
        // A bookmark's name is as good as its position.
        if (!session.TryParsePosition(target, out _) && session.Bookmarks.Read().Find(one => one.Name == target) is { } bookmark) target = bookmark.Position;
        StopReport report = _travel.Seek(target);
        return new ConsoleResult(WhereText(), () => session.Moved(report));
    }

    private ConsoleResult Write(CommandLine line, bool isForward)
    {
        string rest = line.Required;
        // The length is a last word that is a number; the address may have blanks.
        int blank = rest.LastIndexOf(' ');
        long? bytes = null;
        if (blank > 0 && long.TryParse(rest.AsSpan(blank + 1), NumberStyles.None, CultureInfo.InvariantCulture, out long size) && !EndsWithOperator(rest[..blank]))
        {
            bytes = size;
            rest = rest[..blank].TrimEnd();
        }
        (bool found, string description, StopReport report) = _travel.Write(rest, bytes, isForward);
        return found ? new ConsoleResult(description, () => session.Moved(report)) : new ConsoleResult(description);
    }

    private static bool EndsWithOperator(string text) => "+-*/%&|^<>=!~(".Contains(text.TrimEnd()[^1], StringComparison.Ordinal);

    private ConsoleResult Bookmark(CommandLine line, bool isCheckpoint)
    {
        string rest = line.Required;
        int blank = rest.IndexOf(' ', StringComparison.Ordinal);
        TtvmBookmarks all = BookmarkRequests.Set(session, new TtvmSetBookmarkArguments
        {
            Name = blank < 0 ? rest : rest[..blank], Note = blank < 0 ? null : rest[(blank + 1)..].Trim(), IsCheckpoint = isCheckpoint ? true : null,
        });
        return Bookmarks(all.Bookmarks);
    }

    private static string Bookmarks(IReadOnlyList<TtvmBookmark> bookmarks)
    {
        if (bookmarks.Count == 0) return "no bookmarks: bookmark NAME gives the position a name";
        var rows = new List<(string, string)>();
        foreach (TtvmBookmark one in bookmarks)
            rows.Add((one.Name, $"{one.Position}{(one.IsCheckpoint == true ? " (checkpoint)" : "")}{(one.Note is { Length: > 0 } note ? $"  {note}" : "")}"));
        return ConsoleTable.Of(rows);
    }

    private ConsoleResult Return()
    {
        StopReport report = _travel.Return();
        return new ConsoleResult(WhereText(), () => session.Moved(report));
    }
}
