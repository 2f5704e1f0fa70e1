using System;
using System.Collections.Generic;
using Vmm.Cpu;
using Vmm.Decoding;
using Vmm.Memory;
using Vmm.Paging;

namespace Vmm.Platform;

/// <summary>
/// Keeps everything that is derived from guest memory in step with it: a store to a page with code discards blocks, one to a guest page table
/// drops shadow entries, and every vCPU's TLB hears of both.
/// </summary>
internal sealed class Coherence(PhysicalMemory memory, BlockCache blocks, ShadowPageTables shadows, IReadOnlyList<Vcpu> vcpus, Watcher watcher)
    : IStoreListener, ITranslationListener
{
    public void BeforeStore(int pageIndex, int offset, int sizeBytes) => watcher.OnDeviceStore(pageIndex, offset, sizeBytes);

    public void AfterStore(int pageIndex, int offset, int sizeBytes)
    {
        PageTraits traits = memory.Ram.TraitsOf(pageIndex);
        if ((traits & PageTraits.Code) != 0 && blocks.OnStore(pageIndex, offset, sizeBytes))
        {
            // The block that is running may be the one that changed: the next instruction is fetched anew.
            foreach (Vcpu vcpu in vcpus) vcpu.EndBlockSoon();
        }
        if ((traits & PageTraits.PageTable) != 0) shadows.OnTracedWrite(pageIndex, offset, sizeBytes);
    }

    public void OnDropped(ShadowPageTable table, ulong linear, int shift)
    {
        foreach (Vcpu vcpu in vcpus)
        {
            if (!ReferenceEquals(vcpu.Mmu.Space, table)) continue;
            if (shift == PagedMemory.PageShift) vcpu.Mmu.FlushPage(linear);
            else vcpu.Mmu.Flush();
            // What is being executed may have lost its mapping.
            vcpu.UpdateFetchMode();
            vcpu.EndBlockSoon();
        }
    }

    public bool IsInUse(ShadowPageTable table)
    {
        foreach (Vcpu vcpu in vcpus)
            if (ReferenceEquals(vcpu.Mmu.Space, table)) return true;
        return false;
    }

    public void OnPageProtected(int pageIndex)
    {
        foreach (Vcpu vcpu in vcpus) vcpu.Mmu.ProtectPage(pageIndex);
    }

    /// <summary>A snapshot is being restored: what pages held that are absent now is forgotten.</summary>
    public void ForgetAbsent() => blocks.ForgetAbsent();

    /// <summary>Everything cached is forgotten: memory was changed behind the guest's back.</summary>
    public void Clear()
    {
        blocks.Clear();
        ForgetState();
    }

    /// <summary>A snapshot was restored. Code stays on pages that are as they were.</summary>
    public void ForgetState()
    {
        shadows.Clear();
        foreach (Vcpu vcpu in vcpus)
        {
            vcpu.Mmu.Reload();
            vcpu.Interpreter.Reset();
        }
    }
}
