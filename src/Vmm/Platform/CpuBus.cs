using System;
using System.Collections.Generic;
using Vmm.Buses;
using Vmm.Cpu;
using Vmm.Devices;
using Vmm.Memory;
using Vmm.Paging;
using Vmm.Time;

namespace Vmm.Platform;

/// <summary>What the vCPUs reach outside themselves: ports, chips in memory, local APICs, the time stamp; each access is an exit.</summary>
internal sealed class CpuBus(PhysicalMemory memory, Observation observation, Watcher watcher, MachineClock clock, Scheduler scheduler, InstructionCounter counter)
    : IVcpuBus, IMemoryEvents
{
    private const uint ApicBaseMsr = 0x1B, TscDeadlineMsr = 0x6E0;

    /// <summary>Set by the machine once the board is wired.</summary>
    public Chipset Chipset { get; set; } = null!;

    public required int CpuCount { get; init; }

    public IReadOnlyList<Vcpu> Vcpus { get; set; } = [];

    /// <summary>An instruction that the engine does not know: name.</summary>
    public Action<string>? UnimplementedInstruction { get; set; }

    public uint ReadPort(Vcpu vcpu, ushort port, int sizeBytes)
    {
        uint value = Chipset.Ports.Read(new PortNumber(port), sizeBytes);
        observation.Exits.Increment(ExitReason.PortRead);
        observation.Publish(MachineEventKind.PortRead, vcpu, port, value, sizeBytes: sizeBytes);
        DebugBreakpoints.OnPort(vcpu, port, sizeBytes);
        clock.Spend(MachineClock.PortAccessNanoseconds);
        vcpu.EndBlockSoon();
        return value;
    }

    public void WritePort(Vcpu vcpu, ushort port, int sizeBytes, uint value)
    {
        observation.Exits.Increment(ExitReason.PortWrite);
        observation.Publish(MachineEventKind.PortWrite, vcpu, port, value, sizeBytes: sizeBytes);
        DebugBreakpoints.OnPort(vcpu, port, sizeBytes);
        Chipset.Ports.Write(new PortNumber(port), sizeBytes, value);
        clock.Spend(MachineClock.PortAccessNanoseconds);
        vcpu.EndBlockSoon();
    }

    public ulong ReadMmio(Vcpu vcpu, ulong linear, ulong physical, int sizeBytes)
    {
        ulong value = memory.Mmio.Read(new GuestPhysicalAddress(physical), sizeBytes);
        observation.Exits.Increment(ExitReason.MmioRead);
        observation.Publish(MachineEventKind.MmioRead, vcpu, 0, value, linear, physical, sizeBytes);
        vcpu.EndBlockSoon();
        return value;
    }

    public void WriteMmio(Vcpu vcpu, ulong linear, ulong physical, int sizeBytes, ulong value)
    {
        observation.Exits.Increment(ExitReason.MmioWrite);
        observation.Publish(MachineEventKind.MmioWrite, vcpu, 0, value, linear, physical, sizeBytes);
        memory.Mmio.Write(new GuestPhysicalAddress(physical), sizeBytes, value);
        vcpu.EndBlockSoon();
    }

    public bool WatchesPages => watcher.LinearPages is not null;

    public bool IsWatched(ulong linear) => watcher.LinearPages is { } pages && pages.Contains(linear & ~0xFFFUL);

    public void OnWatchedRead(Vcpu vcpu, ulong linear, ulong physical, ReadOnlySpan<byte> value) => watcher.OnAccess(vcpu, linear, physical, value, write: false);

    public void OnWatchedWrite(Vcpu vcpu, ulong linear, ulong physical, ReadOnlySpan<byte> value) => watcher.OnAccess(vcpu, linear, physical, value, write: true);

    public ulong ReadTimeStampCounter()
    {
        // With the host's clock this moves time on, and a timer may be due now: it expires at the boundary behind this instruction, not at whichever comes next, which would depend on
        // where runs are stopped.
        if (clock.FollowsHost) counter.Running?.EndBlockSoon();
        return clock.NowNanoseconds;
    }

    public void TimeStampAdjusted(Vcpu vcpu) => Chipset.LocalApics[vcpu.Index].TscOffset = vcpu.State.TscAdjust;

    /// <summary>CR8 is the upper half of the task priority (SDM 3A 11.8.6).</summary>
    public byte ReadTaskPriority(Vcpu vcpu) => (byte)(Chipset.LocalApics[vcpu.Index].TaskPriority << 4);

    public void WriteTaskPriority(Vcpu vcpu, byte value) => Chipset.LocalApics[vcpu.Index].TaskPriority = (byte)(value >> 4);

    public bool TryReadApicMsr(Vcpu vcpu, uint msr, out ulong value)
    {
        LocalApic apic = Chipset.LocalApics[vcpu.Index];
        value = 0;
        switch (msr)
        {
            case ApicBaseMsr: value = apic.ApicBase; return true;
            case TscDeadlineMsr: value = apic.GetTscDeadline(); return true;
            default: return apic.IsX2Apic && apic.ReadMsr(msr, out value);
        }
    }

    public bool TryWriteApicMsr(Vcpu vcpu, uint msr, ulong value)
    {
        LocalApic apic = Chipset.LocalApics[vcpu.Index];
        switch (msr)
        {
            case ApicBaseMsr: return apic.TrySetApicBase(value);
            case TscDeadlineMsr: apic.SetTscDeadline(value); return true;
            default: return apic.IsX2Apic && apic.WriteMsr(msr, value);
        }
    }

    public void OnExit(Vcpu vcpu, ExitReason reason, long number, ulong value)
    {
        observation.OnExit(vcpu, reason, number, value);
        if (reason == ExitReason.DebugRegister && number >= 0x100) watcher.UpdateLinearPages(Vcpus);
    }

    public void InterruptStateChanged(Vcpu vcpu) => vcpu.EndBlockSoon();

    public void Yield(Vcpu vcpu)
    {
        clock.Spend(MachineClock.PauseNanoseconds);
        scheduler.EndTurn(counter.Current + 1);
        vcpu.EndBlockSoon();
    }

    public void OnBreakpoint(Vcpu vcpu, ulong linear)
    {
        vcpu.Mmu.TryTranslate(linear, AccessKind.Fetch, false, out ulong physical);
        observation.Publish(MachineEventKind.Execute, vcpu, 0, 0, linear, physical);
    }

    public void OnUnimplemented(Vcpu vcpu, string instruction)
    {
        UnimplementedInstruction?.Invoke(instruction);
        vcpu.EndBlockSoon();
    }
}
