using System;
using Iced.Intel;
using Introspection.State;
using Replay.Queries;
using Vmm.Cpu;
using Vmm.Platform;

namespace Introspection.Origins;

/// <summary>
/// Picks the transitions that write a register: instructions that do, whether or not its value changes, and anything else that changes it, such as the delivery of an interrupt.
/// What was found out about an instruction is kept by its bytes, so that code may change.
/// </summary>
internal sealed class RegisterProbe : ITransitionProbe
{
    private const int CacheSize = 1 << 13, LongestInstruction = 15;

    private struct Known
    {
        public UInt128 Bytes;
        public ulong Linear;
        public int CodeSize;
        public uint Possible;
        public bool IsConditional;
    }

    private readonly ValueLocation _location;
    private readonly RegisterWrites _writes;
    private readonly Known[] _known = new Known[CacheSize];
    private readonly uint _wanted;
    private VcpuState _before;
    private UInt128 _value, _code;
    private ulong _linear, _count;
    private int _codeSize;
    private uint _possible;
    private bool _isOwn, _isConditional;

    public RegisterProbe(ValueLocation location)
    {
        _location = location;
        _wanted = (uint)((1UL << location.SizeBytes) - 1) << (int)location.Address;
        _writes = new RegisterWrites(location);
    }

    public int CpuIndex => _location.CpuIndex;

    public void Before(Machine machine)
    {
        Vcpu vcpu = machine.Vcpus[CpuIndex];
        _isOwn = machine.CurrentCpuIndex == CpuIndex;
        _value = _location.Read(machine);
        _count = machine.InstructionCount;
        _possible = 0;
        if (!_isOwn)
        {
            _before.Rip = vcpu.State.Rip;
            _before.Activity = vcpu.State.Activity;
            return;
        }
        var view = new GuestView(machine, vcpu);
        _linear = view.CodeAddress;
        _codeSize = view.CodeSize;
        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        view.Read(_linear, bytes[..LongestInstruction]);
        _code = System.Buffers.Binary.BinaryPrimitives.ReadUInt128LittleEndian(bytes);
        ref Known known = ref _known[(int)(_linear ^ _linear >> 13) & (CacheSize - 1)];
        if (known.Linear != _linear || known.Bytes != _code || known.CodeSize != _codeSize) known = Learn(bytes);
        _possible = known.Possible;
        _isConditional = known.IsConditional;
        if (_isConditional) _before = vcpu.State;
    }

    public bool After(Machine machine)
    {
        if (_location.Read(machine) != _value) return true;
        // INIT from another vCPU writes them all, perhaps with what they had; a SIPI, which ends the waiting behind it, writes none.
        if (!_isOwn) return machine.Vcpus[CpuIndex].State.Rip != _before.Rip && _before.Activity != VcpuActivity.WaitingForSipi;
        if (_possible == 0 || machine.InstructionCount == _count) return false;
        if (!_isConditional) return true;
        Span<byte> bytes = stackalloc byte[16];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt128LittleEndian(bytes, _code);
        Instruction instruction = InstructionReader.Decode(bytes[..LongestInstruction], _linear, _codeSize);
        return (_writes.Actual(instruction, _possible, _before, machine.Vcpus[CpuIndex].State) & _wanted) != 0;
    }

    private Known Learn(ReadOnlySpan<byte> bytes)
    {
        Instruction instruction = InstructionReader.Decode(bytes[..LongestInstruction], _linear, _codeSize);
        uint possible = instruction.IsInvalid ? 0 : _writes.Possible(instruction) & _wanted;
        return new Known { Bytes = _code, Linear = _linear, CodeSize = _codeSize, Possible = possible, IsConditional = possible != 0 && IsConditional(instruction) };
    }

    private static bool IsConditional(in Instruction instruction) => Shifts.IsShift(instruction.Mnemonic) || instruction.HasRepPrefix || instruction.HasRepnePrefix
        || instruction.Mnemonic is (>= Mnemonic.Cmova and <= Mnemonic.Cmovs) or Mnemonic.Bsf or Mnemonic.Bsr or Mnemonic.Cmpxchg or Mnemonic.Cmpxchg8b or Mnemonic.Cmpxchg16b
            or Mnemonic.Lar or Mnemonic.Lsl;
}

/// <summary>Decodes bytes.</summary>
internal static class InstructionReader
{
    /// <summary>Invalid when the bytes are no instruction. Its IP is <paramref name="linear"/>.</summary>
    public static Instruction Decode(ReadOnlySpan<byte> bytes, ulong linear, int codeSize)
    {
        var decoder = Decoder.Create(codeSize, new ByteArrayCodeReader(bytes.ToArray()), linear);
        decoder.Decode(out Instruction instruction);
        return instruction;
    }
}
