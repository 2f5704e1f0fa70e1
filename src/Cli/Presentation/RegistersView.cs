using System.IO;
using System.Runtime.Intrinsics;
using System.Text.Json;
using Introspection.State;
using Introspection.Text;
using Vmm.Cpu;
using Vmm.Platform;

namespace Cli.Presentation;

/// <summary>A vCPU's registers as text and as JSON.</summary>
internal static class RegistersView
{
    private static readonly string[] s_general =
        ["RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI", "R8", "R9", "R10", "R11", "R12", "R13", "R14", "R15"];
    private static readonly string[] s_segments = ["ES", "CS", "SS", "DS", "FS", "GS", "", "LDTR", "TR"];
    private static readonly int[] s_segmentOrder =
        [SegmentIndex.Cs, SegmentIndex.Ss, SegmentIndex.Ds, SegmentIndex.Es, SegmentIndex.Fs, SegmentIndex.Gs, SegmentIndex.Ldtr, SegmentIndex.Tr];

    public static void Write(TextWriter output, Machine machine, Vcpu vcpu, bool all)
    {
        ref VcpuState s = ref vcpu.State;
        output.WriteLine($"position {machine.Position}, vCPU {vcpu.Index}{(vcpu.Index == machine.CurrentCpuIndex ? " (its turn)" : "")}: {Mode(machine, vcpu)}");
        output.WriteLine();
        for (int i = 0; i < 16; i += 4)
        {
            for (int j = i; j < i + 4; j++) output.Write($"{s_general[j],-3} {s.General[j]:x16}{(j == i + 3 ? "\n" : "  ")}");
        }
        output.WriteLine($"RIP {s.Rip:x16}  {Disassembly.AtRip(machine, vcpu)}");
        ulong flags = s.ReadRFlags();
        output.WriteLine($"RFLAGS {flags:x8}  {BitNames.FlagsText(flags)}");
        output.WriteLine();
        foreach (int i in s_segmentOrder)
        {
            ref SegmentRegister segment = ref s.Segment(i);
            output.WriteLine($"{s_segments[i],-4} {segment.Selector:x4}  base {segment.Base:x16}  limit {segment.Limit:x8}  {DescribeSegment(segment)}");
        }
        output.WriteLine($"GDTR       base {s.GdtrBase:x16}  limit {s.GdtrLimit:x4}");
        output.WriteLine($"IDTR       base {s.IdtrBase:x16}  limit {s.IdtrLimit:x4}");
        output.WriteLine();
        output.WriteLine($"CR0  {s.Cr0:x16}  {BitNames.SetAscending(s.Cr0, BitNames.Cr0)}");
        output.WriteLine($"CR2  {s.Cr2:x16}");
        output.WriteLine($"CR3  {s.Cr3:x16}");
        output.WriteLine($"CR4  {s.Cr4:x16}  {BitNames.SetAscending(s.Cr4, BitNames.Cr4)}");
        output.WriteLine($"EFER {s.Efer:x16}  {BitNames.SetAscending(s.Efer, BitNames.Efer)}");
        if (all) WriteRest(output, ref s);
    }

    public static void Write(Utf8JsonWriter json, Machine machine, Vcpu vcpu)
    {
        ref VcpuState s = ref vcpu.State;
        json.WritePosition("position", machine.Position);
        json.WriteNumber("cpu", vcpu.Index);
        json.WriteNumber("currentCpu", machine.CurrentCpuIndex);
        json.WriteString("activity", s.Activity.ToString());
        json.WriteNumber("cpl", s.Cpl);
        json.WriteNumber("codeSize", new GuestView(machine, vcpu).CodeSize);
        json.WriteString("instruction", Disassembly.AtRip(machine, vcpu));
        for (int i = 0; i < 16; i++) json.WriteHexadecimal(s_general[i].ToLowerInvariant(), s.General[i]);
        json.WriteHexadecimal("rip", s.Rip);
        json.WriteHexadecimal("rflags", s.ReadRFlags());
        json.WriteStartObject("segments");
        foreach (int i in s_segmentOrder)
        {
            ref SegmentRegister segment = ref s.Segment(i);
            json.WriteStartObject(s_segments[i].ToLowerInvariant());
            json.WriteHexadecimal("selector", segment.Selector);
            json.WriteHexadecimal("base", segment.Base);
            json.WriteHexadecimal("limit", segment.Limit);
            json.WriteHexadecimal("accessRights", segment.AccessRights);
            json.WriteEndObject();
        }
        json.WriteEndObject();
        json.WriteHexadecimal("gdtrBase", s.GdtrBase);
        json.WriteHexadecimal("gdtrLimit", s.GdtrLimit);
        json.WriteHexadecimal("idtrBase", s.IdtrBase);
        json.WriteHexadecimal("idtrLimit", s.IdtrLimit);
        json.WriteHexadecimal("cr0", s.Cr0);
        json.WriteHexadecimal("cr2", s.Cr2);
        json.WriteHexadecimal("cr3", s.Cr3);
        json.WriteHexadecimal("cr4", s.Cr4);
        json.WriteHexadecimal("cr8", s.Cr8);
        json.WriteHexadecimal("xcr0", s.Xcr0);
        json.WriteHexadecimal("efer", s.Efer);
        json.WriteStartArray("xmm");
        for (int i = 0; i < 16; i++) json.WriteStringValue(HexadecimalOf(s.XmmAs<ulong>(i)));
        json.WriteEndArray();
        json.WriteHexadecimal("mxcsr", s.Mxcsr);
    }

