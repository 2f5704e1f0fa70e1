using System.Collections.Generic;
using Vmm.Cpu;
using Vmm.Paging;

namespace Vmm.Translation;

/// <summary>What generated code reaches in the vCPU's frame, by name, for people who read it.</summary>
internal static class FrameNames
{
    private static readonly string[] s_registers =
        ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"];

    /// <summary>Names by offset from the state.</summary>
    public static IReadOnlyDictionary<int, string> Of(TranslationMode mode)
    {
        var names = new Dictionary<int, string>();
        for (int register = 0; register < s_registers.Length; register++) Add(StateField.General(register), $"guest_{s_registers[register]}");
        AddWindow(TlbWindow.OfStackPointer, "rsp");
        AddWindow(TlbWindow.OfBasePointer, "rbp");
        int tlb = VcpuFrame.TlbOffsetOf(mode.TlbIndex);
        names[tlb + (int)Offset<TlbEntry>(nameof(TlbEntry.ReadTag))] = "tlb_read_tag";
        names[tlb + (int)Offset<TlbEntry>(nameof(TlbEntry.WriteTag))] = "tlb_write_tag";
        names[tlb + (int)Offset<TlbEntry>(nameof(TlbEntry.Addend))] = "tlb_addend";
        Add(StateField.Rip, "guest_rip");
        Add(StateField.SegmentBase(SegmentIndex.Fs), "guest_fs_base");
        Add(StateField.SegmentBase(SegmentIndex.Gs), "guest_gs_base");
        Add(EngineRoom.JumpCacheField, "jump_cache");
        Add(EngineRoom.BudgetField, "budget");
        Add(EngineRoom.SiteField, "site");
        Add(EngineRoom.ExitCodeField, "exit_code");
        Add(EngineRoom.FlagKindField, "flag_kind");
        Add(EngineRoom.FlagXField, "flag_x");
        Add(EngineRoom.FlagYField, "flag_y");
        Add(EngineRoom.FlagIncrementField, "flag_increment");
        Add(EngineRoom.CarryInField, "carry_in");
        Add(EngineRoom.OtherCarryField, "other_carry");
        Add(EngineRoom.OtherOverflowField, "other_overflow");
        Add(EngineRoom.OtherZeroField, "other_zero");
        Add(EngineRoom.TargetField, "target");
        Add(EngineRoom.BufferField, "buffer");
        return names;

        void Add(in Operand field, string name) => names[field.Displacement] = name;

        void AddWindow(int window, string register)
        {
            int offset = VcpuFrame.WindowOffsetOf(mode.TlbIndex, window);
            names[offset + (int)Offset<TlbWindow>(nameof(TlbWindow.Page))] = $"{register}_window_page";
            names[offset + (int)Offset<TlbWindow>(nameof(TlbWindow.Size))] = $"{register}_window_size";
            names[offset + (int)Offset<TlbWindow>(nameof(TlbWindow.Host))] = $"{register}_window_host";
        }
    }

    private static nint Offset<T>(string field) => System.Runtime.InteropServices.Marshal.OffsetOf<T>(field);
}
