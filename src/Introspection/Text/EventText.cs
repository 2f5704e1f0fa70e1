using System.Globalization;
using Vmm.Cpu;
using Vmm.Inputs;
using Vmm.Platform;

namespace Introspection.Text;

/// <summary>What happened, in words.</summary>
public static class EventText
{
    public static string Describe(in MachineEvent e) => e.Kind switch
    {
        MachineEventKind.Execute => $"executes 0x{e.Address:x}",
        MachineEventKind.Read => $"vCPU {e.CpuIndex} reads {Value(e)} from {Place(e)}",
        // A chip's DMA, or the MMU setting accessed and dirty bits.
        MachineEventKind.Write when e.Number == -1 => $"{Bytes(e.SizeBytes)} at physical 0x{e.Physical:x} written by a chip, or as accessed and dirty bits",
        MachineEventKind.Write => $"vCPU {e.CpuIndex} writes {Value(e)} to {Place(e)}",
        MachineEventKind.Exception => $"exception {e.Number} ({(Vector)e.Number}), error code 0x{e.Value:x}{(e.Number == 14 ? $", address 0x{e.Address:x}" : "")}",
        MachineEventKind.Interrupt => $"interrupt 0x{e.Number:x} is delivered",
        MachineEventKind.SoftwareInterrupt => e.Number < 0 ? "a system call" : $"software interrupt 0x{e.Number:x}",
        MachineEventKind.PortRead => $"{Value(e)} from port 0x{e.Number:x}",
        MachineEventKind.PortWrite => $"{Value(e)} to port 0x{e.Number:x}",
        MachineEventKind.MmioRead => $"{Value(e)} from physical 0x{e.Physical:x}",
        MachineEventKind.MmioWrite => $"{Value(e)} to physical 0x{e.Physical:x}",
        MachineEventKind.MsrRead => $"0x{e.Value:x} from MSR 0x{(uint)e.Number:x}",
        MachineEventKind.MsrWrite => $"0x{e.Value:x} to MSR 0x{(uint)e.Number:x}",
        MachineEventKind.ControlRegisterWrite => $"0x{e.Value:x} to CR{e.Number}",
        MachineEventKind.Output => $"a byte is printed to {(OutputChannel)e.Number}",
        _ => e.Kind.ToString(),
    };

    /// <summary>How a machine's life ended.</summary>
    public static string Describe(in Outcome outcome) => outcome.Kind switch
    {
        OutcomeKind.None => "the machine was still running when recording stopped",
        OutcomeKind.PowerOff => "the guest powered off",
        OutcomeKind.Reset => "the guest reset the machine",
        OutcomeKind.DebugExit => $"the guest ended through its debug-exit port with code 0x{outcome.Code:x}",
        _ => outcome.Detail,
    };

    private static string Value(in MachineEvent e)
    {
        if (e.SizeBytes is < 1 or > 8) return Bytes(e.SizeBytes);
        ulong value = e.SizeBytes == 8 ? e.Value : e.Value & ((1UL << (e.SizeBytes * 8)) - 1);
        return "0x" + value.ToString($"x{e.SizeBytes * 2}", CultureInfo.InvariantCulture);
    }

    private static string Place(in MachineEvent e) => $"{Bytes(e.SizeBytes)} at 0x{e.Address:x} (physical 0x{e.Physical:x})";

    private static string Bytes(int count) => count == 1 ? "1 byte" : $"{count} bytes";
}
