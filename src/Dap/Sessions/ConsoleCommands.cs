using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text;
using Dap.Inspection;
using Dap.Protocol;
using Dap.Sessions.Scopes;
using Introspection.Paging;
using Vmm.Cpu;
using Vmm.Paging;

namespace Dap.Sessions;

/// <summary>A command of the debug console.</summary>
/// <param name="Name">Its first word.</param>
/// <param name="Usage">With its arguments.</param>
/// <param name="Help">What it does.</param>
internal sealed record ConsoleCommand(string Name, string Usage, string Help);

/// <summary>What a command printed, and what is to be told once that is out.</summary>
internal sealed record ConsoleResult(string Text, Action? Then = null);

/// <summary>Commands of the debug console, called as users of gdb know them where gdb has them. What is not a command is an expression.</summary>
internal sealed class ConsoleCommands(Session session)
{
    private readonly Travel _travel = new(session);

    public static IReadOnlyList<ConsoleCommand> All { get; } =
    [
        new("help", "help", "this list"),
        new("position", "position", "where the session stands"),
        new("seek", "seek POSITION", "go to an instruction count, count:event, 50%, start or end"),
        new("lastwrite", "lastwrite ADDRESS [BYTES]", "go back to just before the last write; phys:0x1000 is a guest-physical address"),
        new("nextwrite", "nextwrite ADDRESS [BYTES]", "go forward to just before the next write"),
        new("walk", "walk ADDRESS", "each step of the translation of a linear address"),
        new("x", "x/8gx ADDRESS", "memory: count, then b 1, h 2, w 4 or g 8 bytes, then x hexadecimal or d decimal; x/5i ADDRESS: instructions"),
        new("info", "info registers | recording", "registers of the vCPU that is looked at; the recording"),
        new("exits", "exits", "how often the guest needed the VMM, by reason"),
        new("console", "console", "what the guest has printed up to now"),
        new("return", "return", "leave a diversion: back to the recording"),
    ];

    /// <summary>Null: it is not a command.</summary>
    /// <exception cref="RequestException">It is one, but cannot be done.</exception>
    public ConsoleResult? Run(string line, in GuestView view)
    {
        string text = line.Trim();
        int blank = text.IndexOf(' ', StringComparison.Ordinal);
        string name = blank < 0 ? text : text[..blank], rest = blank < 0 ? "" : text[(blank + 1)..].Trim();
        if (name == "x" || name.StartsWith("x/", StringComparison.Ordinal)) return new ConsoleResult(Examine(name, rest, view));
        return name switch
        {
            "help" => new ConsoleResult(Help()),
            "position" => new ConsoleResult(WhereText()),
            "seek" => Seek(rest),
            "lastwrite" => Write(rest, isForward: false),
            "nextwrite" => Write(rest, isForward: true),
            "walk" => new ConsoleResult(Walk(rest, view)),
            "info" => new ConsoleResult(Info(rest, view)),
            "exits" => new ConsoleResult(Table(new ExitScope(session).Read())),
            "console" => new ConsoleResult(Encoding.Latin1.GetString(session.Recording.Console.ReadBytes(session.Timeline.Position))),
            "return" => Return(),
            _ => null,
        };
    }

    private static string Help()
    {
        var text = new StringBuilder();
        foreach (ConsoleCommand command in All) text.Append(CultureInfo.InvariantCulture, $"{command.Usage,-30} {command.Help}\n");
        text.Append("Anything else is an expression: rax, rsp+8, [rsp], dword[rbp-4], phys[cr3], (rax & 0xfff) * 8, rax == 3");
        return text.ToString();
    }

    private string WhereText()
    {
        TtvmPosition where = session.Where();
        return string.Create(CultureInfo.InvariantCulture,
            $"{where.Position} of {where.End} ({where.Percent}%), vCPU {where.ThreadId - 1}{(where.InDiversion ? ", in a diversion" : "")}");
    }

    private ConsoleResult Seek(string rest)
    {
        if (rest.Length == 0) throw Usage("seek");
        StopReport report = _travel.Seek(rest);
        return new ConsoleResult(WhereText(), () => session.Moved(report));
    }

    private ConsoleResult Write(string rest, bool isForward)
    {
        if (rest.Length == 0) throw Usage(isForward ? "nextwrite" : "lastwrite");
        // The length is a last word that is a number; the address may have blanks.
        int blank = rest.LastIndexOf(' ');
        long? bytes = null;
        if (blank > 0 && long.TryParse(rest.AsSpan(blank + 1), NumberStyles.None, CultureInfo.InvariantCulture, out long size) && !EndsWithOperator(rest[..blank]))
        {
            bytes = size;
            rest = rest[..blank].TrimEnd();
        }
        (bool found, string description, StopReport report) = _travel.Write(rest, bytes, isForward);
        return found ? new ConsoleResult(description, () => session.Moved(report)) : new ConsoleResult(description);
    }

    private static bool EndsWithOperator(string text) => "+-*/%&|^<>=!~(".Contains(text.TrimEnd()[^1], StringComparison.Ordinal);

