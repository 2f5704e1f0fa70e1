using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;
using Vmm.Platform;

namespace Replay.Exploration;

/// <summary>Forced switches as text: a line for each, "POSITION VCPU"; # begins a comment.</summary>
public static class ScheduleFile
{
    /// <exception cref="ScheduleFileException">A line is not a switch, or the switches are not in order.</exception>
    public static IReadOnlyList<ForcedSwitch> Parse(string text, string name)
    {
        var switches = new List<ForcedSwitch>();
        int number = 0;
        foreach (ReadOnlySpan<char> wholeLine in text.AsSpan().EnumerateLines())
        {
            number++;
            int comment = wholeLine.IndexOf('#');
            ReadOnlySpan<char> line = (comment < 0 ? wholeLine : wholeLine[..comment]).Trim();
            if (line.IsEmpty) continue;
            int blank = line.IndexOfAny(' ', '\t');
            if (blank < 0 || !ulong.TryParse(line[..blank], NumberStyles.None, CultureInfo.InvariantCulture, out ulong count)
                || !int.TryParse(line[blank..].TrimStart(), NumberStyles.None, CultureInfo.InvariantCulture, out int cpu))
                throw new ScheduleFileException($"{name}, line {number}: a line is a position and a vCPU, such as 123456 1");
            if (switches.Count > 0 && count <= switches[^1].InstructionCount)
                throw new ScheduleFileException($"{name}, line {number}: positions must rise, and {count} does not come after {switches[^1].InstructionCount}");
            if (switches.Count == ForcedSwitch.MaximumCount) throw new ScheduleFileException($"{name} has more than {ForcedSwitch.MaximumCount} switches");
            switches.Add(new ForcedSwitch(count, cpu));
        }
        return switches;
    }

    /// <param name="switches">What to write.</param>
    /// <param name="commentOf">What to say about each, in one line; null: nothing.</param>
    /// <param name="title">The first line.</param>
    public static string Write(IReadOnlyList<ForcedSwitch> switches, string title, Func<int, string>? commentOf = null)
    {
        var text = new StringBuilder($"# {title}\n");
        for (int i = 0; i < switches.Count; i++)
            text.Append(CultureInfo.InvariantCulture, $"{switches[i].InstructionCount} {switches[i].CpuIndex}{(commentOf is null ? "" : $"  # {commentOf(i)}")}\n");
        return text.ToString();
    }
}

/// <summary>A schedule file has an error; the message is one sentence for people.</summary>
public sealed class ScheduleFileException(string message) : Exception(message);
