using System;
using Vmm.Devices;
using Xunit;

namespace Devices.Tests;

public sealed class RealTimeClockTests
{
    private const ulong Second = 1_000_000_000;
    private static readonly long s_start = new DateTimeOffset(2026, 2, 28, 23, 59, 57, TimeSpan.Zero).ToUnixTimeSeconds();

    private readonly Bench _bench = new();
    private readonly RealTimeClock _rtc;

    public RealTimeClockTests() => _rtc = Create(_bench);

    private static RealTimeClock Create(Bench bench)
    {
        var rtc = new RealTimeClock(bench, bench.Timers, bench.Line(8), s_start);
        bench.Ports.Map(RealTimeClock.IndexPort, 2, rtc);
        return rtc;
    }

    private int Read(int index)
    {
        _bench.Out(0x70, index);
        return _bench.In(0x71);
    }

    private void Write(int index, int value)
    {
        _bench.Out(0x70, index);
        _bench.Out(0x71, value);
    }

    private int[] ReadTime() => [Read(0x32), Read(9), Read(8), Read(7), Read(6), Read(4), Read(2), Read(0)];

    /// <summary>As mc146818_get_time: waits for UIP to be clear, reads, and checks that it still is.</summary>
    [Fact]
    public void LinuxReadsTheStartTimeInBcd()
    {
        Assert.Equal(0, Read(0x0A) & 0x80);
        Assert.Equal(0x80, Read(0x0D));
        Assert.Equal([0x20, 0x26, 0x02, 0x28, 7, 0x23, 0x59, 0x57], ReadTime()); // a Saturday
        _bench.AdvanceTo(3 * Second);
        Assert.Equal([0x20, 0x26, 0x03, 0x01, 1, 0x00, 0x00, 0x00], ReadTime());
    }

    [Fact]
    public void UpdateInProgressComesBeforeTheUpdate()
    {
        _bench.AdvanceTo(Second - 2_228_001);
        Assert.Equal(0, Read(0x0A) & 0x80);
        _bench.Advance(1);
        Assert.Equal(0x80, Read(0x0A) & 0x80);
        Assert.Equal(0x57, Read(0));
        _bench.AdvanceTo(Second);
        Assert.Equal(0, Read(0x0A) & 0x80);
        Assert.Equal(0x58, Read(0));
    }

    [Fact]
    public void TwelveHourBinaryMode()
    {
        Write(0x0B, 0x04);
        Assert.Equal(0x80 | 11, Read(4));
        Assert.Equal(59, Read(2));
        _bench.AdvanceTo(3 * Second);
        Assert.Equal(12, Read(4)); // midnight
        _bench.AdvanceTo((3 + 12 * 3600) * Second);
        Assert.Equal(0x80 | 12, Read(4)); // noon
    }

    /// <summary>
    /// As mc146818_set_time: SET, divider reset, registers, then back; the first update is half a second later.
    /// </summary>
    [Fact]
    public void LinuxSetsTheTime()
    {
        _bench.Advance(300_000_000);
        int control = Read(0x0B), select = Read(0x0A);
        Write(0x0B, control | 0x80);
        Write(0x0A, select | 0x70);
        Write(9, 0x30);
        Write(8, 0x12);
        Write(7, 0x31);
        Write(6, 0x03);
        Write(4, 0x10);
        Write(2, 0x20);
        Write(0, 0x30);
        Write(0x32, 0x20);
        _bench.Advance(5 * Second);
        Assert.Equal(0x30, Read(0));
        Write(0x0B, control);
        Write(0x0A, select);
        Assert.Equal([0x20, 0x30, 0x12, 0x31, 3, 0x10, 0x20, 0x30], ReadTime());
        _bench.Advance(Second / 2 - 1);
        Assert.Equal(0x30, Read(0));
        _bench.Advance(1);
        Assert.Equal(0x31, Read(0));
        _bench.Advance((13UL * 3600 + 39 * 60 + 29) * Second);
        Assert.Equal([0x20, 0x31, 0x01, 0x01, 4, 0x00, 0x00, 0x00], ReadTime());
    }

    [Fact]
    public void SingleRegisterCanBeSetWhileRunning()
    {
        Write(2, 0x30);
        _bench.AdvanceTo(3 * Second);
        Assert.Equal([0x20, 0x26, 0x02, 0x28, 7, 0x23, 0x31, 0x00], ReadTime());
    }

    [Fact]
    public void CalendarAgreesWithTheSystems()
    {
        for (var date = new DateTime(1899, 12, 25, 0, 0, 0, DateTimeKind.Utc); date.Year < 2405; date = date.AddDays(1))
        {
            long days = (long)(date - DateTime.UnixEpoch).TotalDays;
            Assert.Equal(days, CivilCalendar.ToDays(date.Year, date.Month, date.Day));
            Assert.Equal(((long)date.Year, date.Month, date.Day), CivilCalendar.FromDays(days));
            Assert.Equal((int)date.DayOfWeek, CivilCalendar.DayOfWeek(days));
        }
    }

