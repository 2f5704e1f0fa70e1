using System.Text.RegularExpressions;
using Cli.Presentation;
using Replay.Packages;
using Replay.Replaying;
using Vmm.Cpu;
using Vmm.Decoding;
using Vmm.Platform;
using Vmm.Time;
using Xunit;

namespace Proof.Tests;

/// <summary>An ADD of two registers in a recording, and the first position in its second half at which it executes.</summary>
/// <param name="Linear">Its address.</param>
/// <param name="Position">The position.</param>
internal readonly partial record struct AddInstruction(ulong Linear, Position Position)
{
    public static AddInstruction Find(RecordingFile recording)
    {
        using var replayer = new Replayer(recording);
        replayer.RunTo(new Position(recording.End.InstructionCount / 2));
        do
        {
            Machine machine = replayer.Machine;
            Vcpu vcpu = machine.Vcpus[machine.CurrentCpuIndex];
            Position before = machine.Position;
            ulong rip = vcpu.State.Rip;
            bool isAdd = RegisterAdd().IsMatch(PlaceView.Line(machine));
            // Not if an interrupt comes first.
            if (replayer.Step() && isAdd && machine.InstructionCount > before.InstructionCount) return new AddInstruction(rip, before);
        }
        while (replayer.Position < recording.End);
        Assert.Fail("the guest adds no registers");
        return default;
    }

    [GeneratedRegex(@"\badd r\w+, ?r\w+$")]
    private static partial Regex RegisterAdd();
}

/// <summary>
/// The canary: from a position on, the handler of one instruction is another than the interpreter's. It sits in the decoded block, put there from a breakpoint just before the block
/// executes, so that the machine itself needs no switch for it.
/// </summary>
internal sealed class WrongHandler : IMachineObserver
{
    private readonly Machine _machine;
    private readonly AddInstruction _add;
    private readonly Handler _handler;
    private Handler? _right;

    private WrongHandler(Machine machine, AddInstruction add, Handler handler)
    {
        _machine = machine;
        _add = add;
        _handler = handler;
    }

    /// <summary>An ADD that forgets the flags, and adds one too many.</summary>
    public static unsafe Handler Wrong => new(&AddWrongly);

    /// <summary>What an instruction has that the binder does not know.</summary>
    public static unsafe Handler Missing => new(&HaveNone);

    public uint WantedKinds => 1u << (int)MachineEventKind.Execute;

    public static void Put(Machine machine, AddInstruction add, Handler handler)
    {
        machine.Observer = new WrongHandler(machine, add, handler);
        machine.SetBreakpoints([add.Linear]);
    }

    public void OnEvent(in MachineEvent machineEvent)
    {
        ref Handler handler = ref _machine.Vcpus[machineEvent.CpuIndex].CurrentBlock!.Instructions[0].Handler;
        _right ??= handler;
        // Decoded blocks outlive going back to before.
        handler = machineEvent.At < _add.Position ? _right.Value : _handler;
    }

    private static Completion AddWrongly(Vcpu vcpu, in DecodedInstruction instruction)
    {
        vcpu.State.Register<ulong>(instruction.Destination) += vcpu.State.Register<ulong>(instruction.Source) + 1;
        return Completion.Next;
    }

    private static Completion HaveNone(Vcpu vcpu, in DecodedInstruction instruction)
    {
        vcpu.Bus.OnUnimplemented(vcpu, ((Iced.Intel.Code)instruction.Code).ToString());
        return vcpu.InvalidOpcode();
    }
}
