using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Text;
using Dap.Protocol;
using Dap.Requests;
using Dap.Sessions.Scopes;
using Introspection.Code;
using Introspection.Programs;
using Introspection.Unwinding;
using Introspection.Values;
using Vmm.Cpu;

namespace Dap.Sessions.Repl;

/// <summary>Memory, registers, calls, threads and breakpoints, as gdb shows them.</summary>
internal sealed class InspectCommands(Session session)
{
    public IReadOnlyList<ConsoleCommand> All =>
    [
        new("x/8gx ADDRESS", "memory: count, then b 1, h 2, w 4 or g 8 bytes, then x hexadecimal or d decimal; x/5i ADDRESS: instructions", Examine),
        new("backtrace", "the calls of the vCPU that is looked at", Backtrace) { Aliases = ["bt", "where"] },
        new("info locals | registers | threads | breakpoints | recording", "variables of the frame; registers of the vCPU that is looked at; vCPUs; breakpoints; the recording", Info),
        new("info scope [FUNCTION | ADDRESS]", "where the variables of the frame, or of a function, are as it goes on: registers, memory, optimized out", Info),
        InfoAddress,
        new("thread NUMBER", "look at another vCPU: threads are numbered from 1", Thread),
    ];

    private ConsoleCommand InfoAddress => new("info address NAME", "where one variable of the frame is as its function goes on", Info);

    private ConsoleResult Backtrace(CommandLine line)
    {
        var text = new StringBuilder();
        int number = 0;
        foreach (StackLevel level in CallStack.Of(line.View, session.Symbols))
        {
            string place = level.HasLine ? $" at {Path.GetFileName(level.Source!.Path)}:{level.Source.Line}" : "";
            text.Append(CultureInfo.InvariantCulture, $"{(text.Length > 0 ? "\n" : "")}#{number++,-3} {Hexadecimal.Padded(level.Call.Code, 64)} in {level.Title}{place}");
        }
        return text.ToString();
    }

    private ConsoleResult Info(CommandLine line) => line.Rest switch
    {
        "scope" => Scope(line.View, null),
        ['s', 'c', 'o', 'p', 'e', ' ', .. var place] => Scope(line.View, place.Trim()),
        ['a', 'd', 'd', 'r', 'e', 's', 's', ' ', .. var name] => Address(line.View, name.Trim()),
        "address" => throw InfoAddress.Misused(),
        "recording" or "rec" => ConsoleTable.Of(new RecordingScope(session).Read()),
        "locals" => Locals(line.View),
        "registers" or "reg" or "r" => Registers(line.View),
        "threads" => Threads(line.View),
        "breakpoints" or "break" or "b" => Breakpoints(),
        _ => throw line.Command.Misused(),
    };

    private string Locals(in GuestView view)
    {
        var rows = new List<(string, string)>();
        ValueRenderer renderer = session.Renderer(session.EnvironmentOf(view), view);
        foreach (FrameVariable local in new FrameVariables(view, session.SymbolsOf(view.Vcpu.Index)).Locals)
            rows.Add((local.Name, renderer.Render(local.Name, local.Value).Text));
        return rows.Count == 0 ? "no variables are known here" : ConsoleTable.Of(rows);
    }

    private string Scope(in GuestView view, string? place)
    {
        SymbolSet symbols = session.SymbolsOf(view.Vcpu.Index);
        if (place is null) return Scope(CallStack.Innermost(view, symbols), view, "no variables are known here");
        var text = new List<string>();
        IReadOnlyList<ulong> addresses = symbols.FunctionAddresses(place);
        string? function = addresses.Count > 0 ? place : null;
        foreach (ulong address in function is not null ? addresses : [EvaluationRequests.NumberOf(place, view, symbols)])
            text.Add(Scope(CallStack.At(address, symbols, function), view, $"no variables are known at {Hexadecimal.Of(address)}"));
        return string.Join("\n\n", text);
    }

    private static string Scope(StackLevel? level, in GuestView view, string nothing)
    {
        if (level is null) return nothing;
        var text = new List<string>();
        foreach (VariablePlaces places in VariablePlaces.Of(level, view)) text.Add(places.Text);
        return text.Count == 0 ? nothing : string.Join('\n', text);
    }

