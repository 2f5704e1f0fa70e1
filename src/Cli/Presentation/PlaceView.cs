using System.IO;
using System.Text.Json;
using Vmm.Cpu;
using Vmm.Platform;

namespace Cli.Presentation;

/// <summary>Where a timeline stands: position, vCPU, RIP and the instruction that executes next.</summary>
internal static class PlaceView
{
    public static string Line(Machine machine)
    {
        Vcpu vcpu = machine.Vcpus[machine.CurrentCpuIndex];
        return $"{machine.Position,-14} vCPU {vcpu.Index}  {vcpu.State.Rip:x16}  {Next(machine, vcpu)}";
    }

    /// <summary>What comes next: an instruction, unless the machine has ended or the vCPU sleeps.</summary>
    public static string Next(Machine machine, Vcpu vcpu)
    {
        if (machine.Outcome.Kind != OutcomeKind.None) return $"(end: {OutcomeText.Describe(machine.Outcome)})";
        return vcpu.State.Activity switch
        {
            VcpuActivity.Halted => "(halted, until an interrupt)",
            VcpuActivity.WaitingForSipi => "(waiting to be started)",
            _ => Disassembly.AtRip(machine, vcpu),
        };
    }

    public static void Write(Utf8JsonWriter json, Machine machine)
    {
        Vcpu vcpu = machine.Vcpus[machine.CurrentCpuIndex];
        json.WritePosition("position", machine.Position);
        json.WriteNumber("cpu", vcpu.Index);
        json.WriteHexadecimal("rip", vcpu.State.Rip);
        json.WriteString("instruction", Next(machine, vcpu));
    }
}
