using Iced.Intel;
using Vmm.Cpu;
using Vmm.Decoding;
using Xunit;

namespace Sse.Tests;

/// <summary>What keeps SSE instructions from executing (SDM 3A 13.1, SDM 2A table 2-18).</summary>
public sealed class FaultTests
{
    private const ulong Em = 1 << 2, Ts = 1 << 3, OsFxsr = 1 << 9, OsXmmExcpt = 1 << 10;

    [Theory]
    [InlineData(Em, OsFxsr, Vector.InvalidOpcode)]
    [InlineData(Em | Ts, OsFxsr, Vector.InvalidOpcode)]
    [InlineData(0, 0, Vector.InvalidOpcode)]
    [InlineData(Ts, 0, Vector.InvalidOpcode)]
    [InlineData(Ts, OsFxsr, Vector.DeviceNotAvailable)]
    public void ControlRegistersRefuse(ulong cr0, ulong cr4, Vector expected)
    {
        foreach (Code code in InstructionForms.Computing())
        {
            if (code.Mnemonic() == Mnemonic.Crc32) continue;
            Vcpu vcpu = BareVcpu.Create();
            (vcpu.State.Cr0, vcpu.State.Cr4) = (cr0, cr4);
            VcpuState before = vcpu.State;
            Assert.Equal(Completion.Fault, Execute(vcpu, code));
            Assert.True(expected == vcpu.PendingException.Vector, $"{code}: {vcpu.PendingException.Vector}");
            Assert.Equal("", Changed(ref before, ref vcpu.State));
        }
    }

    /// <summary>CRC32 works on general registers, and hints and fences on nothing: CR0 and CR4 do not matter.</summary>
    [Theory]
    [InlineData(Code.Crc32_r32_rm8)]
    [InlineData(Code.Crc32_r64_rm64)]
    [InlineData(Code.Lfence)]
    [InlineData(Code.Mfence)]
    [InlineData(Code.Sfence)]
    public void SomeAreNeverRefused(Code code)
    {
        Vcpu vcpu = BareVcpu.Create();
        vcpu.State.Cr0 = Em | Ts;
        Assert.Equal(Completion.Next, Execute(vcpu, code));
    }

    [Theory]
    [InlineData(OsFxsr | OsXmmExcpt, Vector.SimdFloatingPoint)]
    [InlineData(OsFxsr, Vector.InvalidOpcode)]
    public void UnmaskedExceptionFaults(ulong cr4, Vector expected)
    {
        Vcpu vcpu = BareVcpu.Create();
        vcpu.State.Cr4 = cr4;
        vcpu.State.Mxcsr = 0x1F80 & ~(1u << 9);
        vcpu.State.XmmAs<float>(1) = System.Runtime.Intrinsics.Vector128.Create(1f);
        System.Runtime.Intrinsics.Vector128<float> before = vcpu.State.XmmAs<float>(1);
        Assert.Equal(Completion.Fault, Execute(vcpu, Code.Divps_xmm_xmmm128));
        Assert.Equal(expected, vcpu.PendingException.Vector);
        Assert.Equal(before, vcpu.State.XmmAs<float>(1));
        Assert.Equal(4u, vcpu.State.Mxcsr & 0x3F);
    }

    private static Completion Execute(Vcpu vcpu, Code code)
    {
        Instruction instruction = InstructionForms.Create(code, 0, sameRegister: false);
        Assert.True(BareVcpu.TryDecode(in instruction, out DecodedInstruction decoded));
        return decoded.Handler.Invoke(vcpu, in decoded);
    }

    /// <summary>Offsets of the bytes that differ.</summary>
    private static string Changed(ref VcpuState before, ref VcpuState after)
    {
        System.ReadOnlySpan<byte> a = Bytes(ref before), b = Bytes(ref after);
        int common = System.MemoryExtensions.CommonPrefixLength(a, b);
        return common == a.Length ? "" : $"changed at offset {common}";
    }

    private static System.ReadOnlySpan<byte> Bytes(ref VcpuState state) =>
        System.Runtime.InteropServices.MemoryMarshal.AsBytes(System.Runtime.InteropServices.MemoryMarshal.CreateSpan(ref state, 1));
}
