using System;
using Vmm.Cpu;
using Vmm.Decoding;
using Vmm.Memory;
using Vmm.Paging;

namespace Sse.Tests;

/// <summary>A vCPU with 64 KiB of RAM and no paging, on which instructions with a memory operand at RSI are executed.</summary>
internal sealed class MemoryVcpu : IMemoryEvents, IDisposable
{
    private const ulong Operand = 0x4000;

    private readonly PhysicalMemory _memory = new(0x10000);
    private readonly BareVcpu _bare;

    public MemoryVcpu()
    {
        Vcpu = BareVcpu.Create();
        Vcpu.Mmu = new Mmu(Vcpu, _memory, new ShadowPageTables(_memory), this);
        _bare = new BareVcpu(Vcpu);
        Vcpu.Mmu.Reload();
    }

    public Vcpu Vcpu { get; }

    public PhysicalMemory Memory => _memory;

    public void Execute(in DecodedInstruction decoded, ref HostCase hostCase)
    {
        _memory.Write(new GuestPhysicalAddress(Operand), hostCase.Memory);
        Vcpu.State.Rsi = Operand + hostCase.Misalignment;
        _bare.Execute(in decoded, ref hostCase);
        _memory.Read(new GuestPhysicalAddress(Operand), hostCase.Memory);
    }

    public void Dispose() => _memory.Dispose();

    ulong IMemoryEvents.ReadMmio(Vcpu vcpu, ulong linear, ulong physical, int sizeBytes) =>
        throw new InvalidOperationException("no chip here");

    void IMemoryEvents.WriteMmio(Vcpu vcpu, ulong linear, ulong physical, int sizeBytes, ulong value) =>
        throw new InvalidOperationException("no chip here");

    bool IMemoryEvents.WatchesPages => false;

    bool IMemoryEvents.IsWatched(ulong linear) => false;

    void IMemoryEvents.OnWatchedRead(Vcpu vcpu, ulong linear, ulong physical, ReadOnlySpan<byte> value)
    {
    }

    void IMemoryEvents.OnWatchedWrite(Vcpu vcpu, ulong linear, ulong physical, ReadOnlySpan<byte> value)
    {
    }
}
