using System;
using System.Buffers;
using System.Collections.Generic;
using System.CommandLine;
using System.IO;
using System.Linq;
using System.Text;
using Cli.Hosting;
using Cli.Parsing;
using Cli.Presentation;
using Introspection.Linux;
using Introspection.Programs;
using Introspection.Redaction;
using Introspection.State;
using Replay.Packages;
using Replay.Redaction;
using Vmm.Platform;
using Vmm.Time;

namespace Cli.Verbs;

/// <summary><c>ttvm redact FILE -o OUT --text TEXT ...</c></summary>
internal static class RedactVerb
{
    private static readonly SearchValues<char> s_digits = SearchValues.Create("0123456789abcdefABCDEF");
    private const int ShortestText = 4, LongestText = 4096, LongestRange = 1 << 30;

    private const string Description =
        "Writes a recording without what you name: memory at every checkpoint, and texts wherever they are: in memory, in vCPUs and chips, in what was typed and printed, in images and "
        + "embedded files, in notes. An X stands in each place. Copies of the memory that is named are taken out, too. Everything is written anew, so that nothing is left behind. What can "
        + "still be replayed is found out by replaying: what depends on what is gone becomes a hole, from its first use up to the next checkpoint, and `ttvm info` lists holes.";

    private const string Examples = """
        A range is ADDRESS+SIZE or FIRST-END (END is not part of it), in hexadecimal. Linear addresses are looked up in the page tables of each checkpoint anew; where nothing is mapped, as
        before a kernel has set up paging, nothing is taken out but copies. Memory that is zero stays as it is. Copies are looked for if they have 8 bytes or more.

        A process is named by its name or number in a Linux guest (`ttvm tasks`): all pages that it has mapped and no other process has. It cannot be replayed while it runs. What it gave
        to the kernel, such as files and output, is taken out only if you name it as a text.

        What is made of it stays: sums, hashes, encrypted and compressed copies, other spellings. A compressed kernel or initrd is not looked into. What the guest computes from what is
        left can be computed again by whoever has the file. Look at the result before you share it.

        Exit code: 0; 1 if nothing of what is named is in the recording (nothing is written then).

        Examples:
          ttvm redact boot.ttvm -o shared.ttvm --text 'correct horse'
          ttvm redact boot.ttvm -o shared.ttvm --symbol master_key --symbols vmlinux --range 0xffff888001234000+0x40
          ttvm redact boot.ttvm -o shared.ttvm --process sshd --input hunter2
          ttvm redact boot.ttvm -o shared.ttvm --all-input --from 40% --to 60%
        """;

    private sealed class Options
    {
        public Argument<string> File { get; } = SharedOptions.File();
        public Option<string> Output { get; } = new("--output", "-o") { Description = "The recording to write", HelpName = "FILE", Required = true };
        public Option<string[]> Range { get; } = Many("--range", "RANGE", "Memory by its linear address (several times, as all of these)");
        public Option<string[]> Physical { get; } = Many("--physical", "RANGE", "Memory by its guest-physical address");
        public Option<string[]> Symbol { get; } = Many("--symbol", "NAME[+SIZE]", "A variable; with a size if its symbol has none");
        public Option<string[]> Process { get; } = Many("--process", "NAME|PID", "What a process of a Linux guest has mapped for itself");
        public Option<string[]> Text { get; } = Many("--text", "TEXT", "A text wherever it is, from 4 bytes on");
        public Option<string?> Texts { get; } = new("--texts") { Description = "The same for each line of a file: a command line can be seen by others", HelpName = "FILE" };
        public Option<string[]> Bytes { get; } = Many("--bytes", "HEX", "The same in hexadecimal: 00ff12ab");
        public Option<string[]> Input { get; } = Many("--input", "TEXT", "A text that was typed, and its copies");
        public Option<bool> AllInput { get; } = new("--all-input") { Description = "All that was typed, but for ends of lines, and copies of its lines" };
        public Option<string?> From { get; } = new("--from") { Description = "With --all-input: from there on", HelpName = "POSITION" };
        public Option<string?> To { get; } = new("--to") { Description = "With --all-input: up to there", HelpName = "POSITION" };
        public Option<bool> NoCopies { get; } = new("--no-copies") { Description = "Leave copies of memory and of typed lines where they are" };
        public Option<string[]> Symbols { get; } = SharedOptions.Symbols();
        public Option<bool> Force { get; } = SharedOptions.Force();
        public Option<bool> Json { get; } = SharedOptions.Json();

