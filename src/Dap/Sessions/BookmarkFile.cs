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
/// Who may make no file there, as in the sandbox of `ttvm dap --only`, writes the one that there is. An empty one counts as none.
/// </summary>
/// <param name="recordingPath">The recording's file.</param>
/// <param name="embedded">What it carries; null: it is written only just now and carries nothing.</param>
public sealed class BookmarkFile(string recordingPath, EmbeddedFiles? embedded = null)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    // It is there already: EEXIST, ERROR_FILE_EXISTS; another process has it: EWOULDBLOCK of Linux and of macOS, ERROR_SHARING_VIOLATION.
    private static readonly int[] s_taken = [17, 80, 11, 35, 32];

    private const int MaximumSizeBytes = 64 << 20;

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
    /// <exception cref="RequestException">The file is damaged, and left as it is; or it cannot be read.</exception>
    public List<TtvmBookmark> Read() => BookmarksIn(Load());

    /// <summary>All breakpoints that were saved; none without a file.</summary>
    /// <exception cref="RequestException">The file is damaged, and left as it is; or it cannot be read.</exception>
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
        if (!File.Exists(_path)) return Parse([]);
        try
        {
            using FileStream file = Open(_path, FileMode.Open, FileAccess.Read, FileShare.Read);
            return Parse(ReadAll(file));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RequestException($"the bookmarks in {_path} cannot be read: {e.Message}");
        }
    }

    private static byte[] ReadAll(FileStream file)
    {
        if (file.Length > MaximumSizeBytes) throw new IOException($"{file.Name} is larger than {MaximumSizeBytes >> 20} MiB");
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes;
    }

    private Content Parse(byte[] kept)
    {
        if ((kept.Length > 0 ? kept : embedded?.ReadBookmarks()) is not { } bytes) return new Content();
        try
        {
            return JsonSerializer.Deserialize(bytes, DapJson.Of<Content>()) ?? new Content();
        }
        catch (JsonException e)
        {
            throw new RequestException($"the bookmarks in {_path} cannot be read ({e.Message}): repair the file, or move it away to begin anew");
        }
    }

    private void Replace(Func<Content, Content> change)
    {
        try
        {
            if (TryTake(_path + ".new") is { } next) Replace(next, change);
            else Rewrite(change);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RequestException($"the bookmarks cannot be written to {_path}: {e.Message}");
        }
    }

    // First beside it, then in its place: whatever happens, one of the two is whole.
    private void Replace(FileStream next, Func<Content, Content> change)
    {
        using (next)
        {
            try
            {
                next.Write(JsonSerializer.SerializeToUtf8Bytes(change(Load()), DapJson.Of<Content>()));
            }
            catch
            {
                File.Delete(next.Name);
                throw;
            }
        }
        File.Move(next.Name, _path, overwrite: true);
    }

    private void Rewrite(Func<Content, Content> change)
    {
        using FileStream file = Open(_path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
        byte[] bytes = JsonSerializer.SerializeToUtf8Bytes(change(Parse(ReadAll(file))), DapJson.Of<Content>());
        file.Position = 0;
        file.Write(bytes);
        file.SetLength(bytes.Length);
    }

    // Only one can make it. Null: no file can be made here, but there is one to write.
    private FileStream? TryTake(string path)
    {
        try
        {
            return Open(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read);
        }
        catch (UnauthorizedAccessException) when (File.Exists(_path))
        {
            return null;
        }
    }

    private static FileStream Open(string path, FileMode mode, FileAccess access, FileShare share)
    {
        DateTime end = DateTime.UtcNow + s_patience;
        while (true)
        {
            try
            {
                return new FileStream(path, mode, access, share);
            }
            catch (IOException e) when (s_taken.Contains(e.HResult & 0xFFFF))
            {
                if (mode == FileMode.CreateNew && TryRemoveLeft(path)) continue;
                if (DateTime.UtcNow > end) throw;
                System.Threading.Thread.Sleep(10);
            }
        }
    }

    // Nobody needs a new file for long: one that stays is of a process that was killed. Who removes it has it alone, and makes it young: another that found it old, too, sees so when he
    // has it, and does not remove what is there by then.
    private static bool TryRemoveLeft(string path)
    {
        try
        {
            using var left = new FileStream(path, FileMode.Open, FileAccess.Write, OperatingSystem.IsWindows() ? FileShare.Delete : FileShare.None, bufferSize: 0);
            if (DateTime.UtcNow - File.GetLastWriteTimeUtc(left.SafeFileHandle) <= s_patience) return false;
            left.WriteByte(0);
            File.Delete(path);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It is being written, or gone.
            return false;
        }
    }
}
