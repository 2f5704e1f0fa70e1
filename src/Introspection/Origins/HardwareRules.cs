using System;
using Introspection.Text;
using Vmm.Cpu;
using Vmm.Inputs;
using Vmm.Platform;

namespace Introspection.Origins;

/// <summary>What happens without an instruction asking for that value: deliveries, chips, signals between processors.</summary>
internal static class HardwareRules
{
    /// <summary>A transition that was no instruction of the register's vCPU.</summary>
    public static Explanation Delivered(Transition transition, ValueLocation location)
    {
        if (location.IsRegister && location.CpuIndex != transition.CpuIndex)
            return Explanation.End(OriginKind.Hardware, $"{ValueLocation.Text(transition.Value)}: vCPU {location.CpuIndex} was reset by a signal from vCPU {transition.CpuIndex}");
        if (!location.IsRegister && Frame(transition, location) is { } frame) return frame;
        return Explanation.End(Delivery(transition) is null ? OriginKind.Unexplained : OriginKind.Hardware,
            Delivery(transition) is { } what ? $"{ValueLocation.Text(transition.Value)}: {what}" : "it changed without an instruction, and what did so is not known");
    }

    /// <summary>A slot of the frame that a delivery pushed (SDM 3A 6.12.1, 6.14.2); null: it is none.</summary>
    public static Explanation? Frame(Transition transition, ValueLocation location)
    {
        string? what = Delivery(transition);
        foreach (MachineEvent e in transition.Events)
        {
            if (e.Kind != MachineEventKind.Write || e.Number == -1 || location.Address - e.Physical >= (ulong)Math.Max(1, e.SizeBytes)) continue;
            if (what is null) return null;
            bool hasCode = transition.Find(MachineEventKind.Exception) is { } exception && HasErrorCode((int)exception.Number);
            ulong slot = (e.Address - StackOf(transition.After)) / (ulong)Math.Max(1, e.SizeBytes);
            if (hasCode && slot-- == 0) return Explanation.End(OriginKind.Hardware, $"{ValueLocation.Text(transition.Value)}: the error code, {what}");
            string name = slot switch { 0 => "RIP", 1 => "CS", 2 => "RFLAGS", 3 => "RSP", 4 => "SS", _ => "a part of the frame" };
            return Explanation.End(OriginKind.Hardware, $"{ValueLocation.Text(transition.Value)}: {name} of the interrupted code, {what}");
        }
        return null;
    }

    /// <summary>DMA, or accessed and dirty bits.</summary>
    public static Explanation StoredByChip(Transition transition)
    {
        string value = ValueLocation.Text(transition.Value);
        if (transition.Has(MachineEventKind.Input)) return Explanation.End(OriginKind.Dma, $"{value}: a chip stored it when an input arrived");
        bool isAccess = transition.Has(MachineEventKind.PortWrite) || transition.Has(MachineEventKind.MmioWrite) || transition.Has(MachineEventKind.PortRead);
        if (isAccess) return Explanation.End(OriginKind.Dma, $"{value}: a chip stored it when {transition.Text} told it to");
        if (!transition.IsInstruction && Delivery(transition) is null) return Explanation.End(OriginKind.Dma, $"{value}: a chip stored it by itself");
        return Explanation.End(OriginKind.Processor, $"{value}: the processor set accessed or dirty bits in a page table");
    }

    public static Explanation ReadFromChip(Transition transition, ulong physical, UInt128 value)
    {
        foreach (MachineEvent e in transition.Events)
            if (e.Kind == MachineEventKind.MmioRead && physical - e.Physical < 16)
                return Explanation.End(OriginKind.Mmio, $"{ValueLocation.Text(value)}: read from {ChipAt(e.Physical)} at physical {Hexadecimal.Of(e.Physical)}");
        return Explanation.End(OriginKind.Mmio, $"{ValueLocation.Text(value)}: read from physical {Hexadecimal.Of(physical)}, where there is no RAM");
    }

    private static string ChipAt(ulong physical) => physical switch
    {
        >= PlatformLayout.LocalApicBase and < PlatformLayout.LocalApicBase + 0x1000 => "the local APIC",
        >= PlatformLayout.IoApicBase and < PlatformLayout.IoApicBase + 0x1000 => "the I/O APIC",
        >= PlatformLayout.PciHoleStart and <= PlatformLayout.PciHoleLast => "a PCI function",
        _ => "a chip",
    };

    private static string? Delivery(Transition transition)
    {
        if (transition.Find(MachineEventKind.Exception) is { } exception) return $"as exception {exception.Number} ({(Vector)exception.Number}) was delivered";
        if (transition.Find(MachineEventKind.Interrupt) is { } interrupt) return $"as interrupt {Hexadecimal.Of((ulong)interrupt.Number)} was delivered";
        if (transition.Find(MachineEventKind.SoftwareInterrupt) is { } software)
            return software.Number < 0 ? "as a system call entered the kernel" : $"as software interrupt {software.Number} was delivered";
        return transition.Find(MachineEventKind.Input) is { } input ? $"as input {(InputKind)input.Number} arrived" : null;
    }

    private static ulong StackOf(VcpuState state)
    {
        bool isFlat = state.IsLongMode && state.Segment(SegmentIndex.Cs).IsLong;
        ref SegmentRegister ss = ref state.Segment(SegmentIndex.Ss);
        return isFlat ? state.Rsp : (uint)(ss.Base + (ss.IsDefault32 ? (uint)state.Rsp : (ushort)state.Rsp));
    }

    private static bool HasErrorCode(int vector) => vector is 8 or (>= 10 and <= 14) or 17 or 21;
}
