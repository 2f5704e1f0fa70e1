using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json;
using System.Text.Json.Serialization;
using Dap.Protocol;
using Replay.Packages;

namespace Dap.Sessions;

/// <summary>
/// What people keep with a recording, named positions and breakpoints, in NAME.ttvm.bookmarks.json beside it; as long as there is no such file, what the recording carries (`ttvm pack`).
/// The file is read each time, as another session may have changed it, and replaced as a whole. Who changes it has NAME.ttvm.bookmarks.json.new meanwhile; others wait for that.
/// </summary>
/// <param name="recordingPath">The recording's file.</param>
/// <param name="embedded">What it carries; null: it is written only just now and carries nothing.</param>
public sealed class BookmarkFile(string recordingPath, EmbeddedFiles? embedded = null)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    // EEXIST, ERROR_FILE_EXISTS.
    private const int FileExists = 17, WindowsFileExists = 80;

    private readonly string _path = PathOf(recordingPath);

    /// <summary>What is in the file.</summary>
    internal sealed record Content
    {
        [JsonPropertyName("bookmarks")] public IReadOnlyList<TtvmBookmark?>? Bookmarks { get; init; }
        [JsonPropertyName("breakpoints")] public IReadOnlyList<TtvmSavedBreakpoint?>? Breakpoints { get; init; }
    }

    /// <summary>Where a recording's bookmarks are.</summary>
    public static string PathOf(string recordingPath) => recordingPath + ".bookmarks.json";

    /// <summary>All bookmarks; none without a file.</summary>
    /// <exception cref="RequestException">The file is damaged. It is left as it is.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public List<TtvmBookmark> Read() => BookmarksIn(Load());

    /// <summary>All breakpoints that were saved; none without a file.</summary>
    /// <exception cref="RequestException">The file is damaged. It is left as it is.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public List<TtvmSavedBreakpoint> ReadBreakpoints() => [.. (Load().Breakpoints ?? []).OfType<TtvmSavedBreakpoint>()];

    /// <summary>Adds a bookmark, or changes the one of its name.</summary>
    /// <exception cref="RequestException">The file is damaged, or cannot be written.</exception>
    public List<TtvmBookmark> Set(TtvmBookmark bookmark) => Change(all =>
    {
        int index = all.FindIndex(other => other.Name == bookmark.Name);
        if (index >= 0) all[index] = bookmark;
        else all.Add(bookmark);
    });

    /// <summary>Takes one away.</summary>
    /// <exception cref="RequestException">There is none of that name, or the file is damaged or cannot be written.</exception>
    public List<TtvmBookmark> Remove(string name) => Change(all =>
    {
        if (all.RemoveAll(other => other.Name == name) == 0) throw new RequestException($"there is no bookmark '{name}'");
    });

    /// <summary>Keeps these breakpoints in the place of those that were saved before.</summary>
    /// <exception cref="RequestException">The file is damaged, or cannot be written.</exception>
    public void SetBreakpoints(IReadOnlyList<TtvmSavedBreakpoint> breakpoints) => Replace(old => old with { Breakpoints = breakpoints.Count == 0 ? null : breakpoints });

    private static List<TtvmBookmark> BookmarksIn(Content content) => [.. (content.Bookmarks ?? []).OfType<TtvmBookmark>()];

    private List<TtvmBookmark> Change(Action<List<TtvmBookmark>> change)
    {
        List<TtvmBookmark> all = [];
        Replace(old =>
        {
            all = BookmarksIn(old);
            change(all);
            return old with { Bookmarks = all };
        });
        return all;
    }

    private Content Load()
    {
        byte[]? bytes = File.Exists(_path) ? File.ReadAllBytes(_path) : embedded?.ReadBookmarks();
        if (bytes is null) return new Content();
        try
        {
            return JsonSerializer.Deserialize(bytes, DapJson.Of<Content>()) ?? new Content();
        }
        catch (JsonException e)
        {
            throw new RequestException($"the bookmarks in {_path} cannot be read ({e.Message}): repair the file, or move it away to begin anew");
        }
    }

    // First beside it, then in its place: whatever happens, one of the two is whole.
    private void Replace(Func<Content, Content> change)
    {
        string next = _path + ".new";
        try
        {
            using (FileStream file = Take(next))
            {
                try
                {
                    file.Write(JsonSerializer.SerializeToUtf8Bytes(change(Load()), DapJson.Of<Content>()));
                }
                catch
                {
                    File.Delete(next);
                    throw;
                }
            }
            File.Move(next, _path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RequestException($"the bookmarks cannot be written to {_path}: {e.Message}");
        }
    }

    // Only one can make it. Nobody needs it for long: one that stays is of a process that was killed.
    private static FileStream Take(string path)
    {
        DateTime end = DateTime.UtcNow + s_patience;
        while (true)
        {
            try
            {
                return new FileStream(path, FileMode.CreateNew, FileAccess.Write);
            }
            catch (IOException e) when ((e.HResult & 0xFFFF) is FileExists or WindowsFileExists)
            {
                // By now it may be gone again: then it has no time, and is not the one of a process that was killed.
                var left = new FileInfo(path);
                if (left.Exists && DateTime.UtcNow - left.LastWriteTimeUtc > s_patience) left.Delete();
                else if (DateTime.UtcNow > end) throw;
                else System.Threading.Thread.Sleep(10);
            }
        }
    }
}