    private string Address(in GuestView view, string name)
    {
        SymbolSet symbols = session.SymbolsOf(view.Vcpu.Index);
        if (CallStack.Innermost(view, symbols) is { } level)
            foreach (VariablePlaces places in VariablePlaces.Of(level, view))
                if (places.Name == name) return places.Text;
        return symbols.AddressOf(name) is { } address ? $"{name}: in memory at {Hexadecimal.Of(address)}, always"
            : throw new RequestException($"'{name}' is neither a variable of this frame nor a symbol");
    }

    private static string Registers(in GuestView view)
    {
        ref VcpuState s = ref view.Vcpu.State;
        var text = new StringBuilder();
        foreach (string name in (string[])[.. RegisterFile.General, "rip"])
            text.Append(CultureInfo.InvariantCulture, $"{name,-7} {Hexadecimal.Padded(RegisterFile.Get(ref s, name)!.Value, 64)}\n");
        ulong flags = s.ReadRFlags();
        return text.Append(CultureInfo.InvariantCulture, $"{"rflags",-7} {Hexadecimal.Padded(flags, 64)} {BitNames.Set(flags, BitNames.Flags)}").ToString();
    }

    private string Threads(in GuestView view)
    {
        var text = new StringBuilder();
        for (int i = 0; i < session.Machine.Vcpus.Count; i++)
        {
            GuestView one = session.ViewOf(i);
            string place = session.SymbolsOf(i).NameOf(one.CodeAddress, out ulong offset) is { } name ? $" in {name}+0x{offset:x}" : "";
            text.Append(CultureInfo.InvariantCulture,
                $"{(i > 0 ? "\n" : "")}{(i == view.Vcpu.Index ? "*" : " ")} {i + 1}  vCPU {i}: {StateRequests.Describe(one)}, {Hexadecimal.Padded(one.CodeAddress, 64)}{place}");
        }
        return text.ToString();
    }

    private string Breakpoints()
    {
        var rows = new List<(string, string)>();
        foreach (BreakpointEntry entry in session.Breakpoints.All)
            rows.Add(($"{entry.Id}", $"{entry.Label}{(entry.Expression is { } condition ? $" if {condition}" : "")}{(entry.Log is null ? "" : " (prints)")}"));
        return rows.Count == 0 ? "no breakpoints" : ConsoleTable.Of(rows);
    }

    private ConsoleResult Thread(CommandLine line)
    {
        if (!long.TryParse(line.Required, NumberStyles.None, CultureInfo.InvariantCulture, out long thread)) throw line.Command.Misused();
        session.Focus(session.CpuOfThread(thread));
        return Threads(session.View);
    }

    private ConsoleResult Examine(CommandLine line)
    {
        string rest = line.Required;
        (int count, int size, char format) = ParseFormat(line);
        ulong address = EvaluationRequests.NumberOf(rest, line.View, session.Symbols);
        var text = new StringBuilder();
        if (format == 'i')
        {
            foreach (DisassembledLine one in new Disassembler(line.View).Read(address, 0, count))
                text.Append(CultureInfo.InvariantCulture, $"{Hexadecimal.Padded(one.Address, 64)}:  {one.Text}\n");
            return text.ToString().TrimEnd('\n');
        }
        int perLine = Math.Max(1, 16 / size);
        for (int i = 0; i < count; i++)
        {
            ulong at = address + (ulong)(i * size);
            if (i % perLine == 0) text.Append(i > 0 ? "\n" : "").Append(Hexadecimal.Padded(at, 64)).Append(':');
            if (line.View.ReadNumber(at, size) is not { } value) return text.Append(" (no memory here)").ToString();
            text.Append(' ').Append(format == 'd' ? value.ToString(CultureInfo.InvariantCulture) : Hexadecimal.Padded(value, size * 8));
        }
        return text.ToString();
    }

    private static (int Count, int SizeBytes, char Format) ParseFormat(CommandLine line)
    {
        string text = line.Modifier;
        int at = 0, count = 1, size = 8;
        char format = 'x';
        while (at < text.Length && char.IsAsciiDigit(text[at])) at++;
        if (at > 0 && (!int.TryParse(text.AsSpan(0, at), NumberStyles.None, CultureInfo.InvariantCulture, out count) || count is < 1 or > 4096))
            throw new RequestException("from 1 to 4096 values can be shown at once");
        for (; at < text.Length; at++)
        {
            switch (text[at])
            {
                case 'b': size = 1; break;
                case 'h': size = 2; break;
                case 'w': size = 4; break;
                case 'g': size = 8; break;
                case 'x' or 'd' or 'i': format = text[at]; break;
                default: throw line.Command.Misused();
            }
        }
        return (count, size, format);
    }
}
