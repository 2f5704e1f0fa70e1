using System;
using System.Collections.Generic;
using Iced.Intel;
using Introspection.Code;
using Introspection.State;
using Replay.Timelines;
using Vmm.Cpu;
using Vmm.Platform;
using Vmm.Time;

namespace Introspection.Origins;

/// <summary>One transition of a recording, seen before and after: what an explanation is made from.</summary>
internal sealed class Transition
{
    /// <summary>Bytes of stack that an instruction or a delivery may use.</summary>
    private const int StackWindow = 64;

    private Transition(Position at, int cpuIndex, in VcpuState before)
    {
        At = at;
        CpuIndex = cpuIndex;
        Before = before;
    }

    public Position At { get; }
    /// <summary>Whose turn it was.</summary>
    public int CpuIndex { get; }
    public VcpuState Before { get; }
    public VcpuState After { get; private set; }
    public ulong Linear { get; private set; }
    public Instruction Instruction { get; private set; }
    public string Text { get; private set; } = "";
    /// <summary>The instruction retired; else something happened without one.</summary>
    public bool IsInstruction { get; private set; }
    public IReadOnlyList<MachineEvent> Events { get; private set; } = [];
    public IReadOnlyList<OperandSource> Operands { get; private set; } = [];
    /// <summary>Memory from RSP on, before.</summary>
    public CapturedRange Stack { get; private set; }
    /// <summary>Memory where the instruction pushes.</summary>
    public CapturedRange Pushed { get; private set; }
    /// <summary>Memory that RBP points to.</summary>
    public CapturedRange Frame { get; private set; }
    /// <summary>The value of what is asked for, afterwards.</summary>
    public UInt128 Value { get; private set; }
    /// <summary>The bytes of what is asked for that were written; a bit each.</summary>
    public uint Written { get; private set; }

    /// <summary>Steps over the transition at the cursor.</summary>
    /// <param name="timeline">Stands just before it, and afterwards behind it.</param>
    /// <param name="location">What is asked for.</param>
    public static Transition Observe(Timeline timeline, ValueLocation location)
    {
        Machine machine = timeline.Machine;
        Vcpu vcpu = machine.Vcpus[machine.CurrentCpuIndex];
        var view = new GuestView(machine, vcpu);
        var transition = new Transition(timeline.Position, vcpu.Index, vcpu.State);
        var disassembler = new Disassembler(view);
        transition.Linear = view.CodeAddress;
        transition.Instruction = disassembler.Decode(view.CodeAddress);
        transition.Text = disassembler.TextAt(view.CodeAddress);
        transition.Capture(view);
        UInt128 old = location.Read(machine);
        ulong count = machine.InstructionCount;
        VcpuState ownBefore = location.IsRegister ? machine.Vcpus[location.CpuIndex].State : vcpu.State;
        Watch[] watches = location.IsRegister ? [] : [new Watch(true, location.Address, location.SizeBytes, false, true)];
        transition.Events = timeline.StepWatching(watches);
        transition.IsInstruction = machine.InstructionCount != count;
        transition.After = vcpu.State;
        transition.Value = location.Read(machine);
        transition.Written = location.IsRegister ? transition.WrittenRegister(location, old, ownBefore, machine) : transition.WrittenMemory(location);
        return transition;
    }

    public bool Has(MachineEventKind kind) => Find(kind) is not null;

    public MachineEvent? Find(MachineEventKind kind)
    {
        foreach (MachineEvent e in Events)
            if (e.Kind == kind) return e;
        return null;
    }

    /// <summary>A chip or the MMU, and no instruction, stored what is asked for.</summary>
    public bool IsStoredByChip
    {
        get
        {
            foreach (MachineEvent e in Events)
                if (e is { Kind: MachineEventKind.Write, Number: -1 }) return true;
            return false;
        }
    }

    private void Capture(in GuestView view)
    {
        var operands = new OperandSource[Instruction.IsInvalid ? 0 : Instruction.OpCount];
        for (int i = 0; i < operands.Length; i++) operands[i] = OperandSource.Of(Instruction, i, view);
        Operands = operands;
        Stack = CapturedRange.Of(view, view.StackAddress);
        int pushes = Instruction.IsInvalid ? 0 : Math.Clamp(-Instruction.StackPointerIncrement, 0, StackWindow);
        Pushed = CapturedRange.Of(view, view.StackAddressOf(view.Vcpu.State.Rsp - (ulong)pushes));
        Frame = CapturedRange.Of(view, view.StackAddressOf(view.Vcpu.State.Rbp));
    }

    private uint WrittenRegister(ValueLocation location, UInt128 old, VcpuState ownBefore, Machine machine)
    {
        uint wanted = (uint)((1UL << location.SizeBytes) - 1), written = 0;
        if (IsInstruction && CpuIndex == location.CpuIndex && !Instruction.IsInvalid)
        {
            var writes = new RegisterWrites(location);
            Instruction instruction = Instruction;
            written = writes.Actual(instruction, writes.Possible(instruction), ownBefore, machine.Vcpus[location.CpuIndex].State) >> (int)location.Address;
        }
        if (CpuIndex != location.CpuIndex && machine.Vcpus[location.CpuIndex].State.Rip != ownBefore.Rip) written = wanted; // INIT
        UInt128 changed = old ^ Value;
        for (int i = 0; i < location.SizeBytes; i++)
            if ((byte)(changed >> i * 8) != 0) written |= 1u << i;
        return written & wanted;
    }

    private uint WrittenMemory(ValueLocation location)
    {
        uint written = 0;
        foreach (MachineEvent e in Events)
        {
            if (e.Kind != MachineEventKind.Write) continue;
            for (int i = 0; i < location.SizeBytes; i++)
                if (location.Address + (ulong)i - e.Physical < (ulong)Math.Max(1, e.SizeBytes)) written |= 1u << i;
        }
        return written;
    }
}
