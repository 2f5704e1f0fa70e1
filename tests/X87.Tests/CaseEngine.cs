using Vmm.Cpu;
using Vmm.Decoding;
using Vmm.Interpretation;
using Vmm.Interpretation.FloatingPoint;

namespace X87.Tests;

/// <summary>Executes a <see cref="CaseRecord"/> with our handlers, in place.</summary>
internal sealed class CaseEngine
{
    private const ulong MemoryAddress = 0x2000;
    private const ulong CodeAddress = 0x1000;

    private readonly InstructionDecoder _decoder = new();
    private readonly Vcpu _vcpu = BareVcpu.Create();

    public bool Run(CaseRecord record)
    {
        DecodedInstruction decoded = _decoder.Decode(record.Code, CodeAddress, CodeAddress, CodeAddress, 64, 1)[0];
        Load(record);
        Completion completion = decoded.Handler.Invoke(_vcpu, in decoded);
        record.Signal = completion == Completion.Fault ? 100u + (uint)_vcpu.PendingException.Vector : 0;
        if (completion != Completion.Fault) Store(record);
        return completion != Completion.Fault || _vcpu.PendingException.Vector != Vector.InvalidOpcode;
    }

    private void Load(CaseRecord record)
    {
        ref VcpuState state = ref _vcpu.State;
        state = default;
        state.Cr0 = Cr0.ProtectionEnable;
        state.Cr4 = Cr4.OsFxsr | Cr4.OsXmmExceptions;
        state.Rax = record.Rax;
        state.Rdi = MemoryAddress;
        state.WriteRFlags(record.Rflags);
        X87Control.SetControl(ref state, record.Control);
        state.X87Status = record.Status;
        state.X87Tags = record.Tags;
        X87Unit.UpdateErrorSummary(ref state);
        for (int i = 0; i < 8; i++)
        {
            Float80 value = record.GetSt(i);
            state.X87[(record.Top + i) & 7] = new X87Register { Significand = value.Significand, SignExponent = value.SignExponent };
        }

        state.Mxcsr = record.Mxcsr;
        for (int i = 0; i < 2; i++) state.XmmAs<byte>(i) = System.Runtime.Intrinsics.Vector128.Create(record.Xmm.Slice(16 * i, 16));
        for (int i = 0; i < record.Length; i++) _vcpu.TryWrite(CodeAddress + (uint)i, record.Code[i]);
        for (int i = 0; i < 32; i++) _vcpu.TryWrite(MemoryAddress + (uint)i, record.Memory[i]);
    }

    private void Store(CaseRecord record)
    {
        ref VcpuState state = ref _vcpu.State;
        record.Rax = state.Rax;
        record.Rflags = state.ReadRFlags() & RFlags.Arithmetic;
        record.Control = state.X87Control;
        record.Status = state.X87Status;
        record.Tags = state.X87Tags;
        for (int i = 0; i < 8; i++)
        {
            X87Register register = state.X87[(record.Top + i) & 7];
            record.SetSt(i, new Float80((ushort)register.SignExponent, register.Significand));
        }

        record.Mxcsr = state.Mxcsr;
        for (int i = 0; i < 2; i++) System.Runtime.Intrinsics.Vector128.CopyTo(state.XmmAs<byte>(i), record.Xmm.Slice(16 * i, 16));
        for (int i = 0; i < 32; i++)
        {
            _vcpu.TryRead(MemoryAddress + (uint)i, out byte value);
            record.Memory[i] = value;
        }
    }
}
