using System;
using System.Collections.Generic;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Vmm.Cpu;
using Vmm.Memory;

namespace Vmm.Paging;

/// <summary>What a memory access is for.</summary>
public enum AccessKind
{
    Read = 0,
    Write = 1,
    Fetch = 2,
}

/// <summary>Accesses of a vCPU that are not plain RAM: chips, and memory that somebody watches.</summary>
internal interface IMemoryEvents
{
    ulong ReadMmio(Vcpu vcpu, ulong linear, ulong physical, int sizeBytes);
    void WriteMmio(Vcpu vcpu, ulong linear, ulong physical, int sizeBytes, ulong value);
    /// <summary>Some byte of the linear page is watched: it must not enter a TLB.</summary>
    bool IsWatched(ulong linear);
    /// <summary>Some linear page is.</summary>
    bool WatchesPages { get; }

    void OnWatchedRead(Vcpu vcpu, ulong linear, ulong physical, ReadOnlySpan<byte> value);
    void OnWatchedWrite(Vcpu vcpu, ulong linear, ulong physical, ReadOnlySpan<byte> value);
}

/// <summary>
/// The memory side of one vCPU: translates linear addresses through the shadow page table of the current address space, and keeps the
/// soft TLBs that spare most accesses even that. There are three TLBs, for the three sets of permissions: supervisor, user, and
/// supervisor with EFLAGS.AC set under SMAP. A fourth stays empty, for user code with alignment checks on: each access is looked at.
/// </summary>
internal sealed class Mmu
{
    internal const int TlbSize = 1024;

    private readonly Vcpu _vcpu;
    private readonly PhysicalMemory _memory;
    private readonly ShadowPageTables _shadows;
    private readonly IMemoryEvents _events;
    /// <summary>By TLB: the entries that are not empty.</summary>
    private readonly List<ushort>[] _filled = new List<ushort>[VcpuFrame.TlbCount];
    private ulong _linearMask = ulong.MaxValue;
    private bool _checksAlignment;

    public Mmu(Vcpu vcpu, PhysicalMemory memory, ShadowPageTables shadows, IMemoryEvents events)
    {
        _vcpu = vcpu;
        _memory = memory;
        _shadows = shadows;
        _events = events;
        Space = shadows.Get(default);
        for (int t = 0; t < VcpuFrame.TlbCount; t++)
        {
            TlbOf(t).Fill(TlbEntry.Empty);
            _filled[t] = [];
        }
    }

    /// <summary>The shadow of the current address space.</summary>
    public ShadowPageTable Space { get; private set; }

    /// <summary>Which TLB is in use: 0 supervisor, 1 user, 2 supervisor with EFLAGS.AC, 3 the empty one.</summary>
    public int TlbIndex { get; private set; }

    /// <summary>Paging state changed (CR0, CR3, CR4, EFER): take the shadow of the address space that is current now, and forget what other permissions cached.</summary>
    public void Reload()
    {
        PagingControls controls = PagingControls.Of(_vcpu.State);
        Space = _shadows.Get(controls);
        _linearMask = _vcpu.State.IsLongMode ? ulong.MaxValue : 0xFFFF_FFFF;
        Flush();
        UpdatePrivilege();
    }

    /// <summary>CPL, CS or EFLAGS.AC changed: take the TLB of the permissions that hold now.</summary>
    public void UpdatePrivilege()
    {
        ref VcpuState s = ref _vcpu.State;
        bool alignmentFlag = (s.SystemFlags & RFlags.AlignmentCheck) != 0;
        _checksAlignment = alignmentFlag && s.Cpl == 3 && (s.Cr0 & Cr0.AlignmentMask) != 0;
        TlbIndex = _checksAlignment ? 3 : s.Cpl == 3 ? 1 : alignmentFlag ? 2 : 0;
        _vcpu.Tlb = _vcpu.Frame.TlbAddress(TlbIndex);
        _vcpu.UpdateFetchMode();
    }

