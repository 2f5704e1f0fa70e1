using System;
using System.Collections.Generic;
using System.Linq;
using Iced.Intel;
using Introspection.Code;
using Introspection.State;
using Replay.Packages;
using Replay.Replaying;
using Vmm.Platform;
using Vmm.Time;

namespace Introspection.Tests.Calls;

/// <summary>A call as brute force sees it.</summary>
internal sealed class OracleCall
{
    public required ulong Function { get; init; }
    public required Position Entry { get; init; }
    public required int Cpu { get; init; }
    public required ulong AddressSpace { get; init; }
    public required string EnteredBy { get; init; }
    public required ulong Slot { get; init; }
    public required ulong ReturnAddress { get; init; }
    public required ulong[] Words { get; init; }
    public bool IsAbandoned { get; set; }
    public ulong SlotPhysical { get; init; }
    /// <summary>The stack pointer behind its RET; null: that has not been executed.</summary>
    public ulong? StackBehind { get; set; }
    public Position? Return { get; set; }
    public int ReturnCpu { get; set; }
    public ulong Result { get; set; }
}

/// <summary>
/// Steps through a recording one transition at a time and pairs calls by the instructions that are executed: a CALL or jump that arrives at a function opens one, the RET that takes
/// the slot's value closes it. Slots are told apart by their guest-physical address, so that stacks and address spaces do not matter.
/// </summary>
internal sealed class ShadowStackOracle : IMachineObserver, IDisposable
{
    private enum Shape
    {
        Other,
        Call,
        Return,
        InterruptReturn,
    }

    private readonly Replayer _replayer;
    private readonly Dictionary<ulong, ulong> _functions;
    private readonly Dictionary<(ulong, ulong), Shape> _shapes = [];
    private readonly Dictionary<ulong, List<OracleCall>> _open = [];
    private readonly List<OracleCall> _returning = [];
    private readonly (ulong Code, Shape Shape)?[] _last;
    private (int Cpu, ulong Code)? _faulted;

    /// <param name="recording">A small one.</param>
    /// <param name="functions">Entries with the sizes of their code.</param>
    public ShadowStackOracle(RecordingFile recording, IReadOnlyDictionary<ulong, ulong> functions)
    {
        _replayer = new Replayer(recording);
        _functions = new Dictionary<ulong, ulong>(functions);
        _last = new (ulong, Shape)?[_replayer.Machine.Vcpus.Count];
        End = recording.End;
    }

    private Position End { get; }

    public List<OracleCall> Calls { get; } = [];

    public uint WantedKinds => 1u << (int)MachineEventKind.Exception;

    public void OnEvent(in MachineEvent machineEvent) => _faulted = (machineEvent.CpuIndex, machineEvent.Rip);

    public void Run()
    {
        Machine machine = _replayer.Machine;
        machine.Observer = this;
        while (_replayer.Position < End)
        {
            Position before = _replayer.Position;
            int cpu = machine.CurrentCpuIndex;
            var view = new GuestView(machine, machine.Vcpus[cpu]);
            ulong code = view.CodeAddress, stack = view.StackAddress;
            int word = view.CodeSize / 8;
            ulong space = machine.Vcpus[cpu].State.Cr3 & ~0xFFFUL;
            ulong? top = view.Translate(stack);
            OracleCall[] arriving = Arriving(view, code, stack);
            bool isEntry = _functions.ContainsKey(code);
            ulong[] words = isEntry ? WordsOf(view) : [];
            ulong returnAddress = isEntry ? view.CodeAddressOf(view.ReadNumber(stack, word) ?? 0) : 0;
            ulong result = machine.Vcpus[cpu].State.Rax;
            Shape shape = ShapeAt(view, code, space);
            _faulted = null;
            ulong count = machine.InstructionCount;
            if (!_replayer.Step()) break;
            bool hasRetired = machine.InstructionCount > count;
            // An instruction that faults has been begun, too.
            bool isBegun = hasRetired || (_faulted is { } fault && fault.Cpu == cpu && fault.Code == code);
            if (!isBegun) continue;
            foreach (OracleCall call in arriving)
            {
                (call.Return, call.ReturnCpu, call.Result) = (before, cpu, word == 8 ? result : (uint)result);
                _returning.Remove(call);
            }
            if (isEntry) Enter(top, code, before, cpu, space, stack, returnAddress, words);
            if (!hasRetired) continue;
            _last[cpu] = (code, shape);
            if (shape != Shape.Return || top is not { } taken || !_open.Remove(taken, out List<OracleCall>? returning)) continue;
            foreach (OracleCall call in returning) call.StackBehind = view.StackAddress;
            _returning.AddRange(returning);
        }
    }

