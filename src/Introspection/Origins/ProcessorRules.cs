using System;
using Iced.Intel;
using Introspection.Text;
using Vmm.Cpu;
using Vmm.Platform;

namespace Introspection.Origins;

/// <summary>Values that instructions get from the processor or a port: the ends of chains.</summary>
internal static class ProcessorRules
{
    /// <summary>Null: the instruction is none of those, or this is not what it gets.</summary>
    public static Explanation? Explain(Transition transition, ValueLocation location)
    {
        Instruction instruction = transition.Instruction;
        string value = ValueLocation.Text(transition.Value);
        VcpuState before = transition.Before;
        bool isData = location is { Kind: LocationKind.General, Number: 0 or 2 };
        switch (instruction.Mnemonic)
        {
            case Mnemonic.In when location is { Kind: LocationKind.General, Number: 0 }:
            case Mnemonic.Insb or Mnemonic.Insw or Mnemonic.Insd when !location.IsRegister:
                return Explanation.End(OriginKind.Port, $"{value}: read from port {Hexadecimal.Of((ulong)(transition.Find(MachineEventKind.PortRead)?.Number ?? 0))}");
            case Mnemonic.Rdtsc when isData: return Explanation.End(OriginKind.Processor, $"{value}: the time stamp counter");
            case Mnemonic.Rdtscp when isData: return Explanation.End(OriginKind.Processor, $"{value}: the time stamp counter");
            case Mnemonic.Rdtscp: return Explanation.End(OriginKind.Processor, $"{value}: IA32_TSC_AUX");
            case Mnemonic.Cpuid when location.Kind == LocationKind.General:
                return Explanation.End(OriginKind.Processor, $"{value}: CPUID leaf {Hexadecimal.Of((uint)before.Rax)}, subleaf {Hexadecimal.Of((uint)before.Rcx)}");
            case Mnemonic.Rdmsr when isData: return Explanation.End(OriginKind.Processor, $"{value}: model-specific register {Hexadecimal.Of((uint)before.Rcx)}");
            case Mnemonic.Rdpmc when isData: return Explanation.End(OriginKind.Processor, $"{value}: a performance counter");
            case Mnemonic.Xgetbv when isData: return Explanation.End(OriginKind.Processor, $"{value}: XCR{(uint)before.Rcx}");
            case Mnemonic.Rdrand or Mnemonic.Rdseed: return Explanation.End(OriginKind.Processor, $"{value}: the processor's random numbers, a recorded input");
            case Mnemonic.Rdfsbase or Mnemonic.Rdgsbase or Mnemonic.Smsw or Mnemonic.Str or Mnemonic.Sldt or Mnemonic.Sgdt or Mnemonic.Sidt or Mnemonic.Rdpid:
                return Explanation.End(OriginKind.Processor, $"{value}: {instruction.Mnemonic.ToString().ToUpperInvariant()}");
            case Mnemonic.Syscall when location is { Kind: LocationKind.General, Number: 1 }:
                return Explanation.End(OriginKind.Hardware, $"{value}: the address behind SYSCALL, to return to");
            case Mnemonic.Syscall when location is { Kind: LocationKind.General, Number: 11 }:
                return new Explanation(OriginKind.Hardware, $"{value}: the flags before SYSCALL", [new SourceValue(ValueLocation.Flags(transition.CpuIndex), OriginRole.Value)]);
            case Mnemonic.Sysenter when location is { Kind: LocationKind.General, Number: 4 }:
                return Explanation.End(OriginKind.Processor, $"{value}: IA32_SYSENTER_ESP");
            default: return null;
        }
    }

    /// <summary>A register that values are not followed in.</summary>
    public static Explanation Register(Register register, UInt128 value)
    {
        string name = register.ToString().ToLowerInvariant();
        string kind = register.IsSegmentRegister() ? "segment register" : register.IsCR() ? "control register" : register.IsDR() ? "debug register" : "register";
        return Explanation.End(OriginKind.Processor, $"{ValueLocation.Text(value)}: the {kind} {name}, which is not followed");
    }
}
