using System.Collections.Generic;
using System.CommandLine;
using System.IO;
using System.Linq;
using Cli.Hosting;
using Cli.Parsing;
using Introspection.Programs;
using Introspection.State;
using Introspection.Unwinding;
using Introspection.Values;
using Symbols.Expressions;

namespace Cli.Verbs;

/// <summary><c>ttvm print FILE --at POSITION EXPRESSION</c></summary>
internal static class PrintVerb
{
    private const int MaximumChildren = 200;

    public static VerbCommand Create(CommandContext context)
    {
        Argument<string> file = SharedOptions.File();
        var expression = new Argument<string?>("EXPRESSION") { Description = "In C's syntax; without one: the variables of the frame", Arity = ArgumentArity.ZeroOrOne };
        Option<string> at = SharedOptions.At();
        Option<int?> cpu = SharedOptions.Cpu();
        var frame = new Option<int>("--frame") { Description = "Which frame of `ttvm stack`, from 0", HelpName = "N" };
        Option<string[]> symbols = SharedOptions.Symbols();
        var open = new Option<bool>("--open") { Description = "What is in it too: members, elements, what a pointer points to" };
        var locations = new Option<bool>("--locations") { Description = "Where the frame's variables are as its function goes on, instead of their values" };
        var verb = new VerbCommand("print", "Works out an expression in C's syntax at a position, or shows the variables of a frame. A Linux kernel's types are known without any file.", """
            Examples:
              ttvm print demo.ttvm --at 50% 'account.balance * 2'
              ttvm print demo.ttvm --at 50% --frame 1
              ttvm print demo.ttvm --at 50% --frame 1 --locations
              ttvm print boot.ttvm --at 80% 'current_task->comm'
              ttvm print boot.ttvm --at 80% '*((struct task_struct *)init_task)' --open
            """) { file, expression, at, cpu, frame, symbols, open, locations };
        return verb.Does(parsed =>
        {
            using OpenRecording recording = OpenRecording.Open(parsed.GetValue(file)!, context);
            using GuestPrograms programs = recording.LoadSymbols(parsed.GetValue(symbols), null);
            if (parsed.GetValue(expression) is not null) programs.MakeIndices();
            recording.Seek(parsed.GetValue(at)!);
            var view = new GuestView(recording.Machine, recording.Vcpu(parsed.GetValue(cpu)));
            SymbolSet set = programs.At(view);
            StackLevel? level = LevelOf(view, set, parsed.GetValue(frame));
            if (parsed.GetValue(locations))
            {
                WriteLocations(context.Out, level ?? CallStack.Innermost(view, set), view, parsed.GetValue(expression));
                return ExitCode.Good;
            }
            var variables = new FrameVariables(view, set, level);
            var environment = new GuestEnvironment(view, set, variables);
            PrinterSet printers = Printers(recording.File.Path);
            var renderer = new ValueRenderer(environment, set, printers);
            if (parsed.GetValue(expression) is not { } text)
            {
                foreach (FrameVariable local in variables.Locals) context.Out.WriteLine($"{local.Name} = {renderer.Render(local.Name, local.Value).Text}");
                if (variables.Locals.Count == 0) context.Out.WriteLine("no variables are known here");
                return ExitCode.Good;
            }
            try
            {
                CompiledExpression compiled = CompiledExpression.Parse(text, environment);
                ValueNode node = renderer.Render(text, compiled.Evaluate(environment), text, compiled.Format);
                context.Out.WriteLine(node.TypeText.Length > 0 ? $"({node.TypeText}) {node.Text}" : node.Text);
                if (parsed.GetValue(open)) Write(context.Out, node.Children(0, MaximumChildren));
            }
            catch (ExpressionException e)
            {
                throw CommandException.Usage(e.Message);
            }
            return ExitCode.Good;
        });
    }

    private static StackLevel? LevelOf(GuestView view, SymbolSet symbols, int frame)
    {
        if (frame == 0) return null;
        List<StackLevel> levels = CallStack.Of(view, symbols);
        return frame > 0 && frame < levels.Count ? levels[frame] : throw CommandException.Usage($"--frame {frame}: there are {levels.Count} frames here, from 0");
    }

    private static void WriteLocations(TextWriter output, StackLevel? level, GuestView view, string? name)
    {
        int count = 0;
        foreach (VariablePlaces places in level is null ? [] : VariablePlaces.Of(level, view))
        {
            if (name is not null && places.Name != name) continue;
            output.WriteLine(places.Text);
            count++;
        }
        if (count == 0) output.WriteLine(name is null ? "no variables are known here" : $"no variable {name} is known here");
    }

    private static PrinterSet Printers(string recordingPath)
    {
        try
        {
            return PrinterSet.Read(PrinterSet.Find(recordingPath, [Directory.GetCurrentDirectory()]));
        }
        catch (PrinterException e)
        {
            throw CommandException.BadFile(e.Message);
        }
    }

    private static void Write(TextWriter output, IReadOnlyList<ValueNode> children)
    {
        int width = children.Count == 0 ? 0 : children.Max(child => child.Name.Length);
        foreach (ValueNode child in children) output.WriteLine($"  {child.Name.PadRight(width)}  {child.Text}");
    }
}