    public void Dispose() => _replayer.Dispose();

    // An interrupt may come between a RET and the instruction that it returns to.
    private OracleCall[] Arriving(GuestView view, ulong code, ulong stack) => _returning.Count == 0 ? []
        : [.. _returning.Where(call => call.ReturnAddress == code && call.StackBehind == stack && view.Translate(call.Slot) == call.SlotPhysical)];

    private static ulong[] WordsOf(in GuestView view)
    {
        if (view.CodeSize == 64)
        {
            var general = view.Vcpu.State.General;
            return [general[7], general[6], general[2], general[1], general[8], general[9]];
        }
        var words = new ulong[6];
        for (int i = 0; i < words.Length; i++) words[i] = view.ReadNumber(view.StackAddress + (ulong)(4 * (i + 1)), 4) ?? 0;
        return words;
    }

    private Shape ShapeAt(in GuestView view, ulong code, ulong space)
    {
        if (_shapes.TryGetValue((code, space), out Shape known)) return known;
        Instruction instruction = new Disassembler(view).Decode(code);
        Shape shape = instruction.Mnemonic switch
        {
            Mnemonic.Call => Shape.Call,
            Mnemonic.Ret => Shape.Return,
            Mnemonic.Iret or Mnemonic.Iretd or Mnemonic.Iretq or Mnemonic.Sysret or Mnemonic.Sysretq or Mnemonic.Sysexit or Mnemonic.Sysexitq => Shape.InterruptReturn,
            _ => Shape.Other,
        };
        _shapes[(code, space)] = shape;
        return shape;
    }

    private void Enter(ulong? top, ulong code, Position before, int cpu, ulong space, ulong stack, ulong returnAddress, ulong[] words)
    {
        string by = "Unknown";
        if (_last[cpu] is { } last)
        {
            bool isInside = last.Code == code || last.Code - code < _functions[code];
            if (last.Shape == Shape.Call) by = "Call";
            else if (last.Shape != Shape.InterruptReturn && isInside) return;
            else if (last.Shape != Shape.InterruptReturn) by = "TailCall";
        }
        // A stack that is not there yet has no physical address: one of its own.
        ulong slot = top ?? (1UL << 63 | (space ^ stack));
        if (!_open.TryGetValue(slot, out List<OracleCall>? calls)) _open[slot] = calls = [];
        // Its first instruction faulted, perhaps because its stack was not there yet, and is begun again.
        if (by == "Unknown" && Calls.Any(call => call.Function == code && call.ReturnAddress == returnAddress && call.Slot == stack && call.AddressSpace == space
            && call.Return is null && !call.IsAbandoned)) return;
        foreach (OracleCall old in calls.ToArray())
        {
            if (by == "TailCall" && old.ReturnAddress == returnAddress) continue;
            old.IsAbandoned = true;
            calls.Remove(old);
        }
        var call = new OracleCall
        {
            Function = code, Entry = before, Cpu = cpu, AddressSpace = space, EnteredBy = by, Slot = stack, ReturnAddress = returnAddress, Words = words,
            SlotPhysical = slot,
        };
        Calls.Add(call);
        calls.Add(call);
    }
}
