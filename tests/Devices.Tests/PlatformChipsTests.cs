using System;
using Vmm.Buses;
using Vmm.Devices;
using Xunit;

namespace Devices.Tests;

public sealed class PlatformChipsTests
{
    private const int PowerBase = 0x600;

    private readonly Bench _bench = new();

    private static AcpiPowerManagement CreatePower(Bench bench, bool is32Bit = false)
    {
        var power = new AcpiPowerManagement(bench, bench.Timers, bench.Line(9), bench, PowerBase, sleepTypeS5: 5, is32Bit);
        bench.Ports.Map(PowerBase, AcpiPowerManagement.PortCount, power);
        return power;
    }

    [Theory]
    [InlineData(false, 0xFF_FFFFu)]
    [InlineData(true, uint.MaxValue)]
    public void PowerManagementTimerCountsAt3579545Hz(bool is32Bit, uint mask)
    {
        CreatePower(_bench, is32Bit);
        for (int i = 0; i < 1000; i++)
        {
            _bench.Advance(17_123_457);
            Assert.Equal((uint)((UInt128)_bench.NowNanoseconds * 3_579_545 / 1_000_000_000) & mask, _bench.In(PowerBase + 8, 4));
        }
    }

    [Fact]
    public void TimerCarryRaisesSci()
    {
        CreatePower(_bench);
        _bench.Out(PowerBase + 2, 2, 1);
        ulong carry = new Oscillator(3_579_545).NanosecondsAt(1 << 23);
        _bench.AdvanceTo(carry - 1);
        Assert.False(_bench.Levels[9]);
        _bench.AdvanceTo(carry);
        Assert.True(_bench.Levels[9]);
        Assert.Equal(1u, _bench.In(PowerBase, 2));
        _bench.Out(PowerBase, 2, 1);
        Assert.False(_bench.Levels[9]);
        _bench.AdvanceTo(2 * carry);
        Assert.True(_bench.Levels[9]);
    }

    [Fact]
    public void PowerButtonAndSleep()
    {
        AcpiPowerManagement power = CreatePower(_bench);
        power.PressPowerButton();
        Assert.False(_bench.Levels[9]);
        _bench.Out(PowerBase + 2, 2, 0x100);
        Assert.True(_bench.Levels[9]);
        Assert.Equal(0x100u, _bench.In(PowerBase, 2));
        _bench.Out(PowerBase, 2, 0x100);
        Assert.False(_bench.Levels[9]);
        Assert.Equal(1u, _bench.In(PowerBase + 4, 2)); // SCI_EN
        _bench.Out(PowerBase + 4, 2, 5 << 10 | 1);
        _bench.Out(PowerBase + 4, 2, 1 << 13 | 3 << 10 | 1); // not S5
        Assert.Empty(_bench.Log);
        _bench.Out(PowerBase + 4, 2, 1 << 13 | 5 << 10 | 1);
        Assert.Equal(["power off"], _bench.Log);
        var otherBench = new Bench();
        power.PressPowerButton();
        _bench.AdvanceTo(5_000_000_000);
        _bench.In(PowerBase, 2);
        Bench.AssertTransfers(power, CreatePower(otherBench));
        Assert.Equal(_bench.In(PowerBase + 4, 2), otherBench.In(PowerBase + 4, 2));
    }

    [Fact]
    public void ResetsOnTheRisingBit()
    {
        var reset = new ResetControl(_bench);
        _bench.Ports.Map(ResetControl.ResetPort, 1, reset);
        _bench.Ports.Map(ResetControl.PortA, 1, reset);
        _bench.Out(0xCF9, 0x02);
        Assert.Equal(0x02, _bench.In(0xCF9));
        Assert.Empty(_bench.Log);
        _bench.Out(0xCF9, 0x06);
        Assert.Equal(["reset"], _bench.Log);
        _bench.Out(0x92, _bench.In(0x92) | 2);
        Assert.Equal(2, _bench.In(0x92));
        _bench.Out(0x92, 3);
        Assert.Equal(["reset", "reset"], _bench.Log);
        Bench.AssertTransfers(reset, new ResetControl(new Bench()));
    }

    [Fact]
    public void DebugPorts()
    {
        _bench.Ports.Map(DebugExit.Port, DebugExit.PortCount, new DebugExit(_bench));
        _bench.Ports.Map(DebugConsole.Port, 1, new DebugConsole(_bench));
        _bench.Out(0xF4, 4, 0x12345);
        Assert.Equal(["debug exit 74565"], _bench.Log);
        Assert.Equal(0xE9, _bench.In(0xE9));
        _bench.Out(0xE9, 'x');
        Assert.Equal([(byte)'x'], _bench.Output);
    }

    [Fact]
    public void VgaRegistersReadBackAndWordWritesSplit()
    {
        var vga = new VgaText(_bench);
        _bench.Ports.Map(VgaText.FirstPort, VgaText.PortCount, vga);
        _bench.Out(0x3D4, 2, 0x120E);
        _bench.Out(0x3D4, 2, 0x340F);
        _bench.Out(0x3D4, 2, 0x010C);
        Assert.Equal(0x1234, vga.CursorOffset);
        Assert.Equal(0x100, vga.StartOffset);
        _bench.Out(0x3D4, 0x0F);
        Assert.Equal(0x34, _bench.In(0x3D5));
        _bench.Out(0x3D4, 2, 0xFF00); // protected
        Assert.Equal(0x5F, _bench.In(0x3D5));
        _bench.In(0x3DA);
        _bench.Out(0x3C0, 0x10);
        _bench.Out(0x3C0, 0x0D);
        _bench.Out(0x3C0, 0x30);
        Assert.Equal(0x0D, _bench.In(0x3C1));
        _bench.Out(0x3C8, 7);
        foreach (int component in new[] { 1, 2, 3 }) _bench.Out(0x3C9, component);
        _bench.Out(0x3C7, 7);
        Assert.Equal(1, _bench.In(0x3C9));
        Assert.Equal(2, _bench.In(0x3C9));
        Assert.Equal(0xFF, _bench.In(0x3B5)); // it is a colour display
        _bench.Out(0x3C2, 0x66);
        _bench.Out(0x3B4, 0x0E);
        Assert.Equal(0x12, _bench.In(0x3B5));
        Bench.AssertTransfers(vga, new VgaText(new Bench()));
    }

    [Fact]
    public void VgaRetraceComesSeventyTimesASecond()
    {
        _bench.Ports.Map(VgaText.FirstPort, VgaText.PortCount, new VgaText(_bench));
        int retraces = 0;
        bool last = false;
        while (_bench.NowNanoseconds < 1_000_000_000)
        {
            bool now = (_bench.In(0x3DA) & 8) != 0;
            if (now && !last) retraces++;
            last = now;
            _bench.Advance(10_000);
        }
        Assert.Equal(70, retraces);
    }

    [Fact]
    public void ByteWideChipsIgnoreTheNeighboursOfAWideAccess()
    {
        var pic = new InterruptController8259(_bench);
        _bench.Ports.Map(0x20, 2, pic);
        _bench.Out(0x21, 4, 0x44332211);
        Assert.Equal(0x11, _bench.In(0x21));
        Assert.Equal(0xFFFF_FF11, _bench.In(0x21, 4));
    }
}