        public Option<string[]>[] Named => [Range, Physical, Symbol, Process, Text, Bytes, Input];

        private static Option<string[]> Many(string name, string helpName, string description) => new(name) { Description = description, HelpName = helpName };
    }

    public static VerbCommand Create(CommandContext context)
    {
        var o = new Options();
        var verb = new VerbCommand("redact", Description, Examples) { o.File, o.Output };
        foreach (Option option in (Option[])[.. o.Named, o.Texts, o.AllInput, o.From, o.To, o.NoCopies, o.Symbols, o.Force, o.Json]) verb.Add(option);
        return verb.Does(parsed => Redact(context, o, parsed));
    }

    private static int Redact(CommandContext context, Options o, ParseResult parsed)
    {
        string source = parsed.GetValue(o.File)!, target = parsed.GetValue(o.Output)!;
        bool overwrite = parsed.GetValue(o.Force);
        if (o.Named.All(option => parsed.GetValue(option) is not { Length: > 0 }) && parsed.GetValue(o.Texts) is null && !parsed.GetValue(o.AllInput))
            throw CommandException.Usage("there is nothing to take out: name it, such as by --text TEXT, --range RANGE or --process NAME");
        if (!parsed.GetValue(o.AllInput) && (parsed.GetValue(o.From) ?? parsed.GetValue(o.To)) is not null) throw CommandException.Usage("--from and --to belong to --all-input");
        List<byte[]> texts = [.. Values(o.Text).Select(static text => BytesOf(text, "--text")), .. Values(o.Bytes).Select(static text => BytesOfHexadecimal(text))];
        if (parsed.GetValue(o.Texts) is { } list) texts.AddRange(TextsOf(list));
        List<byte[]> typed = [.. Values(o.Input).Select(static text => BytesOf(text, "--input"))];
        List<(ulong Start, int Size)> ranges = [.. Values(o.Range).Select(static text => RangeOf(text, "--range"))];
        List<(ulong Start, int Size)> physical = [.. Values(o.Physical).Select(static text => RangeOf(text, "--physical"))];
        if (IsSameFile(source, target)) throw CommandException.Usage($"{target} is the recording itself, which stays as it is: write the other one elsewhere with -o");
        CommandException.RequireFree(target, overwrite);
        OpenRecording.CheckOutput(source, target, context);

        using OpenRecording recording = OpenRecording.Open(source, context);
        (Position, Position)? span = parsed.GetValue(o.AllInput) ? SpanOf(recording, parsed.GetValue(o.From), parsed.GetValue(o.To)) : null;
        using GuestPrograms programs = recording.LoadSymbols(parsed.GetValue(o.Symbols), null);
        List<(string Name, ulong Start, int Size)> symbols = Values(o.Symbol).Length > 0 ? [.. SymbolRanges(recording, programs, Values(o.Symbol))] : [];
        ranges.AddRange(symbols.Select(static symbol => (symbol.Start, symbol.Size)));
        ProcessMemory? processes = Values(o.Process).Length > 0 ? ProcessesOf(context, recording, programs, Values(o.Process)) : null;
        IReadOnlyList<Position> barriers = processes is null ? [] : ProgressDisplay.Run("looking for the processes", progress =>
            processes.Barriers(recording.Timeline, progress, context.Cancellation));
        if (processes is not null && barriers.Count == 0) throw CommandException.Failed($"no process {string.Join(" or ", Values(o.Process))} runs in {source}");
        var plan = new RedactionPlan
        {
            Texts = texts, TypedTexts = typed, Typed = span, KeepsCopies = parsed.GetValue(o.NoCopies), Barriers = barriers, BarrierReason = "a process that was redacted runs there",
            Select = ranges.Count + physical.Count == 0 && processes is null ? null : machine => Select(machine, ranges, physical, processes),
            Descriptions = [.. symbols.Select(static symbol => $"the symbol {symbol.Name}, {Words.Plural(symbol.Size, "byte")}"), .. Describe(o, parsed, texts.Count)],
        };
        RedactionReport report = Write(context, recording, target, plan, overwrite);
        if (parsed.GetValue(o.Json)) WriteJson(context.Out, target, report);
        else WriteText(context.Out, target, plan, report);
        foreach (string note in report.Notes) context.Error.WriteLine($"ttvm: {note}");
        return ExitCode.Good;

        string[] Values(Option<string[]> option) => parsed.GetValue(option) ?? [];
    }

