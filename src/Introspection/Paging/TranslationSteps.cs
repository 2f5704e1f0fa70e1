using System.Collections.Generic;
using Introspection.State;
using Introspection.Text;
using Vmm.Cpu;
using Vmm.Paging;

namespace Introspection.Paging;

/// <summary>One step of a walk, explained.</summary>
/// <param name="Entry">The entry that was read.</param>
/// <param name="Bits">Its bits that mean something at this level, lowest first.</param>
/// <param name="Explanation">What the processor does with it, in a sentence.</param>
public sealed record TranslationStep(GuestEntry Entry, IReadOnlyList<NamedBit> Bits, string Explanation);

/// <summary>What one kind of access does.</summary>
/// <param name="Name">"user write"</param>
/// <param name="Faults">It does not get through.</param>
/// <param name="ErrorCode">Of the page fault, if it is one.</param>
/// <param name="Why">In a sentence.</param>
public sealed record AccessCheck(string Name, bool Faults, uint? ErrorCode, string Why);

/// <summary>The translation of one linear address by one vCPU, step by step (SDM 3A 4.2 to 4.7).</summary>
public sealed class TranslationSteps
{
    private const ulong WriteProtect = 1 << 16, Smep = 1 << 20, Smap = 1 << 21, AlignmentCheck = 1 << 18;

    private readonly GuestView _view;
    private readonly List<TranslationStep> _steps = [];

    public TranslationSteps(in GuestView view, ulong linear)
    {
        _view = view;
        Controls = view.Paging;
        Linear = view.Vcpu.State.IsLongMode ? linear : (uint)linear;
        IsCanonical = Controls.Mode != PagingMode.FourLevel || (ulong)((long)(Linear << 16) >> 16) == Linear;
        if (!IsCanonical) return;
        Walk = view.Walk(Linear);
        Explain();
    }

    public PagingControls Controls { get; }
    public ulong Linear { get; }
    /// <summary>Bits 63..47 are equal; else no walk takes place.</summary>
    public bool IsCanonical { get; }
    public PageWalk Walk { get; }
    public IReadOnlyList<TranslationStep> Steps => _steps;

    /// <summary>"user rw-"; null when not mapped, or without paging.</summary>
    public string? Access => Walk.IsMapped && Controls.Mode != PagingMode.None ? $"{(Walk.User ? "user" : "supervisor")} r{(Walk.Writable ? "w" : "-")}{(Walk.NoExecute ? "-" : "x")}" : null;

    /// <summary>Reads, writes and fetches in supervisor and user mode.</summary>
    public IReadOnlyList<AccessCheck> Accesses =>
    [
        Check(isUser: false, isWrite: false, isFetch: false), Check(isUser: false, isWrite: true, isFetch: false), Check(isUser: false, isWrite: false, isFetch: true),
        Check(isUser: true, isWrite: false, isFetch: false), Check(isUser: true, isWrite: true, isFetch: false), Check(isUser: true, isWrite: false, isFetch: true),
    ];

    /// <summary>Why a supervisor read faults; null: it does not.</summary>
    public string? Fault
    {
        get
        {
            if (!IsCanonical) return "The address is not canonical (bits 63 to 47 differ): an access raises #GP, or #SS through the stack segment, without a walk.";
            AccessCheck read = Check(isUser: false, isWrite: false, isFetch: false);
            return read.Faults ? read.Why : null;
        }
    }

    private void Explain()
    {
        var reader = new PageTableReader(_view.Machine, Controls);
        if (reader.Root is not { } table) return;
        PageWalk walk = Walk;
        for (int i = 0; i < walk.StepCount; i++)
        {
            WalkStep step = walk.Steps[i];
            int index = (int)((step.EntryAddress.Value - table.Address) / (ulong)step.SizeBytes);
            GuestEntry entry = reader.Decode(table, index, step.Entry);
            _steps.Add(new TranslationStep(entry, PageBits.Of(Controls, entry), Explain(entry)));
            table = PageTableReader.TableBelow(entry);
        }
    }

