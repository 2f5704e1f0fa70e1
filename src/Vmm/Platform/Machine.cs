using System;
using System.Collections.Generic;
using Vmm.Cpu;
using Vmm.Inputs;
using Vmm.Memory;
using Vmm.Snapshots;
using Vmm.Time;

namespace Vmm.Platform;

/// <summary>
/// A whole machine. Not thread-safe, except <see cref="RequestStop"/>; several machines run side by side in one process.
/// </summary>
public sealed class Machine : IDisposable
{
    /// <summary>Builds a machine at <see cref="Position.Start"/>.</summary>
    /// <exception cref="BootImageException">An image cannot be booted; the message says why.</exception>
    public Machine(MachineConfiguration configuration, IInputSource inputs, IOutputSink outputs) => throw new NotSupportedException();

    public MachineConfiguration Configuration { get; } = null!;
    public PhysicalMemory Memory { get; } = null!;
    public IReadOnlyList<Vcpu> Vcpus { get; } = [];
    /// <summary>The vCPU whose turn it is.</summary>
    public int CurrentCpuIndex { get; }
    public Position Position { get; }
    public ulong InstructionCount => Position.InstructionCount;
    public ulong GuestNanoseconds { get; }
    /// <summary><see cref="OutcomeKind.None"/> while it lives.</summary>
    public Outcome Outcome { get; }

    /// <summary>All memory that checkpoints keep page-wise: RAM first, then one per disk.</summary>
    public IReadOnlyList<PagedMemory> PagedMemories { get; } = [];

    public IMachineObserver? Observer { get; set; }

    /// <summary>Instruction breakpoints by linear address; they report <see cref="MachineEventKind.Execute"/> and do not stop by themselves.</summary>
    public void SetBreakpoints(IReadOnlyCollection<ulong> linearAddresses) => throw new NotSupportedException();

    /// <summary>Watched ranges; they report reads and writes and do not stop by themselves.</summary>
    public void SetWatches(IReadOnlyCollection<Watch> watches) => throw new NotSupportedException();

    /// <summary>
    /// Runs until InstructionCount is <paramref name="untilCount"/> (returning as soon as it is, before any event at that count), the machine ends, or
    /// a stop is requested. Stopping and going on is unobservable to the guest.
    /// </summary>
    public RunStop Run(ulong untilCount) => throw new NotSupportedException();

    /// <summary>Does exactly one transition: retires one instruction (or one REP iteration), or lets one event happen. Position moves by exactly that.</summary>
    public RunStop Step() => throw new NotSupportedException();

    /// <summary>Makes <see cref="Run"/> return <see cref="RunStop.Requested"/> at the next boundary. Callable from an observer and from other threads.</summary>
    public void RequestStop() => throw new NotSupportedException();

    /// <summary>Saves everything but the pages of <see cref="PagedMemories"/>. Only between transitions.</summary>
    public void SaveState(StateWriter writer) => throw new NotSupportedException();

    /// <summary>Takes over a saved state. The caller has already put the pages right (or marked them absent). Caches are dropped.</summary>
    public void RestoreState(StateReader reader) => throw new NotSupportedException();

    /// <summary>Begins a dirty-tracking epoch: afterwards <see cref="PagedMemory.CollectDirty"/> lists what was written since now.</summary>
    public void BeginEpoch() => throw new NotSupportedException();

    /// <summary>Another source from here on (a diversion's, or a replay's at a checkpoint).</summary>
    public IInputSource Inputs { get; set; } = null!;

    public void Dispose() => throw new NotSupportedException();
}

/// <summary>A watched range of memory.</summary>
/// <param name="IsPhysical">Address is guest-physical; else linear, in whatever address space is current.</param>
/// <param name="Address">First byte.</param>
/// <param name="SizeBytes">At least 1.</param>
/// <param name="Reads">Report reads.</param>
/// <param name="Writes">Report writes.</param>
public readonly record struct Watch(bool IsPhysical, ulong Address, int SizeBytes, bool Reads, bool Writes);

/// <summary>An image that cannot be booted.</summary>
public sealed class BootImageException(string message) : Exception(message);
