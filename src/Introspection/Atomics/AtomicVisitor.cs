using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using Iced.Intel;
using Introspection.Locks.Tasks;
using Introspection.Origins;
using Introspection.State;
using Replay.Queries;
using Vmm.Cpu;
using Vmm.Platform;

namespace Introspection.Atomics;

/// <summary>
/// Notes the accesses to a word in one interval of a recording. A compare-and-swap is seen at its read, when the registers still have what it expects, and whether it wins or not, as
/// it writes in any case.
/// </summary>
internal sealed class AtomicVisitor(AtomicTarget target, ICurrentTask tasks) : IIntervalVisitor<List<AtomicAccess>>, IMachineObserver
{
    private const int MaximumLoads = 4096;

    // Who waits reads the same value again and again: of loads between two changes, the last of each reader is enough.
    private readonly Dictionary<(ulong Actor, ulong Address, int SizeBytes), AtomicAccess> _loads = [];
    private readonly AtomicInstructions _instructions = new();
    private Machine _machine = null!;
    private ReplayInterval _interval;
    private List<AtomicAccess> _accesses = [];
    private AtomicAccess _begun;
    private bool _hasBegun;
    // A store of more than eight bytes: what it stored is read when the next access comes.
    private int _unsettled = -1;

    public uint WantedKinds => 1u << (int)MachineEventKind.Read | 1u << (int)MachineEventKind.Write;

    public void Begin(Machine machine, int index, in ReplayInterval interval)
    {
        (_machine, _interval, _accesses, _hasBegun, _unsettled) = (machine, interval, [], false, -1);
        _loads.Clear();
        machine.Observer = this;
        machine.SetWatches([new Watch(target.IsPhysical, target.Address, target.SizeBytes, Reads: true, Writes: true)]);
    }

    public bool GoOn() => true;

    public List<AtomicAccess> End()
    {
        Settle();
        FlushLoads();
        _machine.Observer = null;
        _machine.SetWatches([]);
        return _accesses;
    }

    public void OnEvent(in MachineEvent e)
    {
        if (e.At < _interval.From || e.At >= _interval.To) return;
        Settle();
        // A chip's transfer.
        if (e.Number < 0)
        {
            Add(new AtomicAccess
            {
                At = e.At, Kind = AtomicKind.Store, CpuIndex = -1, Address = e.Physical, SizeBytes = Math.Min(e.SizeBytes, AtomicTarget.MaximumBytes),
                Old = Read(null, e), New = Read(null, e),
            });
            _unsettled = _accesses.Count - 1;
            return;
        }
        var view = new GuestView(_machine, _machine.Vcpus[e.CpuIndex]);
        if (e.Kind == MachineEventKind.Read) OnRead(view, e);
        else OnWrite(view, e);
    }

    private void OnRead(in GuestView view, in MachineEvent e)
    {
        AtomicAccess access = Describe(view, e, out Instruction instruction);
        access.Old = access.New = Read(view, e);
        if (access.Kind is AtomicKind.Load or AtomicKind.Store)
        {
            access.Kind = AtomicKind.Load;
            if (_loads.Count < MaximumLoads) _loads[(access.Actor, access.Address, access.SizeBytes)] = access;
            return;
        }
        if (access.Kind == AtomicKind.CompareExchange) (access.Expected, access.New) = Operands(ref view.Vcpu.State, instruction, access.SizeBytes);
        (_begun, _hasBegun) = (access, true);
    }

    private void OnWrite(in GuestView view, in MachineEvent e)
    {
        if (_hasBegun && _begun.At == e.At && _begun.CpuIndex == e.CpuIndex && _begun.SizeBytes == e.SizeBytes)
        {
            if (_begun.Kind != AtomicKind.CompareExchange) _begun.New = e.Value;
            Add(_begun);
            _hasBegun = false;
            return;
        }
        _hasBegun = false;
        AtomicAccess store = Describe(view, e, out _);
        store.Kind = AtomicKind.Store;
        store.Old = Read(view, e);
        store.New = e.Value;
        Add(store);
        if (e.SizeBytes > 8) _unsettled = _accesses.Count - 1;
    }

    private void Add(in AtomicAccess access)
    {
        FlushLoads();
        _accesses.Add(access);
    }

    private void FlushLoads()
    {
        if (_loads.Count == 0) return;
        int first = _accesses.Count;
        _accesses.AddRange(_loads.Values);
        _accesses.Sort(first, _loads.Count, Comparer<AtomicAccess>.Create(static (a, b) => a.At.CompareTo(b.At)));
        _loads.Clear();
    }

    private void Settle()
    {
        if (_unsettled < 0) return;
        AtomicAccess store = _accesses[_unsettled];
        bool isPhysical = target.IsPhysical || store.CpuIndex < 0;
        store.New = Number(new GuestView(_machine, _machine.Vcpus[Math.Max(store.CpuIndex, 0)]), new MemoryPlace(store.Address, isPhysical), store.SizeBytes);
        _accesses[_unsettled] = store;
        _unsettled = -1;
    }

    private AtomicAccess Describe(in GuestView view, in MachineEvent e, out Instruction instruction)
    {
        ulong code = view.CodeAddressOf(e.Rip);
        AtomicKind kind = _instructions.Decode(view, code, out instruction);
        return new AtomicAccess
        {
            At = e.At, Kind = kind, CpuIndex = e.CpuIndex, Task = tasks.Of(view), Code = code, Frame = view.StackAddress,
            Address = target.IsPhysical ? e.Physical : e.Address, SizeBytes = Math.Min(e.SizeBytes, AtomicTarget.MaximumBytes), Mnemonic = instruction.Mnemonic,
            IsLocked = instruction.HasLockPrefix || instruction.Mnemonic == Mnemonic.Xchg,
        };
    }

    // SDM 2A: the accumulator is compared, and the source, or RCX:RBX, is stored.
    private static (UInt128 Expected, UInt128 New) Operands(ref VcpuState s, in Instruction instruction, int sizeBytes) => instruction.Mnemonic switch
    {
        Mnemonic.Cmpxchg16b => (new UInt128(s.Rdx, s.Rax), new UInt128(s.Rcx, s.Rbx)),
        Mnemonic.Cmpxchg8b => ((uint)s.Rax | s.Rdx << 32, (uint)s.Rbx | s.Rcx << 32),
        _ => (Cut(s.Rax, sizeBytes), Cut(RegisterFile.Get(ref s, instruction.Op1Register.ToString().ToLowerInvariant()) ?? 0, sizeBytes)),
    };

    private static ulong Cut(ulong value, int sizeBytes) => sizeBytes >= 8 ? value : value & ((1UL << (8 * sizeBytes)) - 1);

    // What is there before a write is done.
    private UInt128 Read(GuestView? view, in MachineEvent e)
    {
        bool isPhysical = target.IsPhysical || view is null;
        var place = new MemoryPlace(isPhysical ? e.Physical : e.Address, isPhysical);
        return Number(view ?? new GuestView(_machine, _machine.Vcpus[0]), place, Math.Min(e.SizeBytes, AtomicTarget.MaximumBytes));
    }

    private static UInt128 Number(in GuestView view, in MemoryPlace place, int sizeBytes)
    {
        Span<byte> bytes = stackalloc byte[AtomicTarget.MaximumBytes];
        bytes.Clear();
        view.Read(place, bytes[..sizeBytes]);
        return BinaryPrimitives.ReadUInt128LittleEndian(bytes);
    }
}
