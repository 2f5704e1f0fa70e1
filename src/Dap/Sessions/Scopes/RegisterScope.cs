using System.Collections.Generic;
using System.Runtime.Intrinsics;
using Dap.Handles;
using Dap.Protocol;
using Vmm.Cpu;

namespace Dap.Sessions.Scopes;

/// <summary>A vCPU's registers: the general ones at once, the others in groups.</summary>
internal sealed class RegisterScope(Session session, int cpuIndex)
{
    private static readonly (int Index, string Name)[] s_segments =
    [
        (SegmentIndex.Cs, "cs"), (SegmentIndex.Ss, "ss"), (SegmentIndex.Ds, "ds"), (SegmentIndex.Es, "es"), (SegmentIndex.Fs, "fs"), (SegmentIndex.Gs, "gs"),
        (SegmentIndex.Ldtr, "ldtr"), (SegmentIndex.Tr, "tr"),
    ];

    public VariableSource Source => VariableSource.Of(Read) with { Set = Set, CpuIndex = cpuIndex };

    private ref VcpuState State => ref session.Machine.Vcpus[cpuIndex].State;

    private bool Set(string name, ulong value)
    {
        if (!RegisterFile.CanSet(name)) return false;
        session.Divert();
        return RegisterFile.TrySet(ref State, name, value);
    }

    private List<Variable> Read()
    {
        ref VcpuState s = ref State;
        ulong flags = s.ReadRFlags();
        var list = new List<Variable>();
        foreach (string name in RegisterFile.General) list.Add(Address(name, RegisterFile.Get(ref s, name)!.Value));
        list.Add(Address("rip", s.Rip));
        list.Add(Group("rflags", $"{Hexadecimal.Padded(flags, 32)} {BitNames.Set(flags, BitNames.Flags)}", () => Bits(State.ReadRFlags(), BitNames.Flags, iopl: true)) with
        {
            EvaluateName = "rflags",
        });
        list.Add(Group("Segments", $"cs {s.Segment(SegmentIndex.Cs).Selector:x4}, ss {s.Segment(SegmentIndex.Ss).Selector:x4}", Segments));
        list.Add(Group("Control", $"cr0 {BitNames.Set(s.Cr0, BitNames.Cr0)}", Control));
        list.Add(Group("Debug", "dr0 to dr3, dr6, dr7", Debug));
        list.Add(Group("Model-specific", "efer, syscall, apic, pat, ...", ModelSpecific));
        list.Add(Group("x87", $"control {s.X87Control:x4}, status {s.X87Status:x4}", X87));
        list.Add(Group("SSE", $"mxcsr {s.Mxcsr:x8}", Sse));
        return list;
    }

    private List<Variable> Segments()
    {
        var list = new List<Variable>();
        foreach ((int index, string name) in s_segments)
        {
            SegmentRegister segment = State.Segment(index);
            list.Add(Group(name, $"{segment.Selector:x4} {Describe(segment)}", () =>
            [
                Plain("selector", $"0x{segment.Selector:x4} (index {segment.Selector >> 3}, {((segment.Selector & 4) != 0 ? "LDT" : "GDT")}, RPL {segment.Selector & 3})"),
                Address("base", segment.Base),
                Plain("limit", Hexadecimal.Padded(segment.Limit, 32)),
                Plain("access rights", $"0x{segment.AccessRights:x4}: {Describe(segment)}"),
            ]));
        }
        list.Add(Group("gdtr", $"{State.GdtrBase:x16}", () => [Address("base", State.GdtrBase), Plain("limit", Hexadecimal.Padded(State.GdtrLimit, 16))]));
        list.Add(Group("idtr", $"{State.IdtrBase:x16}", () => [Address("base", State.IdtrBase), Plain("limit", Hexadecimal.Padded(State.IdtrLimit, 16))]));
        return list;
    }

    private static string Describe(in SegmentRegister segment)
    {
        if (!segment.IsPresent) return "not present";
        if (!segment.IsCodeOrData) return $"system segment of type {segment.Type:x}";
        string size = segment.IsLong ? "64-bit" : segment.IsDefault32 ? "32-bit" : "16-bit";
        string kind = segment.IsCode ? $"{size} code{(segment.IsReadable ? "" : ", execute only")}" : segment.IsWritable ? "data" : "data, read only";
        return $"{kind}, DPL {segment.Dpl}";
    }

    private List<Variable> Control()
    {
        ref VcpuState s = ref State;
        return
        [
            Group("cr0", $"{Hexadecimal.Padded(s.Cr0, 64)} {BitNames.Set(s.Cr0, BitNames.Cr0)}", () => Bits(State.Cr0, BitNames.Cr0)),
            Address("cr2", s.Cr2),
            Plain("cr3", Hexadecimal.Padded(s.Cr3, 64)) with { MemoryReference = new MemoryPlace(s.Cr3 & ~0xFFFUL, true).ToString() },
            Group("cr4", $"{Hexadecimal.Padded(s.Cr4, 64)} {BitNames.Set(s.Cr4, BitNames.Cr4)}", () => Bits(State.Cr4, BitNames.Cr4)),
            Plain("cr8", Hexadecimal.Padded(s.Cr8, 64)),
            Group("efer", $"{Hexadecimal.Padded(s.Efer, 64)} {BitNames.Set(s.Efer, BitNames.Efer)}", () => Bits(State.Efer, BitNames.Efer)),
            Plain("xcr0", Hexadecimal.Padded(s.Xcr0, 64)),
        ];
    }

