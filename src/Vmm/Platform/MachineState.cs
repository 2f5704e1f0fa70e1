using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Text;
using Vmm.Cpu;
using Vmm.Snapshots;
using Vmm.Time;

namespace Vmm.Platform;

/// <summary>Everything of a machine that a snapshot holds besides pages.</summary>
internal readonly record struct MachineParts(InstructionCounter Counter, MachineControl Control, MachineClock Clock, Scheduler Scheduler, ExitCounters Exits,
    Vcpu[] Vcpus, IReadOnlyList<ISnapshotted> Chips);

/// <summary>Writes and reads a machine's state in a fixed order. Equal machines write equal bytes, whatever engine ran them.</summary>
internal static class MachineState
{
    public static void Save(StateWriter writer, in MachineParts parts)
    {
        writer.Write("instructionCount", parts.Counter.Retired);
        writer.Write("eventOrdinal", parts.Counter.EventOrdinal);
        Outcome outcome = parts.Control.Outcome;
        writer.Write("outcome", (int)outcome.Kind);
        writer.Write("outcomeCode", outcome.Code);
        writer.Write("outcomeDetail", Encoding.UTF8.GetBytes(outcome.Detail ?? ""));
        parts.Clock.Save(writer);
        parts.Scheduler.Save(writer);
        writer.Write("exits", MemoryMarshal.AsBytes(parts.Exits.Raw));
        foreach (Vcpu vcpu in parts.Vcpus)
        {
            // The lazily kept flags have many forms; the one that RFLAGS gives is canonical.
            VcpuState state = vcpu.State;
            state.WriteRFlags(state.ReadRFlags());
            writer.Write($"vcpu{vcpu.Index}", MemoryMarshal.AsBytes(new System.ReadOnlySpan<VcpuState>(in state)));
        }
        foreach (ISnapshotted chip in parts.Chips)
        {
            writer.Write("chip", Encoding.ASCII.GetBytes(chip.SnapshotName));
            chip.Save(writer);
        }
    }

    /// <exception cref="StateFormatException">The bytes are not a snapshot of such a machine.</exception>
    public static void Restore(StateReader reader, in MachineParts parts)
    {
        parts.Counter.Retired = reader.ReadUInt64("instructionCount");
        parts.Counter.EventOrdinal = reader.ReadUInt32("eventOrdinal");
        int kind = reader.ReadInt32("outcome");
        uint code = reader.ReadUInt32("outcomeCode");
        string detail = Encoding.UTF8.GetString(reader.ReadBytes("outcomeDetail"));
        parts.Control.Restore(new Outcome((OutcomeKind)kind, code, detail));
        parts.Clock.Restore(reader);
        parts.Scheduler.Restore(reader);
        reader.Read("exits", MemoryMarshal.AsBytes(parts.Exits.Raw));
        foreach (Vcpu vcpu in parts.Vcpus)
        {
            reader.Read($"vcpu{vcpu.Index}", MemoryMarshal.AsBytes(new System.Span<VcpuState>(ref vcpu.State)));
            if (vcpu.State.Cpl > 3 || vcpu.State.Activity > VcpuActivity.Shutdown)
                throw new StateFormatException($"the snapshot of vCPU {vcpu.Index} has an impossible privilege level or activity");
        }
        foreach (ISnapshotted chip in parts.Chips)
        {
            string name = Encoding.ASCII.GetString(reader.ReadBytes("chip"));
            if (name != chip.SnapshotName) throw new StateFormatException($"the snapshot has chip '{name}' where '{chip.SnapshotName}' is expected");
            chip.Restore(reader);
        }
        if (!reader.AtEnd) throw new StateFormatException("the snapshot has bytes behind its last field");
    }
}
