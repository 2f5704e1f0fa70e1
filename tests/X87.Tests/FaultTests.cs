using System;
using Vmm.Cpu;
using Xunit;

namespace X87.Tests;

/// <summary>When floating-point instructions fault, and that a fault changes nothing.</summary>
public sealed class FaultTests
{
    private const ushort PendingInvalid = 0x8081;

    [Theory]
    [InlineData("D8C1", Cr0.TaskSwitched, Vector.DeviceNotAvailable)]
    [InlineData("D8C1", Cr0.Emulation, Vector.DeviceNotAvailable)]
    [InlineData("DBE3", Cr0.Emulation, Vector.DeviceNotAvailable)]
    [InlineData("DFE0", Cr0.TaskSwitched, Vector.DeviceNotAvailable)]
    [InlineData("9B", Cr0.TaskSwitched | Cr0.MonitorCoprocessor, Vector.DeviceNotAvailable)]
    [InlineData("9B", Cr0.TaskSwitched, null)]
    [InlineData("9B", Cr0.MonitorCoprocessor | Cr0.Emulation, null)]
    [InlineData("0FFCC1", Cr0.Emulation, Vector.InvalidOpcode)]
    [InlineData("0FFCC1", Cr0.TaskSwitched, Vector.DeviceNotAvailable)]
    [InlineData("0F77", Cr0.Emulation, Vector.InvalidOpcode)]
    [InlineData("0FAE07", Cr0.Emulation, Vector.DeviceNotAvailable)]
    [InlineData("0FAE1F", Cr0.Emulation, Vector.InvalidOpcode)]
    public void ControlRegisterBits(string code, ulong cr0, object? expected)
    {
        Bench bench = new();
        bench.State.Cr0 |= cr0;
        Assert.Equal((Vector?)expected, bench.Run(Convert.FromHexString(code)));
    }

    [Theory]
    [InlineData("D8C1", true)]
    [InlineData("9B", true)]
    [InlineData("D92F", true)]
    [InlineData("D927", true)]
    [InlineData("0FFCC1", true)]
    [InlineData("0F77", true)]
    [InlineData("DBE3", false)]
    [InlineData("DBE2", false)]
    [InlineData("DFE0", false)]
    [InlineData("D937", false)]
    [InlineData("DD37", false)]
    [InlineData("D93F", false)]
    [InlineData("0FAE07", false)]
    public void WaitingInstructionsDeliverPendingExceptions(string code, bool waits)
    {
        Bench bench = new();
        bench.State.X87Control = 0x037E;
        bench.State.X87Status = PendingInvalid;
        Assert.Equal(waits ? Vector.X87FloatingPoint : null, bench.Run(Convert.FromHexString(code)));
    }

    [Fact]
    public void UnmaskedExceptionIsDeferred()
    {
        Bench bench = new();
        bench.State.X87Control = 0x037E;
        // FCHS on an empty stack: not executed, pending; then #MF, as often as one waits.
        Assert.Null(bench.Run(0xD9, 0xE0));
        Assert.Equal(0x80C1, bench.State.X87Status);
        Assert.Equal(0, bench.State.X87Tags);
        Assert.Equal(Vector.X87FloatingPoint, bench.Run(0xD9, 0xE8));
        Assert.Equal(Vector.X87FloatingPoint, bench.Run(0x9B));
        Assert.Null(bench.Run(0xDB, 0xE2));
        Assert.Null(bench.Run(0xD9, 0xE8));
        Assert.Equal(0x80, bench.State.X87Tags);
    }

    [Fact]
    public void PointersFollowInstructionsAndTheOpcodeOnlyUnmaskedExceptions()
    {
        Bench bench = new();
        bench.Write(0, 1.5f);
        Assert.Null(bench.Run(0x66, 0xD9, 0x07));
        Assert.Equal(Bench.Code, bench.State.X87InstructionPointer);
        Assert.Equal(Bench.Data, bench.State.X87DataPointer);
        Assert.Equal(0, bench.State.X87Opcode);
        // A control instruction leaves them.
        bench.State.X87InstructionPointer = 7;
        Assert.Null(bench.Run(0xD9, 0x3F));
        Assert.Equal(7ul, bench.State.X87InstructionPointer);
        bench.State.X87Control = 0x035F;
        bench.Write(0, 7.0f);
        Assert.Null(bench.Run(0x66, 0xD8, 0x37));
        Assert.Equal(0x037, bench.State.X87Opcode);
        Assert.Equal(0x80A0, bench.State.X87Status & 0x80FF);
    }

    [Theory]
    [InlineData("DB3F")]
    [InlineData("D91F")]
    [InlineData("DF37")]
    [InlineData("D937")]
    [InlineData("DD37")]
    [InlineData("0F7F0F")]
    [InlineData("D807")]
    [InlineData("0FFC0F")]
    public void SegmentFaultChangesNothing(string code)
    {
        Bench bench = new(32);
        bench.Populate();
        bench.State.X87Tags = 0xFF;
        bench.State.Segment(SegmentIndex.Ds).Limit = (uint)Bench.Data + 2;
        bench.State.Segment(SegmentIndex.Ds).AccessRights = 0x4093;
        VcpuState before = bench.State;
        Assert.Equal(Vector.GeneralProtection, bench.Run(Convert.FromHexString(code)));
        Assert.True(Bytes(ref before).SequenceEqual(Bytes(ref bench.State)), "the state changed");
    }

    private static ReadOnlySpan<byte> Bytes(ref VcpuState state) =>
        System.Runtime.InteropServices.MemoryMarshal.AsBytes(new ReadOnlySpan<VcpuState>(ref state));

    [Fact]
    public void MaskmovqWithoutMaskTouchesNoMemory()
    {
        Bench bench = new();
        bench.State.Rdi = 0xFFFF_FFFF_0000;
        Assert.Null(bench.Run(0x0F, 0xF7, 0xC1));
        bench.State.Rdi = Bench.Data;
        bench.State.X87[0].Significand = 0x1122_3344_5566_7788;
        bench.State.X87[1].Significand = 0x80_0000_8000_0080;
        bench.Fill(8, 0xEE);
        Assert.Null(bench.Run(0x0F, 0xF7, 0xC1));
        Assert.Equal(0xEE22_EEEE_55EE_EE88ul, bench.Read<ulong>(0));
    }
}
