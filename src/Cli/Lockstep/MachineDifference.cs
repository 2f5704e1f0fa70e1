using System;
using System.Collections.Generic;
using System.Runtime.Intrinsics;
using Vmm.Cpu;
using Vmm.Memory;
using Vmm.Platform;
using Vmm.Snapshots;

namespace Cli.Lockstep;

/// <summary>What differs between two machines of the same configuration.</summary>
internal sealed class MachineDifference
{
    private const int MaximumLines = 40;

    private static readonly string[] s_general =
        ["RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI", "R8", "R9", "R10", "R11", "R12", "R13", "R14", "R15"];

    private MachineDifference(List<string> lines, ulong? firstPhysical)
    {
        Lines = lines;
        FirstPhysical = firstPhysical;
    }

    /// <summary>One difference each, for people.</summary>
    public IReadOnlyList<string> Lines { get; }

    /// <summary>Guest-physical address of the first byte of RAM that differs.</summary>
    public ulong? FirstPhysical { get; }

    /// <param name="a">One.</param>
    /// <param name="b">The other.</param>
    /// <param name="nameA">What to call the first.</param>
    /// <param name="nameB">What to call the other.</param>
    public static MachineDifference Between(Machine a, Machine b, string nameA, string nameB)
    {
        var lines = new List<string>();
        void Compare(string what, ulong valueA, ulong valueB)
        {
            if (valueA != valueB) lines.Add($"{what}: {nameA} 0x{valueA:x}, {nameB} 0x{valueB:x}");
        }
        if (a.Position != b.Position) lines.Add($"position: {nameA} {a.Position}, {nameB} {b.Position}");
        Compare("vCPU whose turn it is", (ulong)a.CurrentCpuIndex, (ulong)b.CurrentCpuIndex);
        Compare("guest time", a.GuestNanoseconds, b.GuestNanoseconds);
        for (int i = 0; i < a.Vcpus.Count; i++) CompareVcpu($"vCPU {i} ", ref a.Vcpus[i].State, ref b.Vcpus[i].State, Compare);
        ulong? first = CompareMemory(a, b, nameA, nameB, lines);
        if (lines.Count == 0 && !SavedState(a).AsSpan().SequenceEqual(SavedState(b))) lines.Add("the state of a chip, a floating-point register or an exit counter");
        if (lines.Count > MaximumLines) lines.RemoveRange(MaximumLines, lines.Count - MaximumLines);
        return new MachineDifference(lines, first);
    }

    private static void CompareVcpu(string who, ref VcpuState a, ref VcpuState b, Action<string, ulong, ulong> compare)
    {
        for (int i = 0; i < s_general.Length; i++) compare(who + s_general[i], a.General[i], b.General[i]);
        compare(who + "RIP", a.Rip, b.Rip);
        compare(who + "RFLAGS", a.ReadRFlags(), b.ReadRFlags());
        compare(who + "CPL", a.Cpl, b.Cpl);
        compare(who + "activity", (ulong)a.Activity, (ulong)b.Activity);
        compare(who + "interrupt shadow", a.InterruptShadow, b.InterruptShadow);
        compare(who + "CR0", a.Cr0, b.Cr0);
        compare(who + "CR2", a.Cr2, b.Cr2);
        compare(who + "CR3", a.Cr3, b.Cr3);
        compare(who + "CR4", a.Cr4, b.Cr4);
        compare(who + "EFER", a.Efer, b.Efer);
        compare(who + "MXCSR", a.Mxcsr, b.Mxcsr);
        for (int i = 0; i < SegmentIndex.Count; i++)
        {
            compare($"{who}segment {i} selector", a.Segment(i).Selector, b.Segment(i).Selector);
            compare($"{who}segment {i} base", a.Segment(i).Base, b.Segment(i).Base);
        }
        for (int i = 0; i < 16; i++)
        {
            compare($"{who}XMM{i} low", a.XmmAs<ulong>(i).GetElement(0), b.XmmAs<ulong>(i).GetElement(0));
            compare($"{who}XMM{i} high", a.XmmAs<ulong>(i).GetElement(1), b.XmmAs<ulong>(i).GetElement(1));
        }
        for (int i = 0; i < 8; i++) compare($"{who}x87 register {i}", a.X87[i].Significand, b.X87[i].Significand);
    }

    private static ulong? CompareMemory(Machine a, Machine b, string nameA, string nameB, List<string> lines)
    {
        ulong? first = null;
        for (int m = 0; m < a.PagedMemories.Count; m++)
        {
            PagedMemory memoryA = a.PagedMemories[m], memoryB = b.PagedMemories[m];
            for (int page = 0; page < memoryA.PageCount; page++)
            {
                ReadOnlySpan<byte> bytesA = memoryA.Page(page), bytesB = memoryB.Page(page);
                int same = bytesA.CommonPrefixLength(bytesB);
                if (same == bytesA.Length) continue;
                ulong address = m == 0 ? a.Memory.AddressOfPage(page).Value + (ulong)same : ((ulong)page << PagedMemory.PageShift) + (ulong)same;
                if (m == 0) first ??= address;
                string place = m == 0 ? "memory at physical" : $"{memoryA.Name} at";
                lines.Add($"{place} 0x{address:x}: {nameA} {bytesA[same]:x2}, {nameB} {bytesB[same]:x2} (the first byte of page 0x{page:x} that differs)");
            }
        }
        return first;
    }

    private static byte[] SavedState(Machine machine)
    {
        var writer = new StateWriter();
        machine.SaveState(writer);
        return writer.Written.ToArray();
    }
}