    private static RedactionReport Write(CommandContext context, OpenRecording recording, string target, RedactionPlan plan, bool overwrite)
    {
        try
        {
            return ProgressDisplay.Run("redacting", progress => RecordingRedactor.Redact(recording.File, target, plan, overwrite, progress, context.Cancellation));
        }
        catch (RedactionException e)
        {
            throw CommandException.Failed(e.Message);
        }
    }

    private static IEnumerable<SelectedMemory> Select(Machine machine, List<(ulong Start, int Size)> ranges, List<(ulong Start, int Size)> physical, ProcessMemory? processes)
    {
        foreach ((ulong start, int size) in ranges)
            foreach (SelectedMemory one in VirtualMemory.Select(machine, start, size)) yield return one;
        foreach ((ulong start, int size) in physical) yield return new SelectedMemory([(start, size)]);
        foreach (SelectedMemory one in processes?.Select(machine) ?? []) yield return one;
    }

    // What it was is not repeated.
    private static IEnumerable<string> Describe(Options o, ParseResult parsed, int textCount)
    {
        foreach (string range in parsed.GetValue(o.Range) ?? []) yield return $"memory {range}";
        foreach (string range in parsed.GetValue(o.Physical) ?? []) yield return $"physical memory {range}";
        foreach (string name in parsed.GetValue(o.Process) ?? []) yield return $"the process {name}";
        if (textCount > 0) yield return Words.Plural(textCount, "text");
        if ((parsed.GetValue(o.Input) ?? []).Length is > 0 and int typed) yield return $"{Words.Plural(typed, "text")} that {(typed == 1 ? "was" : "were")} typed";
        if (parsed.GetValue(o.AllInput)) yield return "all that was typed" + ((parsed.GetValue(o.From) ?? parsed.GetValue(o.To)) is null ? "" : " in a stretch");
    }

    private static (Position, Position) SpanOf(OpenRecording recording, string? from, string? to)
    {
        Position first = recording.Parse(from ?? "start"), last = recording.Parse(to ?? "end");
        if (first > last) throw CommandException.Usage($"--from {first} lies behind --to {last}");
        // What is taken right at the end is typed, too.
        return (first, last == recording.File.End ? new Position(last.InstructionCount + 1) : last);
    }

    // Where the guest is at its end: a kernel that moves itself has done so by then.
    private static IEnumerable<(string Name, ulong Start, int Size)> SymbolRanges(OpenRecording recording, GuestPrograms programs, string[] names)
    {
        recording.Seek(recording.File.End);
        SymbolSet symbols = programs.At(new GuestView(recording.Machine, recording.Vcpu(null)));
        foreach (string text in names)
        {
            (string name, ulong given) = symbols.AddressOf(text) is null ? NumberSyntax.SplitOffset(text) : (text, 0);
            if (symbols.AddressOf(name) is not { } start)
                throw CommandException.Usage($"--symbol: no symbol is named '{name}': name a file that has it by --symbols");
            ulong size = given != 0 ? given : symbols.SizeOf(name) ?? 0;
            if (size is 0 or > LongestRange) throw CommandException.Usage($"--symbol: the size of '{name}' is not known: give it, in hexadecimal, such as {name}+0x40");
            yield return (name, start, (int)size);
        }
    }

    private static ProcessMemory ProcessesOf(CommandContext context, OpenRecording recording, GuestPrograms programs, string[] names)
    {
        // Each vCPU may stand in user mode: isolated page tables then still lead to the kernel.
        recording.Seek(recording.File.End);
        programs.At(new GuestView(recording.Machine, recording.Vcpu(null)));
        if (programs.Kernel is not { } kernel) throw CommandException.Failed("--process: no Linux kernel runs at the end of the recording");
        if (kernel.Types is null) throw CommandException.Failed("--process: this kernel was built without type information (BTF): its processes cannot be found");
        context.Cancellation.ThrowIfCancellationRequested();
        return new ProcessMemory(kernel.Image, names);
    }

