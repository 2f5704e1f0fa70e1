using System;
using System.Globalization;
using System.IO;
using Symbols.Images;

namespace Symbols.Dwarf.Indexing;

/// <summary>
/// Indices on disk, one file for each program: named after its build ID, written beside its place and then renamed, so that other processes
/// see all of it or nothing. Whatever goes wrong, as where there is no home or no space, is as if there were no cache.
/// </summary>
public sealed class DebugIndexCache
{
    private const long MaximumIndexBytes = 1L << 30;

    private readonly string? _folder;

    /// <param name="folder">
    /// Null: <c>$XDG_CACHE_HOME/ttvm/symbols</c>, else <c>~/.cache/ttvm/symbols</c>, on Windows <c>%LOCALAPPDATA%\ttvm\symbols</c>; nothing is kept if there is neither.
    /// </param>
    public DebugIndexCache(string? folder = null) => _folder = folder ?? StandardFolder();

    /// <summary>Where indices are kept if nothing else is said; null: nowhere.</summary>
    public static string? StandardFolder()
    {
        if (Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } cache && Path.IsPathRooted(cache)) return Path.Combine(cache, "ttvm", "symbols");
        if (OperatingSystem.IsWindows() && Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData) is { Length: > 0 } local)
            return Path.Combine(local, "ttvm", "symbols");
        string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        return home.Length > 0 ? Path.Combine(home, ".cache", "ttvm", "symbols") : null;
    }

    /// <summary>Where the index of a program is kept; null: nowhere.</summary>
    internal string? PathFor(DwarfInfo info) => PathOf(info.Identity());

    /// <summary>The index of the program with that identity; null: there is none that can be used.</summary>
    internal IndexFile? Load(byte[] identity)
    {
        if (PathOf(identity) is not { } path || !File.Exists(path)) return null;
        FileImage? image = null;
        try
        {
            image = new FileImage(path);
            return image.Length <= MaximumIndexBytes && IndexFile.Open(image, identity) is { } file ? Taken(file, ref image) : null;
        }
        catch (Exception e) when (e is SymbolFormatException or IOException)
        {
            return null;
        }
        finally
        {
            image?.Dispose();
        }
    }

    /// <summary>A new file for an index, to be given <see cref="PathOf"/>'s name; null: it cannot be made.</summary>
    internal UnfinishedIndex? Begin(byte[] identity)
    {
        if (PathOf(identity) is not { } path) return null;
        string unfinished = $"{path}.{Environment.ProcessId.ToString(CultureInfo.InvariantCulture)}-{Guid.NewGuid():n}";
        try
        {
            Directory.CreateDirectory(_folder!);
            return new UnfinishedIndex(new FileStream(unfinished, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete, bufferSize: 0), unfinished);
        }
        catch (Exception e) when (UnfinishedIndex.IsRefusal(e))
        {
            return null;
        }
    }

    internal string? PathOf(byte[] identity) =>
        _folder is null || identity.Length == 0 ? null
            : Path.Combine(_folder, $"{Checksum64.Of(identity):x16}-{Convert.ToHexStringLower(identity.AsSpan(0, Math.Min(20, identity.Length)))}.index");

    // The image is the index's now.
    private static IndexFile Taken(IndexFile file, ref FileImage? image)
    {
        image = null;
        return file;
    }

}
