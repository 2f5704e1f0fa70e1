using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using Introspection.Layouts;
using Introspection.State;
using Replay.Queries;
using Vmm.Platform;

namespace Introspection.Rcu;

/// <summary>Notes what happens to read-copy-update in one interval of a recording. What belongs together is left to <see cref="RcuTracker"/>.</summary>
internal sealed class RcuVisitor(GuestRcu rcu, bool watchesMemory = true) : IIntervalVisitor<List<RcuEvent>>, IMachineObserver
{
    private const int PointerBytes = 8;

    private Machine _machine = null!;
    private ReplayInterval _interval;
    private List<RcuEvent> _events = [];
    // Writes of more than eight bytes: what they wrote is read when the next event comes.
    private readonly List<int> _unsettled = [];

    public uint WantedKinds => 1u << (int)MachineEventKind.Execute | (watchesMemory ? 1u << (int)MachineEventKind.Write : 0);

    public void Begin(Machine machine, int index, in ReplayInterval interval)
    {
        (_machine, _interval, _events) = (machine, interval, []);
        _unsettled.Clear();
        machine.Observer = this;
        machine.SetBreakpoints(rcu.Breakpoints);
        if (watchesMemory) machine.SetWatches(rcu.Watches);
    }

    public bool GoOn() => true;

    public List<RcuEvent> End()
    {
        Settle();
        _machine.Observer = null;
        _machine.SetBreakpoints([]);
        if (watchesMemory) _machine.SetWatches([]);
        return _events;
    }

    public void OnEvent(in MachineEvent e)
    {
        if (e.At < _interval.From || e.At >= _interval.To || e.CpuIndex < 0 || e.Number < 0) return;
        Settle();
        var view = new GuestView(_machine, _machine.Vcpus[e.CpuIndex]);
        if (e.Kind == MachineEventKind.Write) OnWrite(view, e);
        else OnCode(view, e);
    }

    private void OnCode(in GuestView view, in MachineEvent e)
    {
        ulong caller = view.ReadNumber(view.StackAddress, view.CodeSize / 8) is { } number ? view.CodeAddressOf(number) : 0;
        if (rcu.IsExit(e.Address)) Add(view, e, RcuStep.ReadLock, caller, 0, 0, 0);
        if (rcu.StepOf(e.Address) is not { } step) return;
        ulong pointer = 0;
        if (step is RcuStep.Defer or RcuStep.Free)
        {
            if (rcu.PointerOf(e.Address, view) is not { } given) return;
            pointer = given;
        }
        Add(view, e, step, caller, pointer, 0, 0);
    }

    private void OnWrite(in GuestView view, in MachineEvent e)
    {
        ulong code = view.CodeAddressOf(e.Rip);
        foreach (ulong pointer in rcu.PublishedIn(e.Address, e.SizeBytes)) Write(view, e, RcuStep.Publish, code, pointer, PointerBytes);
        if (rcu.State is not { } state) return;
        WriteField(view, e, RcuStep.Current, code, state, rcu.Current);
        WriteField(view, e, RcuStep.Completed, code, state, rcu.Completed);
        WriteField(view, e, RcuStep.Sequence, code, state, rcu.Sequence);
    }

    private void WriteField(in GuestView view, in MachineEvent e, RcuStep step, ulong code, ulong state, MemoryField? field)
    {
        if (field is not { } there) return;
        ulong at = state + (ulong)there.OffsetBytes;
        if (e.Address < at + (ulong)there.SizeBytes && e.Address + (ulong)e.SizeBytes > at) Write(view, e, step, code, at, there.SizeBytes);
    }

    private void Write(in GuestView view, in MachineEvent e, RcuStep step, ulong code, ulong at, int sizeBytes)
    {
        if (view.ReadNumber(at, sizeBytes) is not { } old) return;
        Span<byte> bytes = stackalloc byte[PointerBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, old);
        for (int i = 0; i < Math.Min(e.SizeBytes, PointerBytes); i++)
        {
            long offset = (long)(e.Address + (ulong)i - at);
            if (offset >= 0 && offset < sizeBytes) bytes[(int)offset] = (byte)(e.Value >> (8 * i));
        }
        Add(view, e, step, code, at, old, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        if (e.SizeBytes > PointerBytes) _unsettled.Add(_events.Count - 1);
    }

    private void Settle()
    {
        foreach (int index in _unsettled)
        {
            RcuEvent e = _events[index];
            int sizeBytes = e.Step switch
            {
                RcuStep.Current => rcu.Current!.SizeBytes, RcuStep.Completed => rcu.Completed!.SizeBytes, RcuStep.Sequence => rcu.Sequence!.SizeBytes, _ => PointerBytes,
            };
            if (new GuestView(_machine, _machine.Vcpus[e.CpuIndex]).ReadNumber(e.Address, sizeBytes) is { } now) e.New = now;
            _events[index] = e;
        }
        _unsettled.Clear();
    }

    private void Add(in GuestView view, in MachineEvent e, RcuStep step, ulong code, ulong address, ulong old, ulong now) => _events.Add(new RcuEvent
    {
        At = e.At, Step = step, CpuIndex = e.CpuIndex, Task = rcu.Tasks.Of(view), Code = code, Address = address, Old = old, New = now, Function = e.Address,
    });
}
