using System;
using System.Globalization;
using System.IO;

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
    public DebugIndexCache(string? folder = null) => _folder = folder ?? DefaultFolder();

    /// <summary>Where the index of a program is kept; null: nowhere.</summary>
    internal string? PathFor(DwarfInfo info) => PathOf(info.Identity());

    /// <summary>The index of the program with that identity; null: there is none that can be used.</summary>
    internal IndexFile? Load(byte[] identity)
    {
        if (PathOf(identity) is not { } path || !File.Exists(path)) return null;
        try
        {
            if (new FileInfo(path).Length > MaximumIndexBytes) return null;
            return IndexFile.Open(File.ReadAllBytes(path), identity);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>False: it could not be written.</summary>
    internal bool Save(byte[] identity, byte[] bytes)
    {
        if (PathOf(identity) is not { } path) return false;
        string unfinished = $"{path}.{Environment.ProcessId.ToString(CultureInfo.InvariantCulture)}-{Guid.NewGuid():n}";
        try
        {
            Directory.CreateDirectory(_folder!);
            File.WriteAllBytes(unfinished, bytes);
            File.Move(unfinished, path, overwrite: true);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            Remove(unfinished);
            return false;
        }
    }

    private static void Remove(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            // It cannot have been written, or not be removed: either way there is nothing left to do.
        }
    }

    private string? PathOf(byte[] identity) =>
        _folder is null || identity.Length == 0 ? null
            : Path.Combine(_folder, $"{Checksum64.Of(identity):x16}-{Convert.ToHexStringLower(identity.AsSpan(0, Math.Min(20, identity.Length)))}.index");

    private static string? DefaultFolder()
    {
        if (Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } cache && Path.IsPathRooted(cache)) return Path.Combine(cache, "ttvm", "symbols");
        if (OperatingSystem.IsWindows() && Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData) is { Length: > 0 } local)
            return Path.Combine(local, "ttvm", "symbols");
        string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        return home.Length > 0 ? Path.Combine(home, ".cache", "ttvm", "symbols") : null;
    }
}