    private ConsoleResult Return()
    {
        StopReport report = _travel.Return();
        return new ConsoleResult(WhereText(), () => session.Moved(report));
    }

    private string Walk(string rest, in GuestView view)
    {
        if (rest.Length == 0) throw Usage("walk");
        ulong linear = EvaluationRequests.NumberOf(rest, view, session.Symbols);
        PageWalk walk = view.Walk(linear);
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"0x{linear:x16}, {view.Paging.Mode}, root 0x{view.Paging.Root:x}\n");
        for (int i = 0; i < walk.StepCount; i++)
        {
            WalkStep step = walk.Steps[i];
            bool isLeaf = walk.IsMapped && i == walk.StepCount - 1;
            text.Append(CultureInfo.InvariantCulture,
                $"{PageTableReader.NameOf(step.Level),-5} entry at {step.EntryAddress}: {step.Entry:x16}  {BitNames.PageTableEntry(step.Entry, step.Level, isLeaf)}\n");
        }
        if (walk.ReservedBitSet) text.Append("a reserved bit is set: an access faults");
        else if (!walk.IsMapped) text.Append("not mapped: an access faults");
        else text.Append(CultureInfo.InvariantCulture, $"physical 0x{walk.Physical:x}, page of 0x{walk.PageSizeBytes:x} bytes, {Access(walk)}");
        return text.ToString();
    }

    private static string Access(in PageWalk walk) => $"{(walk.User ? "user" : "supervisor")} r{(walk.Writable ? "w" : "-")}{(walk.NoExecute ? "-" : "x")}";

    private string Info(string rest, in GuestView view)
    {
        if (rest is "recording" or "rec") return Table(new RecordingScope(session).Read());
        if (rest is not ("registers" or "reg" or "r")) throw Usage("info");
        ref VcpuState s = ref view.Vcpu.State;
        var text = new StringBuilder();
        foreach (string name in (string[])[.. RegisterFile.General, "rip"])
            text.Append(CultureInfo.InvariantCulture, $"{name,-7} {Hexadecimal.Padded(RegisterFile.Get(ref s, name)!.Value, 64)}\n");
        ulong flags = s.ReadRFlags();
        return text.Append(CultureInfo.InvariantCulture, $"{"rflags",-7} {Hexadecimal.Padded(flags, 64)} {BitNames.Set(flags, BitNames.Flags)}").ToString();
    }

    private string Examine(string name, string rest, in GuestView view)
    {
        if (rest.Length == 0) throw Usage("x");
        (int count, int size, char format) = ParseFormat(name);
        ulong address = EvaluationRequests.NumberOf(rest, view, session.Symbols);
        var text = new StringBuilder();
        if (format == 'i')
        {
            foreach (DisassembledLine line in new Disassembler(view).Read(address, 0, count))
                text.Append(CultureInfo.InvariantCulture, $"{Hexadecimal.Padded(line.Address, 64)}:  {line.Text}\n");
            return text.ToString().TrimEnd('\n');
        }
        int perLine = Math.Max(1, 16 / size);
        for (int i = 0; i < count; i++)
        {
            ulong at = address + (ulong)(i * size);
            if (i % perLine == 0) text.Append(i > 0 ? "\n" : "").Append(Hexadecimal.Padded(at, 64)).Append(':');
            if (view.ReadNumber(at, size) is not { } value) return text.Append(" (no memory here)").ToString();
            text.Append(' ').Append(format == 'd' ? value.ToString(CultureInfo.InvariantCulture) : Hexadecimal.Padded(value, size * 8));
        }
        return text.ToString();
    }

    private static (int Count, int SizeBytes, char Format) ParseFormat(string name)
    {
        int at = 2, count = 1, size = 8;
        char format = 'x';
        int digits = at;
        while (at < name.Length && char.IsAsciiDigit(name[at])) at++;
        if (at > digits && (!int.TryParse(name.AsSpan(digits, at - digits), NumberStyles.None, CultureInfo.InvariantCulture, out count) || count is < 1 or > 4096))
            throw new RequestException("from 1 to 4096 values can be shown at once");
        for (; at < name.Length; at++)
        {
            switch (name[at])
            {
                case 'b': size = 1; break;
                case 'h': size = 2; break;
                case 'w': size = 4; break;
                case 'g': size = 8; break;
                case 'x' or 'd' or 'i': format = name[at]; break;
                default: throw Usage("x");
            }
        }
        return (count, size, format);
    }

    private static string Table(IReadOnlyList<Variable> rows)
    {
        int width = rows.Count == 0 ? 0 : rows.Max(row => row.Name.Length);
        return string.Join('\n', rows.Select(row => $"{row.Name.PadRight(width)}  {row.Value}"));
    }

    private static RequestException Usage(string name)
    {
        ConsoleCommand command = All.First(c => c.Name == name);
        return new RequestException($"usage: {command.Usage} ({command.Help})");
    }
}
