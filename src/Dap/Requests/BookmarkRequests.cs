using Dap.Protocol;
using Dap.Sessions;

namespace Dap.Requests;

/// <summary>Requests of our own that keep named positions.</summary>
internal sealed class BookmarkRequests
{
    private const int MaximumNameLength = 200;

    public BookmarkRequests(Session session, RequestTable requests)
    {
        requests.Add("ttvm/bookmarks", () => Answer.Of(new TtvmBookmarks { Bookmarks = session.Bookmarks.Read() }));
        requests.Add<TtvmSetBookmarkArguments>("ttvm/setBookmark", a => Answer.Of(Set(session, a)));
        requests.Add<TtvmRemoveBookmarkArguments>("ttvm/removeBookmark", a => Answer.Of(new TtvmBookmarks { Bookmarks = session.Bookmarks.Remove(a.Name) }));
    }

    /// <exception cref="RequestException">The name or the position is none, or the file cannot be changed.</exception>
    public static TtvmBookmarks Set(Session session, TtvmSetBookmarkArguments arguments)
    {
        string name = arguments.Name.Trim();
        if (name.Length is 0 or > MaximumNameLength) throw new RequestException($"a bookmark has a name of 1 to {MaximumNameLength} characters");
        string position = arguments.Position is { } text ? session.ParsePosition(text).ToString() : session.Timeline.Position.ToString();
        return new TtvmBookmarks { Bookmarks = session.Bookmarks.Set(new TtvmBookmark { Name = name, Position = position, Note = arguments.Note }) };
    }
}
