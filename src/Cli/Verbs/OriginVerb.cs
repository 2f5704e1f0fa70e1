using System;
using System.CommandLine;
using Cli.Hosting;
using Cli.Parsing;
using Cli.Presentation;
using Introspection.Origins;
using Introspection.Programs;
using Introspection.State;
using Introspection.Values;
using Symbols.Expressions;

namespace Cli.Verbs;

/// <summary><c>ttvm origin FILE --at POSITION EXPRESSION</c></summary>
internal static class OriginVerb
{
    private const int LargestDepth = 100_000;

    private const string Description =
        "Tells how a value came to be: the instruction that wrote it, what that was made from, and so on back to an input, a constant, a chip, the processor, or an image that was loaded. "
        + "The first column is where to stand to see each step happen.";

    private const string Examples = """
        EXPRESSION is a register (rax, eax, al, xmm0, rflags), memory (qword[rsp+8], byte[0x1000], dword phys[0x1000]), or a variable in C's syntax (account.balance,
        task->comm[0], table[3].next); of a symbol without a type, the object at its address.

        Examples:
          ttvm origin boot.ttvm --at 80% rax
          ttvm origin boot.ttvm --at end 'dword phys[0x7c00]'
          ttvm origin boot.ttvm --at 12345678 jiffies --symbols vmlinux --depth 200
        """;

    public static VerbCommand Create(CommandContext context)
    {
        Argument<string> file = SharedOptions.File();
        var expression = new Argument<string>("EXPRESSION") { Description = "The value: a register, memory or a symbol" };
        Option<string> at = SharedOptions.At();
        Option<int?> cpu = SharedOptions.Cpu();
        var defaults = new OriginOptions();
        var depth = new Option<int>("--depth") { Description = "Steps along one way", HelpName = "N", DefaultValueFactory = _ => defaults.MaximumDepth };
        var nodes = new Option<int>("--nodes") { Description = "Values in all; the main chain comes first", HelpName = "N", DefaultValueFactory = _ => defaults.MaximumNodes };
        var addresses = new Option<bool>("--addresses") { Description = "Follow what addresses were made of too" };
        Option<string[]> symbols = SharedOptions.Symbols(), map = SharedOptions.SourceMap();
        Option<bool> json = SharedOptions.Json();
        var verb = new VerbCommand("origin", Description, Examples) { file, expression, at, cpu, depth, nodes, addresses, symbols, map, json };
        return verb.Does(parsed =>
        {
            int steps = parsed.GetValue(depth), limit = parsed.GetValue(nodes);
            if (steps is < 1 or > LargestDepth) throw CommandException.Usage($"--depth {steps}: from 1 to {LargestDepth}");
            if (limit is < 1 or > LargestDepth) throw CommandException.Usage($"--nodes {limit}: from 1 to {LargestDepth}");
            using OpenRecording recording = OpenRecording.Open(parsed.GetValue(file)!, context);
            recording.Seek(parsed.GetValue(at)!);
            using GuestPrograms programs = recording.LoadSymbols(parsed.GetValue(symbols), parsed.GetValue(map));
            var guest = new GuestView(recording.Machine, recording.Vcpu(parsed.GetValue(cpu)));
            SymbolSet names = programs.At(guest);
            ValueLocation location = Parse(parsed.GetValue(expression)!, guest, names);
            var options = new OriginOptions { MaximumDepth = steps, MaximumNodes = limit, FollowsAddresses = parsed.GetValue(addresses) };
            OriginNode origin = ProgressDisplay.Run("following", progress => new OriginFinder(recording.Timeline, options).Find(location, progress, context.Cancellation));
            var view = new OriginView(names);
            if (parsed.GetValue(json)) JsonText.WriteObject(context.Out, writer => view.Write(writer, origin));
            else foreach (string line in view.Lines(origin)) context.Out.WriteLine(line);
            return ExitCode.Good;
        });
    }

    private static ValueLocation Parse(string text, GuestView view, SymbolSet symbols)
    {
        try
        {
            return OriginTarget.Parse(text, null, view, new GuestEnvironment(view, symbols, new FrameVariables(view, symbols)), symbols);
        }
        catch (ExpressionException e)
        {
            throw CommandException.Usage(e.Message);
        }
    }
}