    private Span<TlbEntry> TlbOf(int index) =>
        MemoryMarshal.Cast<byte, TlbEntry>(HostPointer.Span(_vcpu.Frame.TlbAddress(index), TlbSize * Unsafe.SizeOf<TlbEntry>()));

    /// <summary>Empties all. That costs what was filled: guests change address spaces often.</summary>
    public void Flush()
    {
        _vcpu.Frame.Windows.Clear();
        for (int t = 0; t < VcpuFrame.TlbCount; t++)
        {
            List<ushort> filled = _filled[t];
            if (filled.Count == 0) continue;
            Span<TlbEntry> tlb = TlbOf(t);
            foreach (ushort index in CollectionsMarshal.AsSpan(filled)) tlb[index] = TlbEntry.Empty;
            filled.Clear();
        }
    }

    public void FlushPage(ulong linear)
    {
        CloseStackWindows();
        foreach (ref TlbWindow window in _vcpu.Frame.Windows)
            if ((linear - window.Start & 0xFFFF_FFFF_FFFF) < window.Size + TlbWindow.WidestAccess) window = default;
        for (int t = 0; t < VcpuFrame.TlbCount; t++)
        {
            ref TlbEntry entry = ref TlbOf(t)[(int)(linear >> 12) & (TlbSize - 1)];
            // It stays listed as filled.
            if (entry.PageIndex >= 0) entry = TlbEntry.Empty with { PageIndex = TlbEntry.Dropped };
        }
    }

    /// <summary>A RAM page may no longer be stored to directly.</summary>
    public void ProtectPage(int pageIndex)
    {
        CloseStackWindows();
        for (int t = 0; t < VcpuFrame.TlbCount; t++)
        {
            Span<TlbEntry> tlb = TlbOf(t);
            foreach (ushort i in CollectionsMarshal.AsSpan(_filled[t]))
            {
                if (tlb[i].PageIndex != pageIndex) continue;
                tlb[i].WriteTag = TlbEntry.NoTag;
            }
        }
    }

    /// <summary>A new epoch: the first store to every page is to be noticed.</summary>
    public void ProtectAll()
    {
        CloseStackWindows();
        for (int t = 0; t < VcpuFrame.TlbCount; t++)
        {
            Span<TlbEntry> tlb = TlbOf(t);
            foreach (ushort i in CollectionsMarshal.AsSpan(_filled[t])) tlb[i].WriteTag = TlbEntry.NoTag;
        }
    }

    /// <summary>Generated code looks the pages up again that it may store to.</summary>
    private void CloseStackWindows()
    {
        Span<TlbWindow> windows = _vcpu.Frame.Windows;
        for (int t = 0; t < windows.Length; t += TlbWindow.Count) windows[t + TlbWindow.OfStackPointer].Size = windows[t + TlbWindow.OfBasePointer].Size = 0;
    }

    /// <summary>
    /// Opens a window for loads around an address, if a large page maps it. Where there is none, or little of it, that is not tried again for long.
    /// </summary>
    public void OpenWindow(int window, ulong linear)
    {
        const int seldom = 4096, often = 64, large = 16 * PagedMemory.PageSizeBytes;
        ref TlbWindow opened = ref _vcpu.Frame.Windows[TlbIndex * TlbWindow.Count + window];
        opened = new TlbWindow { Patience = seldom };
        if (!MayHaveWindow(linear) || _events.WatchesPages) return;
        if (LargePageRun.Around(_memory, Space, linear, entry => IsAllowed(_vcpu.State, entry, AccessKind.Read, _vcpu.State.Cpl == 3, false)) is not { } run) return;
        opened.Start = run.Linear;
        opened.Size = run.SizeBytes - TlbWindow.WidestAccess + 1;
        opened.Host = (nint)(_memory.Ram.BaseAddress + run.RamOffset);
        if (run.SizeBytes >= large) opened.Patience = often;
    }

    /// <summary>Whether a large page maps an address, as far as is known without a walk.</summary>
    public bool MayHaveWindow(ulong linear) => Space.Controls.Mode == PagingMode.None || Space.Find(linear) is { IsPresent: true, IsPartOfLargePage: true };

