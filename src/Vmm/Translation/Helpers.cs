using System;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Vmm.Cpu;
using Vmm.Decoding;
using Vmm.Memory;

namespace Vmm.Translation;

/// <summary>What generated code calls when it cannot do something itself. Each gets the frame of its vCPU; none may throw.</summary>
[SuppressMessage("Design", "CA1031", Justification = "an exception must not unwind generated code; the translator throws it again behind it")]
internal static unsafe class Helpers
{
    public static nint SlowReadAddress => (nint)(delegate* unmanaged<nint, int>)&SlowRead;
    public static nint SlowWriteAddress => (nint)(delegate* unmanaged<nint, int>)&SlowWrite;
    public static nint ExecuteAddress => (nint)(delegate* unmanaged<nint, int>)&Execute;
    public static nint ComputeFlagsAddress => (nint)(delegate* unmanaged<nint, int>)&ComputeFlags;

    /// <summary>Calls generated code: the entry routine, the frame, and where to begin.</summary>
    public static int Enter(nint enter, nint frame, nint code) => ((delegate* unmanaged<nint, nint, int>)enter)(frame, code);

    /// <summary>Where the vCPU is, as everybody outside sees it.</summary>
    private static Site Locate(VcpuTranslation t)
    {
        Site site = t.Translator.Sites[t.Room.Site];
        Vcpu c = t.Vcpu;
        c.CurrentBlock = site.Block;
        c.OpIndex = site.Index;
        c.CountBase = t.CountAtBlock;
        return site;
    }

    [UnmanagedCallersOnly]
    private static int SlowRead(nint frame)
    {
        VcpuTranslation t = VcpuTranslation.Of(frame);
        try
        {
            Site site = Locate(t);
            ref EngineRoom room = ref t.Room;
            Vcpu c = t.Vcpu;
            t.Translator.Counters.SlowReads++;
            bool writes = site.Access != Access.Read;
            if (writes && !c.Mmu.ProbeWrite(room.SlowAddress, site.SizeBytes)) return SlowResult.Fault;
            Span<byte> buffer = MemoryMarshal.AsBytes(new Span<ulong>(ref room.Buffer))[..site.SizeBytes];
            if (site.Access != Access.Write && !c.Mmu.ReadSlow(room.SlowAddress, buffer)) return SlowResult.Fault;
            return !writes && c.BlockLimit == 0 ? SlowResult.Behind : SlowResult.Continue;
        }
        catch (Exception e)
        {
            t.Thrown = e;
            return SlowResult.Fault;
        }
    }

    [UnmanagedCallersOnly]
    private static int SlowWrite(nint frame)
    {
        VcpuTranslation t = VcpuTranslation.Of(frame);
        try
        {
            Site site = Locate(t);
            ref EngineRoom room = ref t.Room;
            t.Translator.Counters.SlowWrites++;
            Span<byte> buffer = MemoryMarshal.AsBytes(new Span<ulong>(ref room.Buffer))[..site.SizeBytes];
            t.Vcpu.Mmu.WriteSlow(room.SlowAddress, buffer);
            return t.Vcpu.BlockLimit == 0 ? SlowResult.Behind : SlowResult.Continue;
        }
        catch (Exception e)
        {
            t.Thrown = e;
            return SlowResult.Behind;
        }
    }

    /// <summary>Executes the site's instruction by its handler. Returns 0 if the code goes on behind it.</summary>
    [UnmanagedCallersOnly]
    private static int Execute(nint frame)
    {
        VcpuTranslation t = VcpuTranslation.Of(frame);
        try
        {
            Site site = Locate(t);
            Vcpu c = t.Vcpu;
            t.Translator.Counters.HandlerCalls++;
            DeferredFlags.Settle(ref t.Room, ref c.State);
            ref readonly DecodedInstruction d = ref site.Block.Instructions[site.Index];
            Completion completion = d.Handler.Invoke(c, in d);
            if (completion == Completion.Next && c.BlockLimit != 0)
            {
                t.Room.Budget = (long)(t.Limit - VcpuTranslation.Margin - c.CountBase);
                return 0;
            }
            t.Faulted = completion == Completion.Fault;
            t.Count = c.CurrentCount + (t.Faulted ? 0U : 1U);
            if (completion is Completion.Fault or Completion.Repeat) c.State.Rip = d.Rip;
            else if (completion == Completion.Next) c.State.Rip = d.NextRip;
            return 1;
        }
        catch (Exception e)
        {
            t.Thrown = e;
            t.Count = t.Vcpu.CurrentCount;
            return 1;
        }
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
}
