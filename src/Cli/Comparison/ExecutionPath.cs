using System;
using System.Collections.Generic;
using Cli.Hosting;
using Introspection.Programs;
using Introspection.State;
using Replay.Replaying;
using Vmm.Cpu;
using Vmm.Platform;
using Vmm.Time;

namespace Cli.Comparison;

/// <summary>One instruction that was executed.</summary>
/// <param name="Address">Its linear address.</param>
/// <param name="At">Just before it.</param>
/// <param name="CpuIndex">By which vCPU.</param>
internal readonly record struct ExecutedInstruction(ulong Address, Position At, int CpuIndex);

/// <summary>A function that was entered.</summary>
/// <param name="Name">Its name.</param>
/// <param name="At">Just before its first instruction.</param>
internal readonly record struct EnteredFunction(string Name, Position At);

/// <summary>What one recording executes from a position on, transition by transition: instructions, turns and functions entered, as far as it has been followed.</summary>
internal sealed class ExecutionPath : ITurnObserver, IDisposable
{
    private readonly OpenRecording _recording;
    private readonly Replayer _replayer;
    private readonly SymbolSet _symbols;
    private readonly Dictionary<ulong, string?> _entries = [];
    private readonly List<EnteredFunction>[] _calls;

    /// <param name="recording">Stays the caller's.</param>
    /// <param name="symbols">Of its guest.</param>
    /// <param name="from">Where to begin.</param>
    public ExecutionPath(OpenRecording recording, SymbolSet symbols, Position from)
    {
        _recording = recording;
        _symbols = symbols;
        _replayer = new Replayer(recording.File);
        _replayer.RestartBefore(from);
        _replayer.RunTo(from);
        // One at a time, blocks are of no use.
        Machine.Engine = EngineKind.Interpreter;
        Machine.TurnObserver = this;
        _calls = new List<EnteredFunction>[Machine.Vcpus.Count];
        for (int i = 0; i < _calls.Length; i++) _calls[i] = [];
    }

    private Machine Machine => _replayer.Machine;

    /// <summary>Nothing comes behind what is known.</summary>
    public bool IsAtEnd { get; private set; }

    /// <summary>The instructions of the last <see cref="Follow"/>.</summary>
    public List<ExecutedInstruction> Instructions { get; } = [];

    /// <summary>Turns that went to another vCPU.</summary>
    public List<Turn> Turns { get; } = [];

    /// <summary>The functions that a vCPU entered, in order.</summary>
    public IReadOnlyList<EnteredFunction> CallsOf(int cpuIndex) => _calls[cpuIndex];

    public int CpuCount => _calls.Length;

    /// <summary>Goes on by so many instructions, or to the recording's end.</summary>
    public void Follow(int count)
    {
        Instructions.Clear();
        while (Instructions.Count < count)
        {
            Position at = _replayer.Position;
            if (at >= _recording.File.End)
            {
                IsAtEnd = true;
                return;
            }
            Vcpu vcpu = Machine.Vcpus[Machine.CurrentCpuIndex];
            ulong address = vcpu.State.Rip + vcpu.State.Segment(SegmentIndex.Cs).Base;
            IsAtEnd = !_replayer.Step();
            if (IsAtEnd) return;
            // An event moves no count.
            if (_replayer.Position.InstructionCount == at.InstructionCount) continue;
            Instructions.Add(new ExecutedInstruction(address, at, vcpu.Index));
            if (FunctionAt(address) is { } name) _calls[vcpu.Index].Add(new EnteredFunction(name, at));
        }
    }

    void ITurnObserver.OnTurn(in Turn turn)
    {
        if (turn.From != turn.To) Turns.Add(turn);
    }

    public void Dispose() => _replayer.Dispose();

    private string? FunctionAt(ulong address)
    {
        if (_entries.TryGetValue(address, out string? known)) return known;
        return _entries[address] = _symbols.KnownNameOf(address, out ulong offset) is { } name && offset == 0 ? name : null;
    }
}
