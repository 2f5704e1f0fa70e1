using System.Linq;
using Vmm.Cpu;
using Xunit;

namespace X87.Tests;

/// <summary>FNSTENV, FNSAVE, FXSAVE, XSAVE and their inverses, byte for byte (SDM 1 figures 8-9 to 8-12, tables 10-2, 13.4).</summary>
public sealed class StateImageTests
{
    private static readonly byte[] s_fnsave = [0xDD, 0x37], s_frstor = [0xDD, 0x27], s_fxsave64 = [0x48, 0x0F, 0xAE, 0x07],
        s_fxrstor64 = [0x48, 0x0F, 0xAE, 0x0F], s_xsave64 = [0x48, 0x0F, 0xAE, 0x27], s_xsaveopt64 = [0x48, 0x0F, 0xAE, 0x37],
        s_xrstor64 = [0x48, 0x0F, 0xAE, 0x2F];

    [Fact]
    public void ProtectedModeEnvironmentOf32Bits()
    {
        Bench bench = new(32);
        bench.Populate();
        Assert.Null(bench.Run(0xD9, 0x37));
        // Tags by physical register: 5, 4, 2, 0 and 7 hold normal numbers; 1, 3 and 6 are empty.
        Assert.Equal(0x30CCu, bench.Read<ushort>(8));
        Assert.Equal([0x7F, 0x0B, 0xFF, 0xFF, 0x21, 0x3C, 0xFF, 0xFF], bench.Read(0, 8));
        Assert.Equal(0x0001_2345u, bench.Read<uint>(12));
        Assert.Equal(0x0123_0010u, bench.Read<uint>(16));
        Assert.Equal(0x0006_789Au, bench.Read<uint>(20));
        Assert.Equal(0xFFFF_0020u, bench.Read<uint>(24));
        // All exceptions are masked afterwards.
        Assert.Equal(0x0B7F, bench.State.X87Control);
    }

    [Fact]
    public void RealModeEnvironmentOf16BitsHoldsLinearAddresses()
    {
        Bench bench = new(16);
        bench.State.Cr0 = 0;
        bench.Populate();
        // [bx], with DI not addressable alone in 16-bit code's first choice: mod 00 rm 5 is [di].
        Assert.Null(bench.Run(0xD9, 0x35));
        Assert.Equal(0x2445, bench.Read<ushort>(6));
        Assert.Equal(0x1123, bench.Read<ushort>(8));
        Assert.Equal(0x7A9A, bench.Read<ushort>(10));
        Assert.Equal(0x6000, bench.Read<ushort>(12));
    }

    [Theory]
    [InlineData(16, false)]
    [InlineData(16, true)]
    [InlineData(32, false)]
    [InlineData(32, true)]
    [InlineData(64, true)]
    public void FrstorUndoesFnsave(int codeSize, bool isProtected)
    {
        Bench bench = new(codeSize);
        bench.State.Cr0 = isProtected ? Cr0.ProtectionEnable : 0;
        bench.Populate();
        VcpuState before = bench.State;
        byte modRm = (byte)(codeSize == 16 ? -2 : 0);
        Assert.Null(bench.Run(s_fnsave[0], (byte)(s_fnsave[1] + modRm)));
        Assert.Equal(0x037F, bench.State.X87Control);
        Assert.Equal(0, bench.State.X87Status | bench.State.X87Tags);
        Assert.Null(bench.Run(s_frstor[0], (byte)(s_frstor[1] + modRm)));
        Assert.Equal(before.X87Control, bench.State.X87Control);
        Assert.Equal(before.X87Status, bench.State.X87Status);
        Assert.Equal(before.X87Tags, bench.State.X87Tags);
        for (int i = 0; i < 8; i++) Assert.Equal(before.X87[i], bench.State.X87[i]);
        Assert.Equal(codeSize == 16 && isProtected ? 0 : before.X87Opcode, bench.State.X87Opcode);
    }

    [Fact]
    public void FxsaveImage()
    {
        Bench bench = new();
        bench.Fill(512, 0xEE);
        bench.Populate();
        Assert.Null(bench.Run(s_fxsave64));
        Assert.Equal([0x7F, 0x0B, 0x21, 0x3C, 0xB5, 0x00, 0x23, 0x01], bench.Read(0, 8));
        Assert.Equal(0x1_2345ul, bench.Read<ulong>(8));
        Assert.Equal(0x6_789Aul, bench.Read<ulong>(16));
        Assert.Equal(0xFFFF_0000_5FA1ul, bench.Read<ulong>(24));
        for (int i = 0; i < 8; i++) Assert.Equal(0x8000_0000_0000_0000ul + (uint)((7 + i) & 7), bench.Read<ulong>(32 + (16 * i)));
        for (int i = 0; i < 16; i++) Assert.Equal((ulong)i + 1, bench.Read<ulong>(160 + (16 * i)));
        Assert.All(bench.Read(416, 96), value => Assert.Equal(0xEE, value));
    }

    [Fact]
    public void FxrstorUndoesFxsave()
    {
        Bench bench = new();
        bench.Populate();
        VcpuState before = bench.State;
        Assert.Null(bench.Run(s_fxsave64));
        bench.State = new Bench().State;
        Assert.Null(bench.Run(s_fxrstor64));
        Assert.Equal(before.X87Status, bench.State.X87Status);
        Assert.Equal(before.X87Tags, bench.State.X87Tags);
        Assert.Equal(before.X87Opcode, bench.State.X87Opcode);
        Assert.Equal(before.X87DataPointer, bench.State.X87DataPointer);
        Assert.Equal(before.Mxcsr, bench.State.Mxcsr);
        for (int i = 0; i < 8; i++) Assert.Equal(before.X87[i], bench.State.X87[i]);
        for (int i = 0; i < 16; i++) Assert.Equal(before.Xmm[i], bench.State.Xmm[i]);
    }

