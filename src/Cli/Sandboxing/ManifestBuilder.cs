using System;
using System.Collections.Generic;
using System.CommandLine;
using System.CommandLine.Parsing;
using System.IO;
using System.Linq;
using Cli.Parsing;
using Introspection.Layouts;
using Introspection.Values;
using Symbols.Dwarf.Indexing;
using Vmm.Host.Sandbox;

namespace Cli.Sandboxing;

/// <summary>
/// Makes the manifest of a command line: what its options and arguments name, by what they are called, and what the verb says of itself. An option that is not known here grants nothing.
/// </summary>
internal sealed class ManifestBuilder
{
    // What each option and argument is to a verb, whichever it is.
    private static readonly string[] s_recordings = ["FILE", "A", "B", "DIRECTORY"],
        s_read = ["PART", "--recording", "--key", "--expect", "--texts", "--kernel", "--initrd", "--layout", SharedOptions.PassphraseFileName],
        s_symbols = ["--symbols", "--symbols-b", "--only-read"], s_sources = ["--sources"], s_only = ["--only"], s_written = ["--output", "--junit", "--log-file"];

    private readonly SortedSet<string> _readOnly = new(StringComparer.Ordinal), _writable = new(StringComparer.Ordinal);

    public static SandboxManifest Of(VerbCommand verb, ParseResult parsed)
    {
        var builder = new ManifestBuilder();
        foreach (Argument argument in verb.Arguments) builder.Add(argument.Name, ValuesOf(parsed.GetResult(argument)));
        foreach (Option option in verb.Options.Concat(parsed.RootCommandResult.Command.Options)) builder.Add(option.Name, ValuesOf(parsed.GetResult(option)));
        foreach (string path in verb.AlsoRead(parsed)) builder._readOnly.Add(Path.GetFullPath(path));
        foreach (string path in verb.AlsoWritten(parsed)) builder.AddOutput(path);
        if (verb.ReadsSources) builder.AddVisible(".");
        builder.AddWorkspace();
        builder.AddIndexCache();
        (SocketAccess sockets, int? port) = verb.Sockets(parsed);
        return new SandboxManifest
        {
            ReadOnly = builder._readOnly, Writable = builder._writable, Programs = SystemFiles.Programs(), System = SystemFiles.Read(), Sockets = sockets, Port = port,
        };
    }

    private static IEnumerable<string> ValuesOf(SymbolResult? result) => result?.Tokens.Select(static token => token.Value) ?? [];

    private void Add(string name, IEnumerable<string> values)
    {
        foreach (string value in values)
        {
            // An empty name is no file; the verb says so.
            if (value.Length == 0) continue;
            if (s_recordings.Contains(name)) AddRecording(value);
            else if (s_read.Contains(name)) _readOnly.Add(Path.GetFullPath(value));
            else if (s_symbols.Contains(name)) AddSymbols(value);
            else if (s_sources.Contains(name)) AddVisible(value);
            else if (s_written.Contains(name)) AddOutput(value);
            else if (s_only.Contains(name)) AddOnly(value);
            else if (name == "--source-map" && value.IndexOf('=', StringComparison.Ordinal) is >= 0 and int equals && equals < value.Length - 1) AddVisible(value[(equals + 1)..]);
        }
    }

    // A recording, a directory of some, or a pattern that names them.
    private void AddRecording(string value)
    {
        int wildcard = value.AsSpan().IndexOfAny('*', '?');
        if (wildcard >= 0 && !Path.Exists(value)) value = value[..wildcard] is { } start && start.LastIndexOf('/') is >= 0 and int slash ? value[..(slash + 1)] : ".";
        string path = Path.GetFullPath(value);
        _readOnly.Add(path);
        _readOnly.Add(Dap.Sessions.BookmarkFile.PathOf(path));
        if (Path.GetDirectoryName(path) is not { } folder) return;
        AddFiles(folder, "*" + LayoutFile.Suffix);
        _readOnly.Add(Path.Combine(folder, PrinterSet.FileName));
    }

    // With the files that hold their debug information apart.
    private void AddSymbols(string value)
    {
        string path = Path.GetFullPath(value);
        _readOnly.Add(path);
        if (Directory.Exists(path) || Path.GetDirectoryName(path) is not { } folder) return;
        _readOnly.Add(Path.Combine(folder, ".debug"));
        foreach (string pattern in (ReadOnlySpan<string>)["*.debug", "*.dwp", "*.dwo"]) AddFiles(folder, pattern);
    }

    private void AddOnly(string value)
    {
        string path = Path.GetFullPath(value), bookmarks = Dap.Sessions.BookmarkFile.PathOf(path);
        if (Directory.Exists(path)) _writable.Add(path);
        else AddRecording(path);
        // Bookmarks are written beside it, if they have a file already: to make one takes the whole directory.
        if (File.Exists(bookmarks)) _writable.Add(bookmarks);
    }

    // What the user has hidden there is not for sharing.
    private void AddVisible(string folder)
    {
        foreach (string path in Listed(folder, Directory.EnumerateFileSystemEntries))
            if (!Path.GetFileName(path).StartsWith('.')) _readOnly.Add(Path.GetFullPath(path));
    }

    // It is made under another name and then renamed, or has others beside it: its directory is what can be granted.
    private void AddOutput(string value)
    {
        if (Path.GetDirectoryName(Path.GetFullPath(value)) is { } folder) _writable.Add(folder);
    }

    // Layouts and printers, where they are looked for.
    private void AddWorkspace()
    {
        string here = Directory.GetCurrentDirectory();
        AddFiles(here, "*" + LayoutFile.Suffix);
        _readOnly.Add(Path.Combine(here, PrinterSet.FileName));
        _readOnly.Add(Path.Combine(here, ".vscode"));
    }

    private void AddIndexCache()
    {
        if (DebugIndexCache.StandardFolder() is not { } folder) return;
        try
        {
            Directory.CreateDirectory(folder);
            _writable.Add(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Indices are made anew each time.
        }
    }

    private void AddFiles(string folder, string pattern) => _readOnly.UnionWith(Listed(folder, path => Directory.EnumerateFiles(path, pattern)));

    // What we cannot list, we need not grant.
    private static IReadOnlyList<string> Listed(string folder, Func<string, IEnumerable<string>> list)
    {
        try
        {
            return Directory.Exists(folder) ? [.. list(folder)] : [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
