using System;
using System.Collections.Generic;
using Vmm.Cpu;
using Vmm.Paging;

namespace Vmm.Tests.Engines;

/// <summary>A bus with nothing on it: one vCPU, no chips, no watches.</summary>
internal sealed class TestBus : IVcpuBus, IMemoryEvents
{
    /// <summary>What the engine reported as unknown, or null.</summary>
    public string? Unimplemented { get; set; }

    /// <summary>Breakpoints that were reported: linear address, and how many instructions were retired before.</summary>
    public List<(ulong Linear, ulong Count)> Breakpoints { get; } = [];

    public int CpuCount => 1;

    public uint ReadPort(Vcpu vcpu, ushort port, int sizeBytes) => uint.MaxValue;
    public void WritePort(Vcpu vcpu, ushort port, int sizeBytes, uint value) { }
    public ulong ReadTimeStampCounter() => 0;
    public byte ReadTaskPriority(Vcpu vcpu) => 0;
    public void WriteTaskPriority(Vcpu vcpu, byte value) { }

    public bool TryReadApicMsr(Vcpu vcpu, uint msr, out ulong value)
    {
        value = 0;
        return false;
    }

    public bool TryWriteApicMsr(Vcpu vcpu, uint msr, ulong value) => false;
    public void OnExit(Vcpu vcpu, ExitReason reason, long number, ulong value) { }
    public void InterruptStateChanged(Vcpu vcpu) => vcpu.EndBlockSoon();
    public void Yield(Vcpu vcpu) { }
    public void OnBreakpoint(Vcpu vcpu, ulong linear) => Breakpoints.Add((linear, vcpu.CurrentCount));
    public void TimeStampAdjusted(Vcpu vcpu) { }
    public void OnUnimplemented(Vcpu vcpu, string instruction) => Unimplemented = instruction;

    public bool WatchesPages => false;

    public bool IsWatched(ulong linear) => false;
    public ulong ReadMmio(Vcpu vcpu, ulong linear, ulong physical, int sizeBytes) => ulong.MaxValue;
    public void WriteMmio(Vcpu vcpu, ulong linear, ulong physical, int sizeBytes, ulong value) { }
    /// <summary>Watched reads that were reported: linear addresses.</summary>
    public List<ulong> WatchedReads { get; } = [];

    public void OnWatchedRead(Vcpu vcpu, ulong linear, ulong physical, ReadOnlySpan<byte> value) => WatchedReads.Add(linear);
    public void OnWatchedWrite(Vcpu vcpu, ulong linear, ulong physical, ReadOnlySpan<byte> value) { }
}