    private string Explain(in GuestEntry entry)
    {
        string name = $"{PageTableReader.NameOf(entry.Level)} entry {entry.Index}";
        if ((entry.Value & PageTableEntry.Present) == 0)
            return $"{name} is not present: the walk ends, and nothing is mapped in the {SizeText.Of(entry.SizeBytes)} from 0x{entry.Linear:x} on.";
        if (entry.IsReserved) return $"{name} has a reserved bit set: the walk ends with a page fault.";
        if (!entry.IsLeaf) return $"{name} refers to the {PageTableReader.NameOf(entry.Level - 1)} at physical 0x{entry.Target:x}, which has bits {Selecting(entry.Level - 1)} as its index.";
        return $"{name} maps a page of {SizeText.Of(entry.SizeBytes)} at physical 0x{entry.Target:x}; the offset in it is 0x{Linear & (entry.SizeBytes - 1):x}.";
    }

    private string Selecting(int level)
    {
        bool isNarrow = Controls.Mode == PagingMode.TwoLevel;
        int low = isNarrow ? 12 + 10 * (level - 1) : 12 + 9 * (level - 1);
        return $"{low + (isNarrow ? 9 : 8)} to {low} of the address";
    }

    private AccessCheck Check(bool isUser, bool isWrite, bool isFetch)
    {
        string name = $"{(isUser ? "user" : "supervisor")} {(isFetch ? "fetch" : isWrite ? "write" : "read")}";
        if (!IsCanonical) return new AccessCheck(name, true, null, $"A {name} raises #GP: the address is not canonical.");
        ref VcpuState s = ref _view.Vcpu.State;
        bool marksFetch = isFetch && (Controls.NoExecuteEnabled && Controls.Mode != PagingMode.TwoLevel || (s.Cr4 & Smep) != 0);
        uint code = (isUser ? PageFaultError.User : 0) | (isWrite ? PageFaultError.Write : 0) | (marksFetch ? PageFaultError.Fetch : 0);
        if (Walk.ReservedBitSet) return Faulting(name, code | PageFaultError.Present | PageFaultError.Reserved, "a reserved bit is set in an entry of the walk");
        if (!Walk.IsMapped) return Faulting(name, code, "an entry of the walk is not present");
        if (Controls.Mode == PagingMode.None) return new AccessCheck(name, false, null, $"A {name} is allowed: without paging nothing is protected.");
        string? why = null;
        if (isUser && !Walk.User) why = "the page is for the supervisor only: a level has U/S clear";
        else if (isWrite && !Walk.Writable && (isUser || (s.Cr0 & WriteProtect) != 0)) why = $"the page is read-only: a level has R/W clear{(isUser ? "" : ", and CR0.WP is set")}";
        else if (isFetch && Walk.NoExecute) why = "the page may not be executed: a level has XD set";
        else if (!isUser && Walk.User && isFetch && (s.Cr4 & Smep) != 0) why = "the page is a user page, and CR4.SMEP forbids the supervisor to execute it";
        else if (!isUser && Walk.User && !isFetch && (s.Cr4 & Smap) != 0 && (s.ReadRFlags() & AlignmentCheck) == 0)
            why = "the page is a user page, and CR4.SMAP forbids the supervisor to access it while RFLAGS.AC is clear";
        if (why is not null) return Faulting(name, code | PageFaultError.Present, why);
        string although = !isUser && isWrite && !Walk.Writable ? ", although the page is read-only, as CR0.WP is clear" : "";
        return new AccessCheck(name, false, null, $"A {name} is allowed{although}.");
    }

    private static AccessCheck Faulting(string name, uint code, string why)
    {
        var bits = new List<string>();
        if ((code & PageFaultError.Present) != 0) bits.Add("P");
        if ((code & PageFaultError.Write) != 0) bits.Add("W/R");
        if ((code & PageFaultError.User) != 0) bits.Add("U/S");
        if ((code & PageFaultError.Reserved) != 0) bits.Add("RSVD");
        if ((code & PageFaultError.Fetch) != 0) bits.Add("I/D");
        return new AccessCheck(name, true, code, $"A {name} raises #PF with error code 0x{code:x}{(bits.Count > 0 ? $" ({string.Join(' ', bits)})" : " (no bit set)")}: {why}.");
    }
}
