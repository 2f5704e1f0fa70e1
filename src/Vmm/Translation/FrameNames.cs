using System.Collections.Generic;
using Iced.Intel;
using Vmm.Cpu;
using Vmm.Paging;

namespace Vmm.Translation;

/// <summary>What generated code reaches in the vCPU's frame, by name, for people who read it.</summary>
internal static class FrameNames
{
    /// <summary>Names by offset from the frame.</summary>
    public static IReadOnlyDictionary<int, string> Of(TranslationMode mode)
    {
        var names = new Dictionary<int, string>();
        for (Register register = Register.RAX; register <= Register.R15; register++)
            Add(StateField.General(register - Register.RAX), $"guest_{register.ToString().ToLowerInvariant()}");
        AddWindow(TlbWindow.OfStackPointer, "rsp");
        AddWindow(TlbWindow.OfBasePointer, "rbp");
        AddWindow(TlbWindow.OfLowHalf, "low");
        AddWindow(TlbWindow.OfHighHalf, "high");
        int tlb = VcpuFrame.TlbOffsetOf(mode.TlbIndex);
        names[tlb + TlbOffset.ReadTag] = "tlb_read_tag";
        names[tlb + TlbOffset.WriteTag] = "tlb_write_tag";
        names[tlb + TlbOffset.Addend] = "tlb_addend";
        Add(StateField.Rip, "guest_rip");
        Add(StateField.X87Control, "guest_fcw");
        Add(StateField.SegmentBase(SegmentIndex.Fs), "guest_fs_base");
        Add(StateField.SegmentBase(SegmentIndex.Gs), "guest_gs_base");
        Add(EngineRoom.JumpCacheField, "jump_cache");
        Add(EngineRoom.BudgetField, "budget");
        Add(EngineRoom.SiteField, "site");
        Add(EngineRoom.ExitCodeField, "exit_code");
        Add(EngineRoom.OpenInlineCacheField, "open_inline_cache");
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
            names[offset + TlbOffset.WindowStart] = $"{register}_window_start";
            names[offset + TlbOffset.WindowSize] = $"{register}_window_size";
            names[offset + TlbOffset.WindowHost] = $"{register}_window_host";
            names[offset + TlbOffset.WindowPatience] = $"{register}_window_patience";
        }
    }
}