    // ---- Slow paths of Vcpu.TryRead and TryWrite.

    [MethodImpl(MethodImplOptions.NoInlining)]
    public bool ReadSlow(ulong linear, Span<byte> destination, bool supervisor = false)
    {
        if (_checksAlignment && !supervisor && !IsAligned(linear, destination.Length)) return false;
        linear &= _linearMask;
        int inPage = PagedMemory.PageSizeBytes - (int)(linear & 0xFFF);
        if (destination.Length > inPage)
        {
            ulong next = (linear + (ulong)inPage) & _linearMask;
            // Both pages must be readable before either has effects.
            if (!TryTranslate(linear, AccessKind.Read, supervisor, out ulong first) || !TryTranslate(next, AccessKind.Read, supervisor, out ulong second)) return false;
            ReadInPage(linear, first, destination[..inPage], supervisor);
            ReadInPage(next, second, destination[inPage..], supervisor);
            return true;
        }
        if (!TryTranslate(linear, AccessKind.Read, supervisor, out ulong physical)) return false;
        ReadInPage(linear, physical, destination, supervisor);
        return true;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public bool WriteSlow(ulong linear, ReadOnlySpan<byte> source, bool supervisor = false)
    {
        if (_checksAlignment && !supervisor && !IsAligned(linear, source.Length)) return false;
        linear &= _linearMask;
        int inPage = PagedMemory.PageSizeBytes - (int)(linear & 0xFFF);
        if (source.Length > inPage)
        {
            ulong next = (linear + (ulong)inPage) & _linearMask;
            if (!TryTranslate(linear, AccessKind.Write, supervisor, out ulong first) || !TryTranslate(next, AccessKind.Write, supervisor, out ulong second)) return false;
            WriteInPage(linear, first, source[..inPage], supervisor);
            WriteInPage(next, second, source[inPage..], supervisor);
            return true;
        }
        if (!TryTranslate(linear, AccessKind.Write, supervisor, out ulong physical)) return false;
        WriteInPage(linear, physical, source, supervisor);
        return true;
    }

    /// <summary>
    /// Whether an access is one of RAM that nobody watches: it has no effect but the bytes, and cannot fault. Accessed and dirty bits are set as by the access. False may leave a
    /// fault pending.
    /// </summary>
    public bool IsPlain(ulong linear, int sizeBytes, AccessKind kind)
    {
        if (_checksAlignment) return false;
        linear &= _linearMask;
        ulong last = (linear + (ulong)sizeBytes - 1) & _linearMask;
        return IsPlainPage(linear, kind) && ((last ^ linear) >> 12 == 0 || IsPlainPage(last & ~0xFFFUL, kind));
    }

    private bool IsPlainPage(ulong linear, AccessKind kind)
    {
        if (!TryTranslate(linear, kind, false, out ulong physical) || _events.IsWatched(linear)) return false;
        long offset = _memory.RamOffset(physical);
        return offset >= 0 && (_memory.Ram.TraitsOf((int)(offset >> PagedMemory.PageShift)) & (PageTraits.WatchRead | PageTraits.WatchWrite)) == 0;
    }

    /// <summary>Eight bytes of guest-physical memory.</summary>
    public ulong ReadPhysical(ulong address) => _memory.Read<ulong>(new GuestPhysicalAddress(address));

    /// <summary>Whether a store there would succeed; dirty bits are set as by the store. False: a fault is pending.</summary>
    public bool ProbeWrite(ulong linear, int sizeBytes)
    {
        linear &= _linearMask;
        if (!TryTranslate(linear, AccessKind.Write, false, out _)) return false;
        ulong last = (linear + (ulong)sizeBytes - 1) & _linearMask;
        return (last ^ linear) >> 12 == 0 || TryTranslate(last & ~0xFFFUL, AccessKind.Write, false, out _);
    }

    /// <summary>
    /// Translates for an access at the current privilege (or as supervisor, for descriptor tables and the like). False: #PF or #GP is pending.
    /// </summary>
    public bool TryTranslate(ulong linear, AccessKind kind, bool supervisor, out ulong physical)
    {
        ref VcpuState s = ref _vcpu.State;
        if (!IsCanonical(linear))
        {
            _vcpu.NonCanonical(linear);
            physical = 0;
            return false;
        }
        bool user = s.Cpl == 3 && !supervisor;
        ShadowEntry entry = Space.Find(linear);
        if (!entry.IsPresent || !IsAllowed(s, entry, kind, user, supervisor) || (kind == AccessKind.Write && !entry.IsDirty))
        {
            if (!TryFill(linear, kind, user, supervisor, out entry))
            {
                physical = 0;
                return false;
            }
        }
        physical = entry.PhysicalPage | (linear & 0xFFF);
        return true;
    }

    /// <summary>Walks the guest's tables, marks accessed and dirty, fills the shadow; or leaves a page fault pending.</summary>
    private bool TryFill(ulong linear, AccessKind kind, bool user, bool supervisor, out ShadowEntry entry)
    {
        ref VcpuState s = ref _vcpu.State;
        PageWalk walk = GuestPageWalker.Walk(_memory, Space.Controls, linear);
        if (walk.IsMapped && IsAllowed(s, ShadowEntry.From(walk), kind, user, supervisor))
        {
            GuestPageWalker.MarkAccessed(_memory, ref walk, kind == AccessKind.Write, Space.Controls.Mode);
            entry = _shadows.Fill(Space, linear, ref walk);
            return true;
        }
        _shadows.Counters.GuestFaults++;
        uint error = (walk.IsMapped || walk.ReservedBitSet ? PageFaultError.Present : 0) | (kind == AccessKind.Write ? PageFaultError.Write : 0)
            | (user ? PageFaultError.User : 0) | (walk.ReservedBitSet ? PageFaultError.Reserved : 0);
        // The fetch bit is reported only where fetches can be told apart (SDM 3A 4.7).
        const ulong smep = 1 << 20;
        bool fetchReported = (s.Cr4 & smep) != 0 || (Space.Controls.NoExecuteEnabled && Space.Controls.Mode is PagingMode.Pae or PagingMode.FourLevel);
        if (kind == AccessKind.Fetch && fetchReported) error |= PageFaultError.Fetch;
        _vcpu.PendingException = new PendingException(Vector.PageFault, error, linear);
        entry = default;
        return false;
    }

    private static bool IsAllowed(in VcpuState s, ShadowEntry entry, AccessKind kind, bool user, bool implicitSupervisor)
    {
        const ulong writeProtect = 1 << 16, smep = 1 << 20, smap = 1 << 21;
        if (user)
        {
            if (!entry.IsUser) return false;
            return kind switch
            {
                AccessKind.Write => entry.IsWritable,
                AccessKind.Fetch => !entry.IsNoExecute,
                _ => true,
            };
        }
        if (kind == AccessKind.Fetch) return !entry.IsNoExecute && !(entry.IsUser && (s.Cr4 & smep) != 0);
        if (entry.IsUser && (s.Cr4 & smap) != 0 && (implicitSupervisor && s.Cpl == 3 || (s.SystemFlags & RFlags.AlignmentCheck) == 0)) return false;
        return kind == AccessKind.Read || entry.IsWritable || (s.Cr0 & writeProtect) == 0;
    }

    private bool IsCanonical(ulong linear) => !_vcpu.State.IsLongMode || (ulong)((long)(linear << 16) >> 16) == linear;

    private void ReadInPage(ulong linear, ulong physical, Span<byte> destination, bool supervisor)
    {
        long offset = _memory.RamOffset(physical);
        if (offset < 0)
        {
            ReadChip(linear, physical, destination);
            return;
        }
        PagedMemory ram = _memory.Ram;
        int page = (int)(offset >> PagedMemory.PageShift);
        ram.EnsurePresent(page);
        HostPointer.Span((nint)(ram.BaseAddress + offset), destination.Length).CopyTo(destination);
        if ((ram.TraitsOf(page) & PageTraits.WatchRead) != 0 || _events.IsWatched(linear)) _events.OnWatchedRead(_vcpu, linear, physical, destination);
        else if (!supervisor) FillTlb(linear, page, write: false);
    }

    private void WriteInPage(ulong linear, ulong physical, ReadOnlySpan<byte> source, bool supervisor)
    {
        long offset = _memory.RamOffset(physical);
        if (offset < 0)
        {
            WriteChip(linear, physical, source);
            return;
        }
        PagedMemory ram = _memory.Ram;
        int page = (int)(offset >> PagedMemory.PageShift);
        ram.EnsurePresent(page);
        bool watched = (ram.TraitsOf(page) & PageTraits.WatchWrite) != 0 || _events.IsWatched(linear);
        if (watched) _events.OnWatchedWrite(_vcpu, linear, physical, source);
        _memory.StoreFromCpu(page, (int)(physical & 0xFFF), source);
        if (!supervisor && !watched) FillTlb(linear, page, write: true);
    }

    /// <summary>#AC(0) for data that is not naturally aligned (SDM 3A 6.15, vector 17). False: it is pending.</summary>
    private bool IsAligned(ulong linear, int sizeBytes)
    {
        if ((sizeBytes & (sizeBytes - 1)) != 0 || (linear & (ulong)(sizeBytes - 1)) == 0) return true;
        _vcpu.Fault(Vector.AlignmentCheck);
        return false;
    }

    private void FillTlb(ulong linear, int page, bool write)
    {
        if (_checksAlignment) return;
        PageTraits traits = _memory.Ram.TraitsOf(page);
        if ((traits & PageTraits.WatchRead) != 0) return;
        ref TlbEntry entry = ref _vcpu.TlbEntryOf(linear);
        ulong tag = linear & ~0xFFFUL;
        if (entry.ReadTag != tag)
        {
            if (entry.PageIndex == TlbEntry.NoPage) _filled[TlbIndex].Add((ushort)((linear >> 12) & (TlbSize - 1)));
            entry.ReadTag = tag;
            entry.WriteTag = TlbEntry.NoTag;
            entry.PageIndex = page;
            entry.Addend = (nint)(_memory.Ram.BaseAddress + ((long)page << PagedMemory.PageShift) - (long)tag);
        }
        const PageTraits noDirectStore = PageTraits.Code | PageTraits.PageTable | PageTraits.WatchWrite | PageTraits.ReadOnly;
        if (write && (traits & (noDirectStore | PageTraits.Dirty)) == PageTraits.Dirty) entry.WriteTag = tag;
    }

    private void ReadChip(ulong linear, ulong physical, Span<byte> destination)
    {
        // Chips see naturally sized accesses; odd sizes and vectors are split.
        while (destination.Length > 0)
        {
            int size = ChipAccessSize(physical, destination.Length);
            ulong value = _events.ReadMmio(_vcpu, linear, physical, size);
            for (int i = 0; i < size; i++) destination[i] = (byte)(value >> (8 * i));
            destination = destination[size..];
            physical += (ulong)size;
            linear += (ulong)size;
        }
    }

    private void WriteChip(ulong linear, ulong physical, ReadOnlySpan<byte> source)
    {
        while (source.Length > 0)
        {
            int size = ChipAccessSize(physical, source.Length);
            ulong value = 0;
            for (int i = 0; i < size; i++) value |= (ulong)source[i] << (8 * i);
            _events.WriteMmio(_vcpu, linear, physical, size, value);
            source = source[size..];
            physical += (ulong)size;
            linear += (ulong)size;
        }
    }

    private static int ChipAccessSize(ulong physical, int length)
    {
        int size = length >= 8 ? 8 : length >= 4 ? 4 : length >= 2 ? 2 : 1;
        while ((physical & (ulong)(size - 1)) != 0) size >>= 1;
        return size;
    }
}
