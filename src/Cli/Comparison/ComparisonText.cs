using System.Collections.Generic;
using System.IO;
using System.Linq;
using Cli.Lockstep;
using Cli.Presentation;
using Introspection.Consoles;
using Introspection.Text;
using Vmm.Platform;

namespace Cli.Comparison;

/// <summary>A comparison for people.</summary>
internal sealed class ComparisonText(TextWriter output, string nameA, string nameB)
{
    private const int LinesBefore = 6;

    public void Write(RecordingComparison found)
    {
        output.WriteLine($"A: {nameA}");
        output.WriteLine($"B: {nameB}");
        if (found.IsSame)
        {
            output.WriteLine($"the same run: every state up to {found.States.LastSame}, and all that was printed");
            Values(found.Manifests);
            return;
        }
        Values(found.Manifests);
        Consoles(found.Consoles);
        Inputs(found.Inputs);
        States(found.States);
        if (found.Path is { } path && found.Sides is { } sides) Path(path, sides.A, sides.B);
    }

    private void Values(IReadOnlyList<ValueDifference> values)
    {
        if (values.Count == 0) return;
        Head("machine and end");
        TextTable.Write(output, ["", "A", "B"], [.. values.Select(static one => new[] { one.Name, one.A, one.B })], rightAligned: []);
    }

    private void Consoles(IReadOnlyList<ConsoleDifference> consoles)
    {
        Head("console");
        if (consoles.Count == 0) output.WriteLine("the same text");
        foreach (ConsoleDifference one in consoles)
        {
            output.WriteLine($"{one.Channel}, line {one.LineNumber}:");
            foreach ((string side, ConsoleLine? line) in ((string, ConsoleLine?)[])[("A", one.A), ("B", one.B)])
                output.WriteLine(line is { } printed ? $"  {side} at {printed.At}: {printed.Text}" : $"  {side} printed no more");
        }
    }

    private void Inputs(InputDifference? inputs)
    {
        Head("inputs");
        if (inputs is null) output.WriteLine("the same, at the same positions");
        else
        {
            output.WriteLine($"number {inputs.Number}{(inputs.IsOnlyPosition ? ", at another position" : "")}  (A has {inputs.CountA}, B has {inputs.CountB})");
            output.WriteLine($"  A: {RecordedDifferences.Describe(inputs.A)}");
            output.WriteLine($"  B: {RecordedDifferences.Describe(inputs.B)}");
        }
    }

    private void States(StateParting states)
    {
        Head("state");
        if (!states.IsSameStart) output.WriteLine("not the same from the start on");
        else if (states.First is not { } first) output.WriteLine($"the same up to {states.LastSame}, where one of the two ends");
        else
        {
            output.WriteLine(first.IsExact ? $"the same up to {first.Before}; behind it not:" : $"the same up to {first.Before}, not at {first.After}");
            if (first.Instruction.Length > 0) output.WriteLine($"  {first.Instruction}");
            foreach (string line in first.Difference.Lines.Take(8)) output.WriteLine($"  {line}");
        }
        if (states.LastAlike > states.LastSame) output.WriteLine($"registers are the same up to {states.LastAlike}: what follows was looked for from there");
    }

    private void Path(PathComparison path, ComparedSide a, ComparedSide b)
    {
        Head("turns");
        if (path.Turn is { } turn)
        {
            output.WriteLine($"  A: {Describe(turn.A)}");
            output.WriteLine($"  B: {Describe(turn.B)}");
        }
        else output.WriteLine($"the same, in {Words.Plural((long)path.ComparedCount, "instruction")}");

        Head("calls");
        if (path.Call is { } call)
        {
            output.WriteLine($"vCPU {call.CpuIndex}{(call.Before is { } last ? $", behind {last.Name} at {last.At}" : "")}:");
            output.WriteLine($"  A: {Describe(call.A)}");
            output.WriteLine($"  B: {Describe(call.B)}");
        }
        else output.WriteLine("the same functions, as far as their names are known");

        Head("first different instruction");
        if (path.Instruction is null) output.WriteLine($"none of {Words.Plural((long)path.ComparedCount, "instruction")}: see further with --reach");
        foreach ((string side, ComparedSide one) in ((string, ComparedSide)[])[("A", a), ("B", b)])
        {
            output.WriteLine($"{side}  {one.Machine.Position}, vCPU {one.Vcpu.Index}, {one.Place}");
            int at = one.Trace.ToList().FindIndex(line => line.StartsWith($"{one.Machine.Position} ", System.StringComparison.Ordinal));
            for (int i = System.Math.Max(0, at - LinesBefore); i <= at; i++) output.WriteLine($"   {(i == at ? '>' : ' ')} {one.Trace[i]}");
            foreach (string line in one.Registers().Split('\n').Skip(2).Take(5)) output.WriteLine($"     {line}");
            output.WriteLine();
        }
        output.WriteLine($"look around:  ttvm back {nameA} --at {a.Machine.Position} --steps 20");
        output.WriteLine($"              ttvm back {nameB} --at {b.Machine.Position} --steps 20");
    }

    /// <summary>"at 12345 from vCPU 0 to 2, its time was up".</summary>
    public static string Describe(Turn? turn) => turn is not { } one ? "no more turns" : $"at {one.InstructionCount} from vCPU {one.From} to {one.To}, "
        + one.Reason switch { TurnEndReason.Over => "as its time was up", TurnEndReason.GivenUp => "as it waits", TurnEndReason.CannotRun => "as it is halted", _ => "forced" };

    private static string Describe(IReadOnlyList<EnteredFunction> calls) =>
        calls.Count == 0 ? "none" : $"{string.Join(", ", calls.Select(static one => one.Name))}  (from {calls[0].At})";

    private void Head(string what)
    {
        output.WriteLine();
        output.WriteLine($"== {what}");
    }
}
