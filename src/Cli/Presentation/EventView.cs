using System.Collections.Generic;
using System.Text.Json;
using Vmm.Cpu;
using Vmm.Inputs;
using Vmm.Platform;

namespace Cli.Presentation;

/// <summary>Something that happened, as text and as JSON, with the machine standing just before it.</summary>
internal static class EventView
{
    public static IEnumerable<string> Describe(Machine machine, MachineEvent e)
    {
        yield return $"position {e.At}, {(IsByDevice(e) ? "not by an instruction" : $"vCPU {CpuOf(machine, e)}")}: {What(e)}";
        if (IsByDevice(e)) yield break;
        Vcpu vcpu = machine.Vcpus[CpuOf(machine, e)];
        ulong rip = e.Rip != 0 ? e.Rip : vcpu.State.Rip;
        yield return $"  {rip:x16}  {Disassembly.At(machine, vcpu, rip)}";
    }

    public static void Write(Utf8JsonWriter json, Machine machine, in MachineEvent e)
    {
        json.WriteBoolean("found", true);
        json.WritePosition("position", e.At);
        json.WriteString("kind", e.Kind.ToString());
        int cpu = CpuOf(machine, e);
        ulong rip = e.Rip != 0 ? e.Rip : machine.Vcpus[cpu].State.Rip;
        json.WriteNumber("cpu", cpu);
        json.WriteHexadecimal("rip", rip);
        json.WriteNumber("number", e.Number);
        json.WriteHexadecimal("address", e.Address);
        json.WriteHexadecimal("physical", e.Physical);
        json.WriteNumber("sizeBytes", e.SizeBytes);
        json.WriteHexadecimal("value", e.Value);
        if (!IsByDevice(e)) json.WriteString("instruction", Disassembly.At(machine, machine.Vcpus[cpu], rip));
        json.WriteString("description", What(e));
    }

    // What was found in the log of outputs does not name its vCPU; the machine stands where it happened.
    private static int CpuOf(Machine machine, in MachineEvent e) => e.CpuIndex >= 0 ? e.CpuIndex : machine.CurrentCpuIndex;

    // A chip's DMA, or the MMU setting accessed and dirty bits.
    private static bool IsByDevice(in MachineEvent e) => e.Kind == MachineEventKind.Write && e.Number == -1;

    private static string What(in MachineEvent e) => e.Kind switch
    {
        MachineEventKind.Execute => $"executes 0x{e.Address:x}",
        MachineEventKind.Read => $"reads {Value(e)} from {Place(e)}",
        MachineEventKind.Write when IsByDevice(e) => $"{Words.Plural(e.SizeBytes, "byte")} at physical 0x{e.Physical:x} written by a chip, or as accessed and dirty bits",
        MachineEventKind.Write => $"writes {Value(e)} to {Place(e)}",
        MachineEventKind.Exception => $"exception {e.Number} ({(Vector)e.Number}), error code 0x{e.Value:x}{(e.Number == 14 ? $", address 0x{e.Address:x}" : "")}",
        MachineEventKind.Interrupt => $"interrupt 0x{e.Number:x} is delivered",
        MachineEventKind.SoftwareInterrupt => e.Number < 0 ? "a system call" : $"software interrupt 0x{e.Number:x}",
        MachineEventKind.PortRead => $"reads {Value(e)} from port 0x{e.Number:x}",
        MachineEventKind.PortWrite => $"writes {Value(e)} to port 0x{e.Number:x}",
        MachineEventKind.MmioRead => $"reads {Value(e)} from a chip at physical 0x{e.Physical:x}",
        MachineEventKind.MmioWrite => $"writes {Value(e)} to a chip at physical 0x{e.Physical:x}",
        MachineEventKind.MsrRead => $"reads 0x{e.Value:x} from MSR 0x{(uint)e.Number:x}",
        MachineEventKind.MsrWrite => $"writes 0x{e.Value:x} to MSR 0x{(uint)e.Number:x}",
        MachineEventKind.ControlRegisterWrite => $"writes 0x{e.Value:x} to CR{e.Number}",
        MachineEventKind.Output => $"prints the last byte of it on {(OutputChannel)e.Number}",
        _ => e.Kind.ToString(),
    };

    private static string Value(in MachineEvent e) => e.SizeBytes is > 0 and <= 8
        ? $"0x{(e.SizeBytes == 8 ? e.Value : e.Value & ((1UL << (e.SizeBytes * 8)) - 1)).ToString($"x{e.SizeBytes * 2}", System.Globalization.CultureInfo.InvariantCulture)}"
        : $"{e.SizeBytes} bytes";

    private static string Place(in MachineEvent e) => $"{Words.Plural(e.SizeBytes, "byte")} at 0x{e.Address:x} (physical 0x{e.Physical:x})";
}
