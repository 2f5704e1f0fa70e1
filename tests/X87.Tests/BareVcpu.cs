using System;
using Vmm.Cpu;
using Vmm.Memory;
using Vmm.Paging;

namespace X87.Tests;

/// <summary>A vCPU with 1 MiB of RAM, paging off and no chips.</summary>
internal sealed class BareVcpu : IVcpuBus, IMemoryEvents
{
    public static Vcpu Create()
    {
        BareVcpu outside = new();
        Vcpu vcpu = new(0, outside);
        PhysicalMemory memory = new(1 << 20);
        vcpu.Mmu = new Mmu(vcpu, memory, new ShadowPageTables(memory), outside);
        vcpu.Mmu.Reload();
        return vcpu;
    }

    public int CpuCount => 1;

    public uint ReadPort(Vcpu vcpu, ushort port, int sizeBytes) => throw Unexpected();

    public void WritePort(Vcpu vcpu, ushort port, int sizeBytes, uint value) => throw Unexpected();

    public ulong ReadTimeStampCounter() => throw Unexpected();

    public byte ReadTaskPriority(Vcpu vcpu) => throw Unexpected();

    public void WriteTaskPriority(Vcpu vcpu, byte value) => throw Unexpected();

    public bool TryReadApicMsr(Vcpu vcpu, uint msr, out ulong value) => throw Unexpected();

    public bool TryWriteApicMsr(Vcpu vcpu, uint msr, ulong value) => throw Unexpected();

    public void OnExit(Vcpu vcpu, ExitReason reason, long number, ulong value) => throw Unexpected();

    public void InterruptStateChanged(Vcpu vcpu) => throw Unexpected();

    public void Yield(Vcpu vcpu) => throw Unexpected();

    public void TimeStampAdjusted(Vcpu vcpu) => throw Unexpected();

    public void OnBreakpoint(Vcpu vcpu, ulong linear) => throw Unexpected();

    public bool WatchesPages => false;

    public bool IsWatched(ulong linear) => false;

    public void OnUnimplemented(Vcpu vcpu, string instruction) => throw new InvalidOperationException($"{instruction} has no handler");

    public ulong ReadMmio(Vcpu vcpu, ulong linear, ulong physical, int sizeBytes) => throw Unexpected();

    public void WriteMmio(Vcpu vcpu, ulong linear, ulong physical, int sizeBytes, ulong value) => throw Unexpected();

    public void OnWatchedRead(Vcpu vcpu, ulong linear, ulong physical, ReadOnlySpan<byte> value) => throw Unexpected();

    public void OnWatchedWrite(Vcpu vcpu, ulong linear, ulong physical, ReadOnlySpan<byte> value) => throw Unexpected();

    private static InvalidOperationException Unexpected() => new("a floating-point instruction reached outside the CPU");
}