    [Fact]
    public void FxrstorChecksAlignmentAndMxcsr()
    {
        Bench bench = new();
        bench.Populate();
        Assert.Null(bench.Run(s_fxsave64));
        bench.Write(24, 0x0001_0000u);
        VcpuState before = bench.State;
        Assert.Equal(Vector.GeneralProtection, bench.Run(s_fxrstor64));
        bench.State.Rdi += 8;
        Assert.Equal(Vector.GeneralProtection, bench.Run(s_fxsave64));
        Assert.Equal(before.Mxcsr, bench.State.Mxcsr);
    }

    [Fact]
    public void XsaveWritesWhatIsRequestedAndWhatIsInUse()
    {
        Bench bench = new();
        bench.Fill(576, 0xEE);
        bench.Write(512, 0xFFul);
        bench.State.Rax = 3;
        // x87 initial, SSE in use.
        bench.State.XmmAs<ulong>(9) = System.Runtime.Intrinsics.Vector128.Create(5ul);
        Assert.Null(bench.Run(s_xsave64));
        Assert.Equal(0xFEul, bench.Read<ulong>(512));
        Assert.Equal(0xEEEE_EEEE_EEEE_EEEEul, bench.Read<ulong>(520));
        Assert.Equal(0x037F, bench.Read<ushort>(0));
        Assert.Equal(5ul, bench.Read<ulong>(160 + (16 * 9)));
        Assert.Equal(0x1F80u, bench.Read<uint>(24));

        // Only x87 requested: neither XMM nor MXCSR is written, and the other bits of XSTATE_BV stay.
        bench.Populate();
        bench.Fill(512, 0xEE);
        bench.State.Rax = 1;
        Assert.Null(bench.Run(s_xsave64));
        Assert.Equal(0xFFul, bench.Read<ulong>(512));
        Assert.Equal(0xEEEE_EEEEu, bench.Read<uint>(24));
        Assert.All(bench.Read(160, 256), value => Assert.Equal(0xEE, value));
    }

    [Fact]
    public void XsaveoptLeavesInitialComponentsOut()
    {
        Bench bench = new();
        bench.Fill(576, 0xEE);
        bench.Write(512, 3ul);
        bench.State.Rax = 3;
        Assert.Null(bench.Run(s_xsaveopt64));
        Assert.Equal(0ul, bench.Read<ulong>(512));
        Assert.Equal(0xEEEE, bench.Read<ushort>(0));
        Assert.Equal(0x1F80u, bench.Read<uint>(24));
    }

    [Fact]
    public void XrstorInitializesWhatTheHeaderLeavesOut()
    {
        Bench bench = new();
        bench.Populate();
        bench.State.Rax = 3;
        bench.Fill(576, 0);
        Assert.Null(bench.Run(s_xsave64));
        Assert.Equal(3ul, bench.Read<ulong>(512));
        bench.Write(512, 2ul);
        VcpuState before = bench.State;
        Assert.Null(bench.Run(s_xrstor64));
        Assert.Equal(0x037F, bench.State.X87Control);
        Assert.Equal(0, bench.State.X87Tags | bench.State.X87Status);
        Assert.Equal(default, bench.State.X87[3]);
        Assert.Equal(before.Xmm[3], bench.State.Xmm[3]);

        // SSE left out: the registers become zero, MXCSR comes from memory nevertheless (SDM 1 13.8).
        bench.Write(512, 0ul);
        bench.Write(24, 0x1FA0u);
        Assert.Null(bench.Run(s_xrstor64));
        Assert.Equal(default, bench.State.Xmm[3]);
        Assert.Equal(0x1FA0u, bench.State.Mxcsr);
    }

    [Theory]
    [InlineData(512, 4ul)]
    [InlineData(520, 1ul << 63)]
    [InlineData(528, 1ul)]
    public void XrstorChecksTheHeader(int offset, ulong value)
    {
        Bench bench = new();
        bench.State.Rax = 3;
        bench.Fill(576, 0);
        Assert.Null(bench.Run(s_xsave64));
        bench.Write(offset, value);
        Assert.Equal(Vector.GeneralProtection, bench.Run(s_xrstor64));
    }

    [Fact]
    public void XsaveNeedsOsxsaveAndAlignment()
    {
        Bench bench = new();
        bench.State.Rdi += 16;
        Assert.Equal(Vector.GeneralProtection, bench.Run(s_xsave64));
        bench.State.Cr0 |= Cr0.TaskSwitched;
        Assert.Equal(Vector.DeviceNotAvailable, bench.Run(s_xsave64));
        bench.State.Cr4 &= ~Cr4.OsXsave;
        Assert.Equal(Vector.InvalidOpcode, bench.Run(s_xsave64));
    }

    [Fact]
    public void MxcsrIsCheckedAndStored()
    {
        Bench bench = new();
        bench.Write(0, 0x0001_1F80u);
        Assert.Equal(Vector.GeneralProtection, bench.Run(0x0F, 0xAE, 0x17));
        bench.Write(0, 0x3F80u);
        Assert.Null(bench.Run(0x0F, 0xAE, 0x17));
        bench.Write(0, 0u);
        Assert.Null(bench.Run(0x0F, 0xAE, 0x1F));
        Assert.Equal(0x3F80u, bench.Read<uint>(0));
        Assert.True(new byte[] { 0x80, 0x3F, 0, 0 }.SequenceEqual(bench.Read(0, 4)), "little-endian");
    }
}
