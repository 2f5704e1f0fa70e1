using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using Cli.Hosting;
using Cli.Presentation;
using Introspection.Consoles;
using Introspection.Programs;
using Replay.Replaying;
using Vmm.Cpu;
using Vmm.Inputs;
using Vmm.Platform;
using Vmm.Time;

namespace Cli.Comparison;

/// <summary>One of two recordings around the first difference: the moment, what led to it and what follows, and what its guest printed.</summary>
internal sealed class ComparedSide
{
    private const int InstructionsBefore = 24, InstructionsBehind = 24, MostConsoleLines = 20_000;

    private readonly OpenRecording _recording;

    /// <param name="recording">Its timeline then stands at the moment.</param>
    /// <param name="symbols">Of its guest.</param>
    /// <param name="at">The moment.</param>
    public ComparedSide(OpenRecording recording, SymbolSet symbols, Position at)
    {
        _recording = recording;
        recording.Seek(at);
        Vcpu = recording.Vcpu(null);
        Trace = TraceOf(recording, symbols, at);
        Place = CodeText.Of(Vcpu.State.Rip + Vcpu.State.Segment(SegmentIndex.Cs).Base, symbols);
    }

    public Machine Machine => _recording.Machine;

    /// <summary>Whose turn it is.</summary>
    public Vcpu Vcpu { get; }

    /// <summary>Function and source line.</summary>
    public string Place { get; }

    public string Instruction => PlaceView.Next(Machine, Vcpu);

    /// <summary>A line for each transition around the moment.</summary>
    public IReadOnlyList<string> Trace { get; }

    /// <summary>As `ttvm regs` shows them.</summary>
    public string Registers()
    {
        using var text = new StringWriter();
        RegistersView.Write(text, Machine, Vcpu, all: false);
        return text.ToString();
    }

    /// <summary>What all consoles printed, one behind the other; the beginning of very much.</summary>
    public string Console()
    {
        var text = new StringBuilder();
        for (int channel = 0; channel < ConsoleLines.ChannelNames.Count; channel++)
        {
            IReadOnlyList<ConsoleLine> lines = RecordedDifferences.LinesOf(_recording.File, (OutputChannel)channel);
            if (lines.Count == 0) continue;
            if (channel > 0) text.Append("---- ").Append(ConsoleLines.ChannelNames[channel]).Append('\n');
            foreach (ConsoleLine line in lines.Take(MostConsoleLines)) text.Append(line.Text).Append('\n');
        }
        return text.ToString();
    }

    private static List<string> TraceOf(OpenRecording recording, SymbolSet symbols, Position at)
    {
        using var replayer = new Replayer(recording.File);
        ulong first = at.InstructionCount - Math.Min(at.InstructionCount, InstructionsBefore);
        replayer.RestartBefore(new Position(first));
        replayer.RunTo(new Position(first));
        var lines = new List<string>();
        while (replayer.Position.InstructionCount <= at.InstructionCount + InstructionsBehind)
        {
            Machine machine = replayer.Machine;
            VcpuState state = machine.Vcpus[machine.CurrentCpuIndex].State;
            string place = CodeText.Of(state.Rip + state.Segment(SegmentIndex.Cs).Base, symbols);
            lines.Add($"{PlaceView.Line(machine)}{(place.StartsWith("0x", StringComparison.Ordinal) ? "" : $"    ; {place}")}");
            if (replayer.Position >= recording.File.End || !replayer.Step()) break;
        }
        return lines;
    }
}
