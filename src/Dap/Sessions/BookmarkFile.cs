using System;
using System.Collections.Generic;
using System.IO;
using System.Text.Json;
using Dap.Protocol;
using Replay.Packages;

namespace Dap.Sessions;

/// <summary>
/// Named positions of a recording, in NAME.ttvm.bookmarks.json beside it; as long as there is no such file, those that the recording carries (`ttvm pack`).
/// The file is read each time, as another session may have changed it, and replaced as a whole.
/// </summary>
/// <param name="recordingPath">The recording's file.</param>
/// <param name="embedded">What it carries; null: it is written only just now and carries nothing.</param>
public sealed class BookmarkFile(string recordingPath, EmbeddedFiles? embedded = null)
{
    private readonly string _path = PathOf(recordingPath);

    /// <summary>Where a recording's bookmarks are.</summary>
    public static string PathOf(string recordingPath) => recordingPath + ".bookmarks.json";

    /// <summary>All bookmarks; none without a file.</summary>
    /// <exception cref="RequestException">The file is damaged. It is left as it is.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public List<TtvmBookmark> Read()
    {
        byte[]? bytes = File.Exists(_path) ? File.ReadAllBytes(_path) : embedded?.ReadBookmarks();
        if (bytes is null) return [];
        try
        {
            TtvmBookmarks? content = JsonSerializer.Deserialize(bytes, DapJson.Of<TtvmBookmarks>());
            return [.. content?.Bookmarks ?? []];
        }
        catch (JsonException e)
        {
            throw new RequestException($"the bookmarks in {_path} cannot be read ({e.Message}): repair the file, or move it away to begin anew");
        }
    }

    /// <summary>Adds a bookmark, or changes the one of its name.</summary>
    /// <exception cref="RequestException">The file is damaged, or cannot be written.</exception>
    public List<TtvmBookmark> Set(TtvmBookmark bookmark)
    {
        List<TtvmBookmark> all = Read();
        int index = all.FindIndex(other => other.Name == bookmark.Name);
        if (index >= 0) all[index] = bookmark;
        else all.Add(bookmark);
        Write(all);
        return all;
    }

    /// <summary>Takes one away.</summary>
    /// <exception cref="RequestException">There is none of that name, or the file is damaged or cannot be written.</exception>
    public List<TtvmBookmark> Remove(string name)
    {
        List<TtvmBookmark> all = Read();
        if (all.RemoveAll(other => other.Name == name) == 0) throw new RequestException($"there is no bookmark '{name}'");
        Write(all);
        return all;
    }

    // First beside it, then in its place: whatever happens, one of the two is whole.
    private void Write(List<TtvmBookmark> bookmarks)
    {
        string next = _path + ".new";
        try
        {
            File.WriteAllBytes(next, JsonSerializer.SerializeToUtf8Bytes(new TtvmBookmarks { Bookmarks = bookmarks }, DapJson.Of<TtvmBookmarks>()));
            File.Move(next, _path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RequestException($"the bookmarks cannot be written to {_path}: {e.Message}");
        }
    }
}
