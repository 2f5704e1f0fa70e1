using System.Collections.Generic;
using System.Linq;
using Dap.Protocol;
using Dap.Sessions;
using Vmm.Time;

namespace Dap.Requests;

/// <summary>Requests of our own that keep named positions, and breakpoints.</summary>
internal sealed class BookmarkRequests
{
    private const int MaximumNameLength = 200, MaximumCheckpointCount = 64, MaximumBreakpointCount = 1000;

    public BookmarkRequests(Session session, RequestTable requests)
    {
        requests.Add("ttvm/bookmarks", () => Answer.Of(ListOf(session, session.Bookmarks.Read())));
        requests.Add<TtvmSetBookmarkArguments>("ttvm/setBookmark", a => Answer.Of(Set(session, a)));
        requests.Add<TtvmRemoveBookmarkArguments>("ttvm/removeBookmark", a => Answer.Of(Remove(session, a.Name)));
        requests.Add("ttvm/savedBreakpoints", () => Answer.Of(new TtvmSavedBreakpoints { Breakpoints = session.Bookmarks.ReadBreakpoints() }));
        requests.Add("ttvm/saveBreakpoints", () => Answer.Of(Save(session)));
    }

    /// <exception cref="RequestException">The name or the position is none, or the file cannot be changed.</exception>
    public static TtvmBookmarks Set(Session session, TtvmSetBookmarkArguments arguments)
    {
        string name = arguments.Name.Trim();
        if (name.Length is 0 or > MaximumNameLength) throw new RequestException($"a bookmark has a name of 1 to {MaximumNameLength} characters");
        bool isCheckpoint = arguments.IsCheckpoint == true;
        if (isCheckpoint && arguments.Position is not null) throw new RequestException("a checkpoint can only be made where the session stands: go there first");
        Position position = arguments.Position is { } text ? session.ParsePosition(text) : session.Timeline.Position;
        List<TtvmBookmark> before = session.Bookmarks.Read();
        if (isCheckpoint && before.Count(one => IsKept(session, one)) >= MaximumCheckpointCount)
            throw new RequestException($"{MaximumCheckpointCount} checkpoints are kept already: remove some, or make a bookmark");
        List<TtvmBookmark> all = session.Bookmarks.Set(new TtvmBookmark { Name = name, Position = position.ToString(), Note = arguments.Note });
        if (isCheckpoint) session.Timeline.Keep();
        return Changed(session, before, all);
    }

    private static TtvmBookmarks Remove(Session session, string name)
    {
        List<TtvmBookmark> before = session.Bookmarks.Read(), all = session.Bookmarks.Remove(name);
        return Changed(session, before, all);
    }

    private static TtvmSavedBreakpoints Save(Session session)
    {
        TtvmSavedBreakpoint[] all = [.. session.Breakpoints.All.Select(static one => one.AsSet).OfType<TtvmSavedBreakpoint>()];
        if (all.Length > MaximumBreakpointCount) throw new RequestException($"{all.Length} breakpoints are set: at most {MaximumBreakpointCount} are saved");
        session.Bookmarks.SetBreakpoints(all);
        return new TtvmSavedBreakpoints { Breakpoints = all };
    }

    // The timeline shows them.
    private static TtvmBookmarks Changed(Session session, List<TtvmBookmark> before, List<TtvmBookmark> after)
    {
        ForgetUnnamed(session, before, after);
        session.Send<TtvmNoArguments>("ttvm/timelineChanged", null);
        return ListOf(session, after);
    }

    // A state is kept as long as it has a name.
    private static void ForgetUnnamed(Session session, List<TtvmBookmark> before, List<TtvmBookmark> after)
    {
        foreach (TtvmBookmark one in before)
            if (!after.Exists(other => other.Position == one.Position) && session.TryParsePosition(one.Position, out Position position)) session.Timeline.Forget(position);
    }

    private static bool IsKept(Session session, TtvmBookmark bookmark) =>
        session.TryParsePosition(bookmark.Position, out Position position) && session.Timeline.IsKept(position);

    private static TtvmBookmarks ListOf(Session session, List<TtvmBookmark> bookmarks) =>
        new() { Bookmarks = [.. bookmarks.Select(one => IsKept(session, one) ? one with { IsCheckpoint = true } : one)] };
}