    /// <summary>"running, ring 0, 64-bit code, 4-level paging".</summary>
    public static string Mode(Machine machine, Vcpu vcpu)
    {
        ref VcpuState s = ref vcpu.State;
        string activity = s.Activity switch
        {
            VcpuActivity.Halted => "halted",
            VcpuActivity.WaitingForSipi => "waiting to be started (SIPI)",
            VcpuActivity.Shutdown => "shut down by a triple fault",
            _ => "running",
        };
        string mode = VcpuText.Mode(new GuestView(machine, vcpu)), code = s.IsProtected && !s.IsVirtual8086 ? " code" : "";
        string paging = Vmm.Paging.PagingControls.Of(s).Mode switch
        {
            Vmm.Paging.PagingMode.None => "no paging",
            Vmm.Paging.PagingMode.TwoLevel => "2-level paging",
            Vmm.Paging.PagingMode.Pae => "PAE paging",
            _ => "4-level paging",
        };
        return $"{activity}, {mode}{code}, {paging}";
    }

    private static string DescribeSegment(in SegmentRegister segment)
    {
        if (!segment.IsPresent) return "not present";
        if (!segment.IsCodeOrData) return $"system type {segment.Type:x}";
        string size = segment.IsLong ? "64-bit" : segment.IsDefault32 ? "32-bit" : "16-bit";
        string kind = segment.IsCode ? $"{size} code{(segment.IsReadable ? "" : ", execute only")}" : segment.IsWritable ? "data" : "data, read only";
        return $"{kind}, DPL {segment.Dpl}";
    }

    private static void WriteRest(TextWriter output, ref VcpuState s)
    {
        output.WriteLine($"CR8  {s.Cr8:x16}");
        output.WriteLine($"XCR0 {s.Xcr0:x16}");
        output.WriteLine();
        for (int i = 0; i < 8; i++)
            if (i is not (4 or 5)) output.WriteLine($"DR{i}  {s.Debug[i]:x16}");
        output.WriteLine();
        (string Name, ulong Value)[] msrs =
        [
            ("IA32_APIC_BASE", s.ApicBase), ("IA32_STAR", s.Star), ("IA32_LSTAR", s.Lstar), ("IA32_CSTAR", s.Cstar), ("IA32_FMASK", s.SfMask),
            ("IA32_FS_BASE", s.Segment(SegmentIndex.Fs).Base), ("IA32_GS_BASE", s.Segment(SegmentIndex.Gs).Base),
            ("IA32_KERNEL_GS_BASE", s.KernelGsBase), ("IA32_SYSENTER_CS", s.SysenterCs), ("IA32_SYSENTER_ESP", s.SysenterEsp),
            ("IA32_SYSENTER_EIP", s.SysenterEip), ("IA32_PAT", s.Pat), ("IA32_TSC_AUX", s.TscAux), ("IA32_TSC_ADJUST", s.TscAdjust),
            ("IA32_MISC_ENABLE", s.MiscEnable),
        ];
        foreach ((string name, ulong value) in msrs) output.WriteLine($"{name,-20} {value:x16}");
        output.WriteLine();
        output.WriteLine($"x87 control {s.X87Control:x4}, status {s.X87Status:x4} (top {s.X87Status >> 11 & 7}), tags {s.X87Tags:x2}");
        for (int i = 0; i < 8; i++)
        {
            int physical = (i + (s.X87Status >> 11)) & 7;
            ref X87Register register = ref s.X87[physical];
            string state = (s.X87Tags >> physical & 1) != 0 ? "" : "  empty";
            output.WriteLine($"ST{i}  {register.SignExponent:x4} {register.Significand:x16}{state}");
        }
        output.WriteLine($"MXCSR {s.Mxcsr:x8}");
        for (int i = 0; i < 16; i++) output.WriteLine($"XMM{i,-2} {HexadecimalOf(s.XmmAs<ulong>(i))}");
    }

    private static string HexadecimalOf(Vector128<ulong> value) => $"{value.GetElement(1):x16}{value.GetElement(0):x16}";
}
