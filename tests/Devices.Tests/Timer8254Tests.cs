using System;
using Vmm.Devices;
using Xunit;

namespace Devices.Tests;

public sealed class Timer8254Tests
{
    private static readonly Oscillator s_oscillator = new(Timer8254.Hertz);
    private readonly Bench _bench = new();
    private readonly Timer8254 _pit;
    private readonly SystemControlPortB _portB;

    public Timer8254Tests() => (_pit, _portB) = Create(_bench);

    private static (Timer8254, SystemControlPortB) Create(Bench bench)
    {
        var pit = new Timer8254(bench, bench.Timers, bench.Line(0));
        var portB = new SystemControlPortB(bench, pit);
        bench.Ports.Map(Timer8254.FirstPort, Timer8254.PortCount, pit);
        bench.Ports.Map(SystemControlPortB.Port, 1, portB);
        return (pit, portB);
    }

    private void Program(int channel, int mode, int count, bool bcd = false)
    {
        _bench.Out(0x43, channel << 6 | 0x30 | mode << 1 | (bcd ? 1 : 0));
        _bench.Out(0x40 + channel, count & 0xFF);
        _bench.Out(0x40 + channel, count >> 8);
    }

    private int ReadLatched(int channel)
    {
        _bench.Out(0x43, channel << 6);
        int low = _bench.In(0x40 + channel);
        return low | _bench.In(0x40 + channel) << 8;
    }

    private int Status(int channel)
    {
        _bench.Out(0x43, 0xE0 | 2 << channel);
        return _bench.In(0x40 + channel);
    }

    private void ToTick(ulong tick) => _bench.AdvanceTo(s_oscillator.NanosecondsAt(tick));

