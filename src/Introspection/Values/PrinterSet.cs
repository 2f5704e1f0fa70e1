using System;
using System.Collections.Generic;
using System.IO;
using System.IO.Enumeration;
using System.Text;
using System.Text.Json;
using Symbols.Types;

namespace Introspection.Values;

/// <summary>A printer file that says nothing sensible; the message is one sentence for people, with the file and the place.</summary>
public sealed class PrinterException(string message) : Exception(message);

/// <summary>All printers of a session, the user's before the built-in ones.</summary>
public sealed class PrinterSet
{
    /// <summary>What printer files are called beside a recording and in a workspace.</summary>
    public const string FileName = "ttvm.printers.json";

    private const int MaximumCachedTypes = 1 << 14, MaximumPrinters = 4096;

    private readonly List<TypePrinter> _printers;
    private readonly Dictionary<(string Type, string? Owner, string Name), TypePrinter?> _found = [];

    private PrinterSet(List<TypePrinter> printers) => _printers = printers;

    /// <summary>Linux's lists, trees, counters and masks.</summary>
    public static PrinterSet BuiltIn => new(Parse(Encoding.UTF8.GetBytes(BuiltInPrinters.Json), "the built-in printers"));

    /// <summary>The files' printers, the first file's first, and the built-in ones behind them.</summary>
    /// <exception cref="PrinterException">A file cannot be read, or makes no sense.</exception>
    public static PrinterSet Read(IReadOnlyList<string> paths)
    {
        var all = new List<TypePrinter>();
        foreach (string path in paths)
        {
            try
            {
                all.AddRange(Parse(File.ReadAllBytes(path), path));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new PrinterException($"the printers in {path} cannot be read: {e.Message}");
            }
        }
        all.AddRange(BuiltIn._printers);
        return new PrinterSet(all);
    }

    /// <summary>Printer files where they are expected: beside the recording, in the folders, and in their .vscode.</summary>
    public static List<string> Find(string recordingPath, IReadOnlyList<string> folders)
    {
        var found = new List<string>();
        List<string> candidates = [Path.Combine(Path.GetDirectoryName(Path.GetFullPath(recordingPath)) ?? ".", FileName)];
        foreach (string folder in folders)
        {
            candidates.Add(Path.Combine(folder, FileName));
            candidates.Add(Path.Combine(folder, ".vscode", FileName));
        }
        foreach (string candidate in candidates)
        {
            string full = Path.GetFullPath(candidate);
            if (File.Exists(full) && !found.Contains(full)) found.Add(full);
        }
        return found;
    }

    /// <exception cref="PrinterException">It is no printer file.</exception>
    public static List<TypePrinter> Parse(ReadOnlySpan<byte> json, string name)
    {
        PrinterFileContents? file;
        try
        {
            file = JsonSerializer.Deserialize(json, PrinterJson.Default.PrinterFileContents);
        }
        catch (JsonException e)
        {
            throw new PrinterException($"{name}, line {e.LineNumber + 1}: {FirstSentence(e.Message)}{(e.Path is { Length: > 1 } path ? $" (at {path})" : "")}");
        }
        if (file?.Printers is not { } printers) throw new PrinterException($"{name} declares nothing");
        if (printers.Count > MaximumPrinters) throw new PrinterException($"{name} has more than {MaximumPrinters} printers");
        for (int i = 0; i < printers.Count; i++)
            if (Problem(printers[i]) is { } problem) throw new PrinterException($"{name}, printer {i + 1}{(printers[i]?.Type is { } type ? $" ('{type}')" : "")}: {problem}");
        return [.. printers];
    }

    private static string FirstSentence(string message)
    {
        int end = message.IndexOf(" Path: ", StringComparison.Ordinal);
        return (end < 0 ? message : message[..end]).TrimEnd('.');
    }

    private static string? Problem(TypePrinter? printer)
    {
        if (printer is null) return "it is empty";
        if (printer.Type is null && printer.Member is null && printer.Variable is null) return "it lacks 'type', 'member' or 'variable'";
        int ways = 0;
        foreach (object? way in (object?[])[printer.Children, printer.List, printer.Tree, printer.Array]) ways += way is null ? 0 : 1;
        if (ways > 1) return "it has more than one of 'children', 'list', 'tree' and 'array'";
        if (ways == 0 && printer.Text is null && printer.Enum is null && printer.Flags is null
            && printer.Bits is null) return "it says nothing: no 'text', 'children', 'list', 'tree', 'array', 'enum', 'flags' or 'bits'";
        if (printer.Member is { } member && !member.Contains('.', StringComparison.Ordinal)) return $"'member' is '{member}', not TYPE.NAME";
        foreach (PrintedNames? names in (PrintedNames?[])[printer.Enum, printer.Flags])
            if (names is not null && names.Names is null == names.Type is null) return "'enum' and 'flags' have either 'names' or the 'type' that has them";
        return printer.Text is { } text && TextTemplate.Problem(text) is { } wrong ? wrong : null;
    }

    /// <summary>The printer for a type, or of a member of another type; null: there is none.</summary>
    internal TypePrinter? Find(DebugType type, RecordType? owner = null, string name = "")
    {
        string text = TypeText.Of(type);
        (string, string?, string) key = (text, owner is null ? null : TypeText.Of(owner), name);
        if (_found.TryGetValue(key, out TypePrinter? known)) return known;
        if (_found.Count >= MaximumCachedTypes) _found.Clear();
        return _found[key] = Search(type, key.Item2, name);
    }

    private TypePrinter? Search(DebugType type, string? owner, string name)
    {
        // What a printer says of a member or variable counts before what one says of its type.
        foreach (TypePrinter printer in _printers)
        {
            if (printer.Member is null && printer.Variable is null) continue;
            bool isMember = printer.Member is { } member && owner is not null && FileSystemName.MatchesSimpleExpression(member, $"{owner}.{name}", ignoreCase: false);
            bool isVariable = printer.Variable is { } variable && owner is null && variable == name;
            if ((isMember || isVariable) && (printer.Type is null || Matches(printer.Type, type))) return printer;
        }
        foreach (TypePrinter printer in _printers)
            if (printer.Member is null && printer.Variable is null && Matches(printer.Type!, type)) return printer;
        return null;
    }

    // By each name on the way through its typedefs.
    private static bool Matches(string pattern, DebugType type)
    {
        for (int i = 0; i < 32; i++)
        {
            if (type is QualifiedType qualified)
            {
                type = qualified.Target;
                continue;
            }
            if (FileSystemName.MatchesSimpleExpression(pattern, TypeText.Of(type), ignoreCase: false)) return true;
            if (type is not AliasType alias) return false;
            type = alias.Target;
        }
        return false;
    }
}
