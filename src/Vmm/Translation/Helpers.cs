using System;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Vmm.Cpu;
using Vmm.Decoding;
using Vmm.Memory;
using Vmm.Paging;

namespace Vmm.Translation;

/// <summary>What generated code calls when it cannot do something itself. Each gets the frame of its vCPU; none may throw.</summary>
[SuppressMessage("Design", "CA1031", Justification = "an exception must not unwind generated code; the translator throws it again behind it")]
internal static unsafe class Helpers
{
    public static nint SlowReadAddress => (nint)(delegate* unmanaged<nint, int>)&SlowRead;
    public static nint SlowWriteAddress => (nint)(delegate* unmanaged<nint, int>)&SlowWrite;
    public static nint ExecuteAddress => (nint)(delegate* unmanaged<nint, int>)&Execute;
    public static nint ReportAddress => (nint)(delegate* unmanaged<nint, int>)&Report;
    public static nint OpenWindowAddress => (nint)(delegate* unmanaged<nint, int>)&OpenWindow;
    public static nint ComputeFlagsAddress => (nint)(delegate* unmanaged<nint, int>)&ComputeFlags;

    /// <summary>Calls generated code: the entry routine, the frame, and where to begin.</summary>
    public static int Enter(nint enter, nint frame, nint code) => ((delegate* unmanaged<nint, nint, int>)enter)(frame, code);

    /// <summary>Where the vCPU is, as everybody outside sees it.</summary>
    private static ref readonly Site Locate(VcpuTranslation t)
    {
        ref readonly Site site = ref t.Translator.Sites[t.Room.Site];
        Vcpu c = t.Vcpu;
        c.CurrentBlock = site.Block;
        c.OpIndex = site.Index;
        c.CountBase = t.CountAtBlock;
        return ref site;
    }

    [UnmanagedCallersOnly]
    private static int SlowRead(nint frame) => Guarded(frame, &Read);

    [UnmanagedCallersOnly]
    private static int SlowWrite(nint frame) => Guarded(frame, &Write);

    [UnmanagedCallersOnly]
    private static int Execute(nint frame) => Guarded(frame, &ExecuteAndGoOn);

    [UnmanagedCallersOnly]
    private static int Report(nint frame) => Guarded(frame, &ReportAndGoOn);

    /// <summary>What a helper throws is kept, and the code is left.</summary>
    private static int Guarded(nint frame, delegate*<VcpuTranslation, int> help)
    {
        VcpuTranslation t = VcpuTranslation.Of(frame);
        try
        {
            return help(t);
        }
        catch (Exception e)
        {
            t.Thrown = e;
            t.Count = t.Vcpu.CurrentCount;
            return 1;
        }
    }

    /// <summary>Reads what the TLB does not know into the buffer (or makes sure that it can be written). Returns 0, or 1 if the handler has done the instruction.</summary>
    private static int Read(VcpuTranslation t)
    {
        t.Translator.Counters.SlowReads++;
        ref readonly Site site = ref Locate(t);
        ref EngineRoom room = ref t.Room;
        Mmu mmu = t.Vcpu.Mmu;
        if (!mmu.IsPlain(room.SlowAddress, site.SizeBytes, site.Access == Access.Read ? AccessKind.Read : AccessKind.Write))
        {
            Execute(t, in site);
            return 1;
        }
        if (site.Access != Access.Write) mmu.ReadSlow(room.SlowAddress, BufferOf(ref room, site));
        return 0;
    }

    /// <summary>Writes the buffer. Returns 1 if the machine wants to look behind the instruction.</summary>
    private static int Write(VcpuTranslation t)
    {
        t.Translator.Counters.SlowWrites++;
        ref readonly Site site = ref Locate(t);
        ref EngineRoom room = ref t.Room;
        t.Vcpu.Mmu.WriteSlow(room.SlowAddress, BufferOf(ref room, site));
        return t.Vcpu.BlockLimit == 0 ? 1 : 0;
    }

    private static Span<byte> BufferOf(ref EngineRoom room, in Site site) => MemoryMarshal.AsBytes(new Span<ulong>(ref room.Buffer))[..site.SizeBytes];

    /// <summary>Executes the site's instruction by its handler. Returns 0 if the code goes on behind it.</summary>
    private static int ExecuteAndGoOn(VcpuTranslation t)
    {
        t.Translator.Counters.HandlerCalls++;
        if (!Execute(t, in Locate(t))) return 1;
        t.Room.Budget = (long)(t.Limit - VcpuTranslation.Margin - t.Vcpu.CountBase);
        return 0;
    }

    /// <summary>Reports the breakpoint at the top of the site's block. Returns 0 if the code goes on there.</summary>
    private static int ReportAndGoOn(VcpuTranslation t)
    {
        t.Translator.Counters.Reports++;
        ref readonly Site site = ref Locate(t);
        Vcpu c = t.Vcpu;
        DeferredFlags.Settle(ref t.Room, ref c.State);
        c.State.Rip = site.Block.Rip;
        c.Interpreter.ReportBreakpoint();
        if (c.StopsBefore)
        {
            c.StopsBefore = false;
            c.BlockLimit = 0;
            (t.Faulted, t.Count) = (false, t.CountAtBlock);
            return 1;
        }
        if (c.BlockLimit != 0) return 0;
        // Whoever wants to look does so behind the instruction, as everywhere.
        Execute(t, in site);
        return 1;
    }

    /// <summary>Executes an instruction by its handler; count, RIP and fault are left as they are behind it. True: it is retired, and nobody wants to look.</summary>
    private static bool Execute(VcpuTranslation t, in Site site)
    {
        Vcpu c = t.Vcpu;
        DeferredFlags.Settle(ref t.Room, ref c.State);
        ref readonly DecodedInstruction d = ref site.Block.Instructions[site.Index];
        Completion completion = d.Handler.Invoke(c, in d);
        t.Faulted = completion == Completion.Fault;
        t.Count = c.CurrentCount + (t.Faulted ? 0U : 1U);
        if (completion is Completion.Fault or Completion.Repeat) c.State.Rip = d.Rip;
        else if (completion == Completion.Next) c.State.Rip = d.NextRip;
        return completion == Completion.Next && c.BlockLimit != 0;
    }

    /// <summary>The guest's flags as SAHF and an addition take them.</summary>
    [UnmanagedCallersOnly]
    private static int ComputeFlags(nint frame)
    {
        VcpuTranslation t = VcpuTranslation.Of(frame);
        ref VcpuState s = ref t.Vcpu.State;
        t.Translator.Counters.FlagCalls++;
        DeferredFlags.Settle(ref t.Room, ref s);
        t.Room.HostFlags = (ushort)((byte)s.ReadRFlags() << 8 | (s.Overflow() ? 1 : 0));
        return 0;
    }

    /// <summary>A window for loads was missed often: the value register has its number.</summary>
    [UnmanagedCallersOnly]
    private static int OpenWindow(nint frame)
    {
        VcpuTranslation t = VcpuTranslation.Of(frame);
        t.Translator.Counters.WindowsOpened++;
        t.Vcpu.Mmu.OpenWindow((int)t.Room.SavedValue, t.Room.SlowAddress);
        return 0;
    }
}