    [Fact]
    public void OscillatorIsExactOverYears()
    {
        foreach (ulong tick in new ulong[] { 0, 1, 2, 1_193_181, 1_193_182, 1_193_183, 123_456_789_012_345 })
        {
            ulong at = s_oscillator.NanosecondsAt(tick);
            Assert.Equal(tick, s_oscillator.TicksAt(at));
            if (tick != 0) Assert.Equal(tick - 1, s_oscillator.TicksAt(at - 1));
            var exact = (UInt128)at * Timer8254.Hertz / 1_000_000_000;
            Assert.Equal((ulong)exact, s_oscillator.TicksAt(at));
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void RateGeneratorRisesOncePerPeriodForEver(int mode)
    {
        Program(0, mode, 11932); // 100 Hz
        int before = _bench.Rises[0];
        ToTick(1 + 11932UL * 1000 - 1);
        Assert.Equal(before + 999, _bench.Rises[0]);
        ToTick(1 + 11932UL * 1000);
        Assert.Equal(before + 1000, _bench.Rises[0]);
    }

    [Fact]
    public void Mode2CountsDownAndShowsOneLowClock()
    {
        Program(0, 2, 4);
        int[] counts = [4, 3, 2, 1, 4, 3];
        for (int i = 0; i < counts.Length; i++)
        {
            ToTick((ulong)(1 + i));
            Assert.Equal(counts[i] != 1, (Status(0) & 0x80) != 0);
            Assert.Equal(counts[i], ReadLatched(0));
        }
    }

    [Theory]
    [InlineData(4, new[] { 4, 2, 4, 2, 4 }, new[] { true, true, false, false, true })]
    [InlineData(5, new[] { 4, 2, 0, 4, 2, 4 }, new[] { true, true, true, false, false, true })]
    public void Mode3IsASquareWaveCountedByTwo(int count, int[] counts, bool[] outs)
    {
        Program(0, 3, count);
        for (int i = 0; i < counts.Length; i++)
        {
            ToTick((ulong)(1 + i));
            Assert.Equal(outs[i], (Status(0) & 0x80) != 0);
            Assert.Equal(counts[i], ReadLatched(0));
        }
    }

    [Fact]
    public void Mode0RisesOnceAtTerminalCountAndCountsOn()
    {
        Program(0, 0, 1000);
        Assert.Equal(0x70, Status(0)); // OUT low, null count, low then high byte, mode 0
        int before = _bench.Rises[0];
        ToTick(1);
        Assert.Equal(0x30, Status(0));
        ToTick(1000);
        Assert.Equal(before, _bench.Rises[0]);
        Assert.Equal(1, ReadLatched(0));
        ToTick(1001);
        Assert.Equal(before + 1, _bench.Rises[0]);
        Assert.Equal(0xB0, Status(0));
        ToTick(1002);
        Assert.Equal(0xFFFF, ReadLatched(0));
        ToTick(1_000_000);
        Assert.Equal(before + 1, _bench.Rises[0]);
    }

    [Fact]
    public void Mode0IsLowFromTheFirstByteOfANewCount()
    {
        Program(0, 0, 10);
        ToTick(100);
        _bench.Out(0x40, 20);
        Assert.Equal(0, Status(0) & 0x80);
        int before = _bench.Rises[0];
        _bench.Out(0x40, 0);
        ToTick(120);
        Assert.Equal(before, _bench.Rises[0]);
        ToTick(121);
        Assert.Equal(before + 1, _bench.Rises[0]);
    }

    [Fact]
    public void Mode4StrobesForOneClock()
    {
        Program(0, 4, 10);
        ToTick(10);
        Assert.Equal(0x80, Status(0) & 0x80);
        int before = _bench.Rises[0];
        ToTick(11);
        Assert.Equal(0, Status(0) & 0x80);
        ToTick(12);
        Assert.Equal(0x80, Status(0) & 0x80);
        Assert.Equal(before + 1, _bench.Rises[0]);
    }

    [Fact]
    public void Mode1IsARetriggerableOneShot()
    {
        _bench.Out(0x61, 0);
        Program(2, 1, 10);
        Assert.Equal(0x20, _bench.In(0x61) & 0x20);
        ToTick(50);
        Assert.Equal(0x20, _bench.In(0x61) & 0x20);
        _bench.Out(0x61, 1); // trigger: low from tick 51 to 61
        ToTick(51);
        Assert.Equal(0, _bench.In(0x61) & 0x20);
        ToTick(60);
        Assert.Equal(0, _bench.In(0x61) & 0x20);
        _bench.Out(0x61, 0);
        _bench.Out(0x61, 1); // again: to 71
        ToTick(70);
        Assert.Equal(0, _bench.In(0x61) & 0x20);
        ToTick(71);
        Assert.Equal(0x20, _bench.In(0x61) & 0x20);
    }

    [Fact]
    public void Mode5StrobesAfterATrigger()
    {
        _bench.Out(0x61, 0);
        Program(2, 5, 10);
        _bench.Out(0x61, 1);
        ToTick(10);
        Assert.Equal(0x20, _bench.In(0x61) & 0x20);
        ToTick(11);
        Assert.Equal(0, _bench.In(0x61) & 0x20);
        ToTick(12);
        Assert.Equal(0x20, _bench.In(0x61) & 0x20);
    }

    [Fact]
    public void GateHoldsMode0AndRestartsMode3()
    {
        _bench.Out(0x61, 1);
        Program(2, 0, 100);
        ToTick(51);
        Assert.Equal(50, ReadLatched(2));
        _bench.Out(0x61, 0);
        ToTick(1000);
        Assert.Equal(50, ReadLatched(2));
        _bench.Out(0x61, 1);
        ToTick(1010);
        Assert.Equal(40, ReadLatched(2));
        Program(2, 3, 100);
        ToTick(1080);
        _bench.Out(0x61, 0);
        Assert.Equal(0x20, _bench.In(0x61) & 0x20); // OUT goes high at once
        ToTick(2000);
        _bench.Out(0x61, 1);
        ToTick(2001);
        Assert.Equal(100, ReadLatched(2));
    }

    [Fact]
    public void NewCountInMode2WaitsForTheEndOfThePeriod()
    {
        Program(0, 2, 1000); // loaded at tick 1
        ToTick(501);
        int before = _bench.Rises[0];
        _bench.Out(0x40, 0xF4);
        _bench.Out(0x40, 0x01); // 500
        Assert.Equal(0x40, Status(0) & 0x40);
        ToTick(1001);
        Assert.Equal(before + 1, _bench.Rises[0]);
        Assert.Equal(0, Status(0) & 0x40);
        ToTick(1501);
        Assert.Equal(before + 2, _bench.Rises[0]);
        ToTick(2001);
        Assert.Equal(before + 3, _bench.Rises[0]);
    }

    [Fact]
    public void NewCountInMode3WaitsForTheEndOfTheHalfCycle()
    {
        Program(0, 3, 1000); // high 1..501, low 501..1001
        ToTick(101);
        int before = _bench.Rises[0];
        _bench.Out(0x40, 100);
        _bench.Out(0x40, 0); // from 501: low 501..551, high 551..601
        ToTick(550);
        Assert.Equal(before, _bench.Rises[0]);
        Assert.Equal(0, Status(0) & 0x80);
        ToTick(551);
        Assert.Equal(before + 1, _bench.Rises[0]);
        ToTick(651);
        Assert.Equal(before + 2, _bench.Rises[0]);
    }

    [Fact]
    public void LatchHoldsBothBytesUntilRead()
    {
        Program(0, 2, 0x8000);
        ToTick(0x1001);
        _bench.Out(0x43, 0x00);
        ToTick(0x3001);
        _bench.Out(0x43, 0x00); // ignored: the first is not read yet
        Assert.Equal(0x00, _bench.In(0x40));
        Assert.Equal(0x70, _bench.In(0x40));
        Assert.Equal(0x00, _bench.In(0x40));
        Assert.Equal(0x50, _bench.In(0x40));
    }

    [Fact]
    public void ReadBackGivesStatusBeforeCount()
    {
        Program(0, 2, 0x1234);
        ToTick(1);
        _bench.Out(0x43, 0xC2); // status and count of channel 0
        Assert.Equal(0xB4, _bench.In(0x40));
        Assert.Equal(0x34, _bench.In(0x40));
        Assert.Equal(0x12, _bench.In(0x40));
    }

    [Fact]
    public void BcdCountsInDecimal()
    {
        Program(0, 2, 0x1000, bcd: true);
        ToTick(2);
        Assert.Equal(0x0999, ReadLatched(0));
        Program(0, 0, 0x0000, bcd: true); // 10,000
        ulong start = s_oscillator.TicksAt(_bench.NowNanoseconds) + 1;
        ToTick(start + 1);
        Assert.Equal(0x9999, ReadLatched(0));
    }

    [Fact]
    public void SingleByteAccessModes()
    {
        _bench.Out(0x43, 0x14); // channel 0, low byte, mode 2
        _bench.Out(0x40, 100);
        ToTick(11);
        Assert.Equal(90, _bench.In(0x40));
        Assert.Equal(90, _bench.In(0x40));
        _bench.Out(0x43, 0xA4); // channel 2, high byte, mode 2
        _bench.Out(0x61, 1);
        _bench.Out(0x42, 0x20);
        ToTick(13);
        Assert.Equal(0x1F, _bench.In(0x42));
    }

    /// <summary>
    /// The measurement of Linux's quick_pit_calibrate (arch/x86/kernel/tsc.c): it watches the high byte of a mode 0 count
    /// go down.
    /// </summary>
    [Fact]
    public void LinuxQuickCalibrationFindsOneGigahertz()
    {
        _bench.Out(0x61, _bench.In(0x61) & ~2 | 1);
        _bench.Out(0x43, 0xB0);
        _bench.Out(0x42, 0xFF);
        _bench.Out(0x42, 0xFF);
        _bench.Advance(2000);
        _bench.In(0x42);
        _bench.In(0x42);
        Assert.True(ExpectHighByte(0xFF, out ulong start, out _));
        for (int i = 1; i <= 50; i++)
        {
            Assert.True(ExpectHighByte(0xFF - i, out ulong now, out ulong width));
            if (width >= now - start >> 11) continue;
            // Frequency in kHz, as the kernel computes it.
            ulong khz = (now - start) * Timer8254.Hertz / ((ulong)i * 256 * 1000);
            Assert.InRange(khz, 999_000UL, 1_001_000UL);
            return;
        }
        Assert.Fail("the calibration never became exact enough");
    }

    private bool ExpectHighByte(int value, out ulong at, out ulong width)
    {
        ulong previous = 0, tsc = 0;
        int count = 0;
        for (; count < 50_000; count++)
        {
            _bench.Advance(100);
            _bench.In(0x42);
            _bench.Advance(100);
            if (_bench.In(0x42) != value) break;
            previous = tsc;
            tsc = _bench.NowNanoseconds;
        }
        width = _bench.NowNanoseconds - previous;
        at = tsc;
        return count > 5;
    }

    [Fact]
    public void SpeakerGateStopsTheMode0CountThatDelayLoopsWaitFor()
    {
        _bench.Out(0x61, 1);
        Program(2, 0, 1193);
        ToTick(1193);
        Assert.Equal(0, _bench.In(0x61) & 0x20);
        ToTick(1194);
        Assert.Equal(0x20, _bench.In(0x61) & 0x20);
    }

    [Fact]
    public void RefreshBitToggles()
    {
        int changes = 0, last = _bench.In(0x61) & 0x10;
        for (int i = 0; i < 1000; i++)
        {
            _bench.Advance(1000);
            int now = _bench.In(0x61) & 0x10;
            if (now != last) changes++;
            last = now;
        }
        Assert.InRange(changes, 65, 67); // every 15.09 us
    }

    [Fact]
    public void EdgeThatTheWritingInstructionPassedIsNotLost()
    {
        Program(0, 2, 100);
        int before = _bench.Rises[0];
        _bench.AdvanceWithoutTimers(100_000); // one period is 83.8 us
        _bench.Out(0x43, 0x30);
        Assert.Equal(before + 1, _bench.Rises[0]);
        Assert.False(_bench.Levels[0]); // mode 0: OUT is low
        Assert.Equal(ulong.MaxValue, _bench.Timers.NextDeadlineNanoseconds);
    }

    [Fact]
    public void StateTransfersAndGoesOnAlike()
    {
        _bench.Out(0x61, 1);
        Program(0, 3, 1001);
        Program(2, 0, 5000);
        ToTick(700);
        _bench.Out(0x40, 50);
        var otherBench = new Bench();
        (Timer8254 other, SystemControlPortB otherPortB) = Create(otherBench);
        otherBench.AdvanceTo(_bench.NowNanoseconds);
        Bench.AssertTransfers(_pit, other);
        Bench.Restore(otherPortB, Bench.Save(_portB));
        Array.Copy(_bench.Rises, otherBench.Rises, 24);
        foreach (Bench bench in new[] { _bench, otherBench })
        {
            bench.Out(0x40, 1);
            bench.AdvanceTo(20_000_000);
        }
        Assert.Equal(_bench.Rises[0], otherBench.Rises[0]);
        Assert.Equal(_bench.In(0x42), otherBench.In(0x42));
        Assert.Equal(Bench.Save(_pit), Bench.Save(other));
    }
}