    [Theory]
    [InlineData(6, 1024)]
    [InlineData(15, 2)]
    [InlineData(3, 8192)]
    [InlineData(1, 256)]
    [InlineData(0, 0)]
    public void PeriodicInterrupt(int rate, int perSecond)
    {
        Write(0x0A, 0x20 | rate);
        Write(0x0B, 0x42);
        int served = 0;
        for (ulong end = _bench.NowNanoseconds + 2 * Second; _bench.NowNanoseconds < end; _bench.Advance(10_000))
        {
            if (!_bench.Levels[8]) continue;
            Assert.Equal(0xC0, Read(0x0C) & 0xC0);
            Assert.False(_bench.Levels[8]);
            served++;
        }
        Assert.InRange(served, 2 * perSecond - 1, 2 * perSecond);
    }

    [Fact]
    public void UnreadInterruptNeedsNoMoreTimers()
    {
        Write(0x0B, 0x42);
        _bench.Advance(Second);
        Assert.Equal(1, _bench.Rises[8]);
        Assert.Equal(ulong.MaxValue, _bench.Timers.NextDeadlineNanoseconds);
        Assert.Equal(0xD0, Read(0x0C)); // PF, UF and IRQF
        Assert.NotEqual(ulong.MaxValue, _bench.Timers.NextDeadlineNanoseconds);
    }

    [Fact]
    public void FlagsComeWithoutInterruptsToo()
    {
        Assert.Equal(0, Read(0x0C));
        _bench.AdvanceTo(Second);
        Assert.Equal(0x50, Read(0x0C));
        Assert.Equal(0x00, Read(0x0C));
        Assert.Equal(0, _bench.Rises[8]);
    }

    [Fact]
    public void UpdateEndedInterrupt()
    {
        Write(0x0B, 0x12);
        _bench.AdvanceTo(Second - 1);
        Assert.False(_bench.Levels[8]);
        _bench.AdvanceTo(Second);
        Assert.True(_bench.Levels[8]);
        Assert.Equal(0x90, Read(0x0C) & 0xB0);
        Write(0x0B, 0x92);
        Assert.Equal(0x82, Read(0x0B)); // SET clears UIE
    }

    [Fact]
    public void AlarmInterruptWithWildcards()
    {
        Write(5, 0xFF);
        Write(3, 0x00);
        Write(1, 0x02);
        Write(0x0B, 0x22);
        _bench.AdvanceTo(5 * Second - 1);
        Assert.False(_bench.Levels[8]);
        _bench.AdvanceTo(5 * Second); // 00:00:02
        Assert.True(_bench.Levels[8]);
        Assert.Equal(0xA0, Read(0x0C) & 0xA0);
        _bench.AdvanceTo((5 + 3600) * Second - 1);
        Assert.False(_bench.Levels[8]);
        _bench.Advance(1);
        Assert.True(_bench.Levels[8]);
        Read(0x0C);
        Write(5, 0x77); // never
        Assert.Equal(ulong.MaxValue, _bench.Timers.NextDeadlineNanoseconds);
    }

    [Fact]
    public void MemorySizesBootOrderAndNmiMask()
    {
        _rtc.SetMemorySize(3UL << 30, 2UL << 30);
        Assert.Equal(640, Read(0x15) | Read(0x16) << 8);
        Assert.Equal(0xFFFF, Read(0x17) | Read(0x18) << 8);
        Assert.Equal(0xFFFF, Read(0x30) | Read(0x31) << 8);
        Assert.Equal(((3 << 14) - 256), Read(0x34) | Read(0x35) << 8);
        Assert.Equal(2 << 14, Read(0x5B) | Read(0x5C) << 8 | Read(0x5D) << 16);
        _rtc.SetMemorySize(8UL << 20, 0);
        Assert.Equal(7 * 1024, Read(0x17) | Read(0x18) << 8);
        Assert.Equal(0, Read(0x34) | Read(0x35) << 8);
        int sum = 0;
        for (int i = 0x10; i <= 0x2D; i++) sum += Read(i);
        Assert.Equal(sum, Read(0x2E) << 8 | Read(0x2F));
        Assert.Equal(0x32, Read(0x3D));
        Assert.False(_rtc.IsNmiMasked);
        _bench.Out(0x70, 0x8F);
        Assert.True(_rtc.IsNmiMasked);
    }

    [Fact]
    public void StateTransfersAndGoesOnAlike()
    {
        Write(0x0B, 0x72);
        Write(5, 0xC0);
        Write(3, 0xC0);
        _bench.Advance(12_345_678);
        var otherBench = new Bench();
        RealTimeClock other = Create(otherBench);
        otherBench.AdvanceTo(_bench.NowNanoseconds);
        Bench.AssertTransfers(_rtc, other);
        foreach (Bench bench in new[] { _bench, otherBench })
        {
            for (int i = 0; i < 100; i++)
            {
                bench.Out(0x70, 0x0C);
                bench.In(0x71);
                bench.Advance(33_333_333);
            }
        }
        Assert.Equal(Bench.Save(_rtc), Bench.Save(other));
    }
}