    private static IEnumerable<byte[]> TextsOf(string path)
    {
        if (!File.Exists(path)) throw CommandException.BadFile($"{path} does not exist: it should have a text in each line");
        byte[][] texts = [.. File.ReadLines(path).Where(static line => line.Length > 0).Select(line => BytesOf(line, $"--texts {path}"))];
        return texts.Length > 0 ? texts : throw CommandException.Usage($"--texts: {path} has no text");
    }

    private static byte[] BytesOf(string text, string option) => Checked(Encoding.UTF8.GetBytes(text), option);

    private static byte[] Checked(byte[] bytes, string option)
    {
        if (bytes.Length is >= ShortestText and <= LongestText) return bytes;
        throw CommandException.Usage($"{option}: a text has {ShortestText} to {LongestText} bytes; what is shorter is found where it means something else");
    }

    private static byte[] BytesOfHexadecimal(string text)
    {
        string digits = text.Replace(" ", "", StringComparison.Ordinal).Replace("_", "", StringComparison.Ordinal);
        if (digits.Length % 2 != 0 || digits.AsSpan().ContainsAnyExcept(s_digits))
            throw CommandException.Usage($"--bytes: '{text}' is no row of bytes: write two hexadecimal digits for each");
        return Checked(Convert.FromHexString(digits), "--bytes");
    }

    private static (ulong Start, int Size) RangeOf(string text, string option)
    {
        int sign = text.IndexOfAny(['+', '-']);
        if (sign <= 0 || sign == text.Length - 1)
            throw CommandException.Usage($"{option}: '{text}' is no range: write ADDRESS+SIZE or FIRST-END in hexadecimal, such as 0x100000+0x40");
        ulong start = NumberSyntax.ParseAddress(text[..sign], option), number = NumberSyntax.ParseAddress(text[(sign + 1)..], option);
        ulong size = text[sign] == '+' ? number : number - start;
        if (size == 0 || (text[sign] == '-' && number < start)) throw CommandException.Usage($"{option}: '{text}' is empty: its end is not part of it");
        if (size > LongestRange || start + (size - 1) < start) throw CommandException.Usage($"{option}: '{text}' is too big: at most {LongestRange >> 20} MiB, within the address space");
        return (start, (int)size);
    }

    private static bool IsSameFile(string one, string other)
    {
        string Real(string path) => File.Exists(path) ? File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? Path.GetFullPath(path) : Path.GetFullPath(path);
        return Real(one) == Real(other);
    }

    private static void WriteText(TextWriter output, string target, RedactionPlan plan, RedactionReport report)
    {
        output.WriteLine($"{target}: without {string.Join("; ", plan.Descriptions)}");
        output.WriteLine($"{Words.Count((ulong)report.MemoryBytes)} bytes of memory were taken out, over all checkpoints, {Words.Count((ulong)report.StateBytes)} of vCPUs and chips, "
            + $"{Words.Count((ulong)report.LogBytes)} of input and output, {Words.Count((ulong)report.FileBytes)} of images, embedded files and notes");
        if (report.DroppedCheckpoints > 0)
            output.WriteLine($"{Words.Plural(report.DroppedCheckpoints, "checkpoint")} in the midst of what was typed {(report.DroppedCheckpoints == 1 ? "was" : "were")} left out");
        if (report.Holes.Count == 0) output.WriteLine("all of it can be replayed");
        else HolesText.Write(output, report.Holes);
    }

    private static void WriteJson(TextWriter output, string target, RedactionReport report) => JsonText.WriteObject(output, json =>
    {
        json.WriteString("file", target);
        json.WriteNumber("memoryBytes", report.MemoryBytes);
        json.WriteNumber("stateBytes", report.StateBytes);
        json.WriteNumber("logBytes", report.LogBytes);
        json.WriteNumber("fileBytes", report.FileBytes);
        json.WriteNumber("droppedCheckpoints", report.DroppedCheckpoints);
        HolesText.Write(json, report.Holes);
        json.WriteTexts("notes", report.Notes);
    });
}