    private List<Variable> Debug()
    {
        var list = new List<Variable>();
        for (int i = 0; i < 8; i++)
            if (i is not (4 or 5)) list.Add(i < 4 ? Address($"dr{i}", State.Debug[i]) : Plain($"dr{i}", Hexadecimal.Padded(State.Debug[i], 64)));
        return list;
    }

    private List<Variable> ModelSpecific()
    {
        ref VcpuState s = ref State;
        return
        [
            Plain("IA32_EFER", Hexadecimal.Padded(s.Efer, 64)), Plain("IA32_STAR", Hexadecimal.Padded(s.Star, 64)), Address("IA32_LSTAR", s.Lstar),
            Address("IA32_CSTAR", s.Cstar), Plain("IA32_FMASK", Hexadecimal.Padded(s.SfMask, 64)), Address("IA32_FS_BASE", s.Segment(SegmentIndex.Fs).Base),
            Address("IA32_GS_BASE", s.Segment(SegmentIndex.Gs).Base), Address("IA32_KERNEL_GS_BASE", s.KernelGsBase),
            Plain("IA32_SYSENTER_CS", Hexadecimal.Padded(s.SysenterCs, 64)), Address("IA32_SYSENTER_ESP", s.SysenterEsp),
            Address("IA32_SYSENTER_EIP", s.SysenterEip), Plain("IA32_APIC_BASE", Hexadecimal.Padded(s.ApicBase, 64)), Plain("IA32_PAT", Hexadecimal.Padded(s.Pat, 64)),
            Plain("IA32_TSC_AUX", Hexadecimal.Padded(s.TscAux, 64)), Plain("IA32_TSC_ADJUST", Hexadecimal.Padded(s.TscAdjust, 64)),
            Plain("IA32_MISC_ENABLE", Hexadecimal.Padded(s.MiscEnable, 64)),
        ];
    }

    private List<Variable> X87()
    {
        ref VcpuState s = ref State;
        int top = s.X87Status >> 11 & 7;
        var list = new List<Variable>
        {
            Plain("control", $"{Hexadecimal.Padded(s.X87Control, 16)} (precision {s.X87Control >> 8 & 3}, rounding {s.X87Control >> 10 & 3})"),
            Group("status", $"{Hexadecimal.Padded(s.X87Status, 16)} (top {top}) {BitNames.Set(s.X87Status, BitNames.X87Status)}", () => Bits(State.X87Status, BitNames.X87Status)),
            Plain("tags", Hexadecimal.Padded(s.X87Tags, 8)),
        };
        for (int i = 0; i < 8; i++)
        {
            int physical = (i + top) & 7;
            X87Register register = s.X87[physical];
            bool isEmpty = (s.X87Tags >> physical & 1) == 0;
            list.Add(Plain($"st{i}", $"{register.SignExponent:x4} {register.Significand:x16} = {FloatText.Of(register)}{(isEmpty ? " (empty)" : "")}"));
        }
        return list;
    }

    private List<Variable> Sse()
    {
        var list = new List<Variable>
        {
            Group("mxcsr", $"{Hexadecimal.Padded(State.Mxcsr, 32)} {BitNames.Set(State.Mxcsr, BitNames.Mxcsr)}", () => Bits(State.Mxcsr, BitNames.Mxcsr)),
        };
        for (int i = 0; i < 16; i++)
        {
            int index = i;
            Vector128<ulong> value = State.XmmAs<ulong>(i);
            list.Add(Group($"xmm{i}", $"0x{value.GetElement(1):x16}{value.GetElement(0):x16}", () => Lanes(index)));
        }
        return list;
    }

    // The same bits as every type that instructions take them for, lowest lane first.
    private List<Variable> Lanes(int index)
    {
        Vector128<ulong> value = State.XmmAs<ulong>(index);
        return
        [
            Plain("2 doubles", Join(value.AsDouble(), FloatText.Of)), Plain("4 singles", Join(value.AsSingle(), FloatText.Of)), Plain("2 quadwords", Join(value, Hexadecimal.Of)),
            Plain("4 doublewords", Join(value.AsInt32(), static lane => $"{lane}")), Plain("8 words", Join(value.AsInt16(), static lane => $"{lane}")),
            Plain("16 bytes", Join(value.AsByte(), static lane => $"{lane:x2}")),
        ];
    }

    private static string Join<T>(Vector128<T> value, System.Func<T, string> text)
    {
        var lanes = new List<string>();
        for (int i = 0; i < Vector128<T>.Count; i++) lanes.Add(text(value.GetElement(i)));
        return string.Join(", ", lanes);
    }

    private static List<Variable> Bits(ulong value, IReadOnlyList<NamedBit> bits, bool iopl = false)
    {
        var list = new List<Variable>();
        foreach (NamedBit bit in bits) list.Add(Plain(bit.Name, $"{value >> bit.Bit & 1} ({bit.Meaning})"));
        if (iopl) list.Add(Plain("IOPL", $"{value >> 12 & 3} (I/O privilege level)"));
        return list;
    }

    private Variable Group(string name, string value, System.Func<IReadOnlyList<Variable>> read) =>
        new() { Name = name, Value = value, VariablesReference = session.Variables.Add(VariableSource.Of(read) with { CpuIndex = cpuIndex }) };

    // What may be a pointer can be looked at as memory.
    private Variable Address(string name, ulong value) =>
        Plain(name, session.Number(value, 64)) with { MemoryReference = Hexadecimal.Of(value), EvaluateName = RegisterFile.CanSet(name) ? name : null };

    private static Variable Plain(string name, string value) => new() { Name = name, Value = value, VariablesReference = 0 };
}
