using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Text;
using Vmm.Platform;

namespace Cli.Expectations;

/// <summary>Reads expect files: one expectation a line, empty lines and what begins with # left out. docs/CI.md has the grammar.</summary>
internal static class ExpectFile
{
    private const long MaximumSizeBytes = 1 << 20;
    private const int MaximumCount = 10_000;

    /// <summary>For help texts.</summary>
    public const string Help = """
        An expect file has one expectation a line; lines that are empty or begin with # are skipped:
          prints TEXT                   a console has printed TEXT
          never prints TEXT             no console has
          exits with CODE               the guest wrote CODE to its debug-exit port (0xf4), or powered off with 0
          exits as recorded             it ended as the recording did, and with the same code
          ends by OUTCOME               PowerOff, Reset, DebugExit, Halted, TripleFault
          calls FUNCTION                the function is called
          never calls FUNCTION          it is there, and is not called
          no panic                      no triple fault, no "panic:" or "Kernel panic" on a console, no call of panic
          no lock-order inversion       no two locks are taken in both orders (see `ttvm locks --check`)
          instructions within X%        it took so many instructions as the recording, give or take X percent
          instructions at most N
        TEXT may stand in double quotes, with \n, \t, \" and \\ in it.
        """;

    /// <summary>What is expected when nobody says anything.</summary>
    public static IReadOnlyList<Expectation> Standard { get; } =
        [new(ExpectationKind.ExitsAsRecorded, "exits as recorded"), new(ExpectationKind.NoPanic, "no panic")];

    /// <exception cref="CommandException">There is no such file, or a line is wrong; the message names it.</exception>
    public static IReadOnlyList<Expectation> Read(string path)
    {
        if (!File.Exists(path)) throw CommandException.BadFile($"{path} does not exist: there is no such expect file");
        if (new FileInfo(path).Length > MaximumSizeBytes) throw CommandException.BadFile($"{path} is too long for an expect file: it may have {MaximumSizeBytes >> 20} MiB");
        return Parse(File.ReadAllText(path), path);
    }

    /// <exception cref="CommandException">A line is wrong; the message names it.</exception>
    public static IReadOnlyList<Expectation> Parse(string text, string name)
    {
        var all = new List<Expectation>();
        string[] lines = text.Split('\n');
        for (int i = 0; i < lines.Length; i++)
        {
            string line = lines[i].Trim();
            if (line.Length == 0 || line[0] == '#') continue;
            if (all.Count == MaximumCount) throw CommandException.BadFile($"{name} has more than {MaximumCount} expectations");
            all.Add(ParseLine(line, $"{name}, line {i + 1}"));
        }
        return all.Count > 0 ? all : throw CommandException.BadFile($"{name} expects nothing: write a line such as: prints OK");
    }

    private static Expectation ParseLine(string line, string where)
    {
        CommandException Wrong(string what) => CommandException.BadFile($"{where}: {what}");
        bool Begins(string words, out string rest)
        {
            bool isSo = line == words || line.StartsWith(words + ' ', StringComparison.Ordinal);
            rest = isSo ? line[words.Length..].Trim() : "";
            return isSo;
        }
        string Name(string rest) => rest.Length > 0 ? rest : throw Wrong($"'{line}' names no function");

        if (Begins("prints", out string rest)) return new Expectation(ExpectationKind.Prints, line, TextOf(rest, line, Wrong));
        if (Begins("never prints", out rest)) return new Expectation(ExpectationKind.NeverPrints, line, TextOf(rest, line, Wrong));
        if (line == "exits as recorded") return new Expectation(ExpectationKind.ExitsAsRecorded, line);
        if (Begins("exits with", out rest)) return new Expectation(ExpectationKind.Exits, line, Number: NumberOf(rest, line, Wrong));
        if (Begins("ends by", out rest))
        {
            int outcome = Array.FindIndex(Enum.GetNames<OutcomeKind>(), one => one != nameof(OutcomeKind.None) && one.Equals(rest, StringComparison.OrdinalIgnoreCase));
            return outcome >= 0 ? new Expectation(ExpectationKind.Ends, line, Enum.GetNames<OutcomeKind>()[outcome])
                : throw Wrong($"there is no end '{rest}': use PowerOff, Reset, DebugExit, Halted or TripleFault");
        }
        if (Begins("calls", out rest)) return new Expectation(ExpectationKind.Calls, line, Name(rest));
        if (Begins("never calls", out rest)) return new Expectation(ExpectationKind.NeverCalls, line, Name(rest));
        if (line == "no panic") return new Expectation(ExpectationKind.NoPanic, line);
        if (line == "no lock-order inversion") return new Expectation(ExpectationKind.NoLockInversion, line);
        if (Begins("instructions within", out rest) && rest.EndsWith('%')) return new Expectation(ExpectationKind.InstructionsWithin, line, Number: NumberOf(rest[..^1], line, Wrong));
        if (Begins("instructions at most", out rest)) return new Expectation(ExpectationKind.InstructionsAtMost, line, Number: NumberOf(rest, line, Wrong));
        throw Wrong($"'{line}' is no expectation: `ttvm rerun --help` lists them");
    }

    private static ulong NumberOf(string text, string line, Func<string, CommandException> wrong)
    {
        string digits = text.Trim().Replace(",", "", StringComparison.Ordinal).Replace("_", "", StringComparison.Ordinal);
        bool isHexadecimal = digits.StartsWith("0x", StringComparison.OrdinalIgnoreCase);
        return isHexadecimal ? ulong.TryParse(digits.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong value) ? value : throw Bad()
            : ulong.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out value) ? value : throw Bad();
        CommandException Bad() => wrong($"'{text.Trim()}' is not a number, in '{line}'");
    }

    private static string TextOf(string rest, string line, Func<string, CommandException> wrong)
    {
        if (rest.Length == 0) throw wrong($"'{line}' has no text");
        if (rest[0] != '"') return rest;
        if (rest.Length < 2 || rest[^1] != '"') throw wrong($"the quotation mark is not closed, in '{line}'");
        var text = new StringBuilder();
        for (int i = 1; i < rest.Length - 1; i++)
        {
            char c = rest[i];
            if (c == '"') throw wrong($"a quotation mark within a text is written \\\", in '{line}'");
            if (c != '\\')
            {
                text.Append(c);
                continue;
            }
            // The closing quotation mark does not count as escaped.
            char escaped = ++i < rest.Length - 1 ? rest[i] : '\0';
            text.Append(escaped switch { 'n' => '\n', 't' => '\t', '"' => '"', '\\' => '\\', _ => throw wrong($"only \\n, \\t, \\\" and \\\\ are known, in '{line}'") });
        }
        return text.Length > 0 ? text.ToString() : throw wrong($"'{line}' has no text");
    }
}
