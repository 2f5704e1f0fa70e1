using System;
using System.Collections.Generic;
using System.Globalization;

namespace Vmm.Tests.Privileged;

/// <summary>Collects the scenarios of one family.</summary>
internal sealed class ScenarioList
{
    private readonly List<Scenario> _scenarios = [];

    public IReadOnlyList<Scenario> All => _scenarios;

    public static ProcessorMode[] ProtectedModes { get; } = [ProcessorMode.Protected, ProcessorMode.Paged, ProcessorMode.Compatibility, ProcessorMode.Long];

    public void Add(string name, ProcessorMode mode, int privilege, ReadOnlySpan<byte> code, Action<SystemState>? change = null, bool needsHardware = false)
    {
        SystemState state = SystemBuilder.Build(mode, privilege, code);
        change?.Invoke(state);
        // kvm_pvm runs CPL 3 on the host CPU at its own CPL 3 and answers for the host's tables; 32-bit paging it does not have.
        bool onlyHardware = needsHardware || privilege == 3 || mode == ProcessorMode.Paged;
        _scenarios.Add(new Scenario($"{mode} CPL {privilege}: {name}", state) { NeedsHardware = onlyHardware });
    }

    public static string Hex(ulong value) => value.ToString("X", CultureInfo.InvariantCulture);

    /// <summary>An instruction with a memory operand at an absolute address: ModRM.reg, then the form that the mode has.</summary>
    public static byte[] Absolute(ProcessorMode mode, ReadOnlySpan<byte> opcode, int reg, int address)
    {
        byte[] displacement = BitConverter.GetBytes(address);
        return mode switch
        {
            ProcessorMode.Long => [.. opcode, (byte)(0x04 | (reg << 3)), 0x25, .. displacement],
            ProcessorMode.Real => [.. opcode, (byte)(0x06 | (reg << 3)), .. displacement.AsSpan(0, 2)],
            _ => [.. opcode, (byte)(0x05 | (reg << 3)), .. displacement],
        };
    }
}
