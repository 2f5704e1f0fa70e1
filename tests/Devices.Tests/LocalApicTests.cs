using Vmm.Devices;
using Xunit;

namespace Devices.Tests;

public sealed class LocalApicTests
{
    private const int Tpr = 0x80, Ppr = 0xA0, Eoi = 0xB0, Ldr = 0xD0, Dfr = 0xE0, Svr = 0xF0, Isr = 0x100, Irr = 0x200, Esr = 0x280;
    private const int IcrLow = 0x300, IcrHigh = 0x310, LvtTimer = 0x320, LvtLint0 = 0x350, LvtError = 0x370;
    private const int InitialCount = 0x380, CurrentCount = 0x390, Divide = 0x3E0;

    private sealed record Rig(Bench Bench, LocalApic[] Apics, ApicBus Bus, IoApic IoApic, LocalApicPage Page);

    private readonly Rig _rig = Create(4);

    private static Rig Create(int cpuCount)
    {
        var bench = new Bench();
        var bus = new ApicBus(bench);
        var apics = new LocalApic[cpuCount];
        for (int i = 0; i < cpuCount; i++)
        {
            apics[i] = new LocalApic(i, bench, bench.Timers, bus, bench);
            bus.Attach(apics[i]);
            apics[i].WritePage(Svr, 0x1FF);
        }
        var ioApic = new IoApic(bus);
        bus.Attach(ioApic);
        return new Rig(bench, apics, bus, ioApic, new LocalApicPage(apics, bench));
    }

    private LocalApic Apic => _rig.Apics[0];

    private static void WriteIoApic(IoApic ioApic, int index, uint value)
    {
        ioApic.WriteMmio(0x00, 4, (uint)index);
        ioApic.WriteMmio(0x10, 4, value);
    }

    private static uint ReadIoApic(IoApic ioApic, int index)
    {
        ioApic.WriteMmio(0x00, 4, (uint)index);
        return (uint)ioApic.ReadMmio(0x10, 4);
    }

    private void Redirect(int input, uint low, uint destination = 0)
    {
        WriteIoApic(_rig.IoApic, 0x11 + 2 * input, destination << 24);
        WriteIoApic(_rig.IoApic, 0x10 + 2 * input, low);
    }

    [Fact]
    public void PowerUpState()
    {
        var apic = new LocalApic(0, _rig.Bench, _rig.Bench.Timers, _rig.Bus, _rig.Bench);
        Assert.Equal(0xFEE0_0900UL, apic.ApicBase);
        Assert.Equal(0x0005_0014u, apic.ReadPage(0x30));
        Assert.Equal(0xFFu, apic.ReadPage(Svr));
        Assert.Equal(0x10000u, apic.ReadPage(LvtLint0));
        Assert.Equal(uint.MaxValue, apic.ReadPage(Dfr));
        Assert.False(apic.AcceptsExtInt);
        apic.EnableVirtualWire();
        Assert.True(apic.AcceptsExtInt);
        Assert.Equal(0xFEE0_0800UL, _rig.Apics[1].ApicBase);
    }

    [Fact]
    public void EachProcessorFindsItsOwnApicInThePage()
    {
        for (int i = 0; i < 4; i++)
        {
            _rig.Bench.CurrentCpuIndex = i;
            Assert.Equal((ulong)i << 24, _rig.Page.ReadMmio(0x20, 4));
            Assert.Equal((ulong)i, _rig.Page.ReadMmio(0x23, 1));
        }
    }

    [Fact]
    public void PrioritiesNestAndEoiEndsTheHighest()
    {
        Apic.SetIrr(0x41, false);
        Apic.SetIrr(0x31, false);
        Assert.Equal(0x41, Apic.AcknowledgeInterrupt());
        Assert.False(Apic.HasInterrupt); // 0x31 waits
        Assert.Equal(0x40u, Apic.ReadPage(Ppr));
        Apic.SetIrr(0x4F, false);
        Assert.False(Apic.HasInterrupt); // same class
        Apic.SetIrr(0x50, false);
        Assert.Equal(0x50, Apic.AcknowledgeInterrupt());
        Apic.WritePage(Eoi, 0);
        Apic.WritePage(Eoi, 0);
        Assert.Equal(0x4F, Apic.AcknowledgeInterrupt());
        Apic.WritePage(Eoi, 0);
        Assert.Equal(0x31, Apic.AcknowledgeInterrupt());
        Assert.Equal(1u << 0x11, Apic.ReadPage(Isr + 0x10));
        Assert.Equal(0u, Apic.ReadPage(Irr + 0x10));
    }

    [Fact]
    public void TaskPriorityHoldsInterruptsBack()
    {
        Apic.TaskPriority = 4;
        Assert.Equal(0x40u, Apic.ReadPage(Tpr));
        Apic.SetIrr(0x4F, false);
        Assert.False(Apic.HasInterrupt);
        Assert.Equal(0xFF, Apic.AcknowledgeInterrupt()); // spurious
        Apic.TaskPriority = 3;
        Assert.True(Apic.HasInterrupt);
    }

    [Fact]
    public void DisabledApicAcceptsNoFixedInterruptAndMasksItsLvt()
    {
        Apic.WritePage(LvtLint0, 0x700);
        Assert.True(Apic.AcceptsExtInt);
        Apic.WritePage(Svr, 0xFF);
        Apic.SetIrr(0x40, false);
        Assert.False(Apic.HasInterrupt);
        Assert.False(Apic.AcceptsExtInt);
        Apic.WritePage(Svr, 0x1FF);
        Assert.False(Apic.HasInterrupt);
        Assert.Equal(0x10700u, Apic.ReadPage(LvtLint0));
        Assert.True(Apic.TrySetApicBase(0xFEE0_0100));
        Assert.True(Apic.AcceptsExtInt); // its pin is INTR now
        Assert.Equal(ulong.MaxValue, _rig.Page.ReadMmio(0x20, 4));
    }

    [Theory]
    [InlineData(0xB, 1UL)]
    [InlineData(0x0, 2UL)]
    [InlineData(0x3, 16UL)]
    [InlineData(0xA, 128UL)]
    public void PeriodicTimerKeepsItsPeriod(uint divide, ulong divisor)
    {
        Bench bench = _rig.Bench;
        bench.Advance(12_345);
        Apic.WritePage(Divide, divide);
        Apic.WritePage(LvtTimer, 0x2_0040);
        Apic.WritePage(InitialCount, 1000);
        ulong start = bench.NowNanoseconds;
        for (ulong i = 1; i <= 20; i++)
        {
            bench.AdvanceTo(start + i * 1000 * divisor - 1);
            Assert.False(Apic.HasInterrupt);
            Assert.Equal(1u, Apic.ReadPage(CurrentCount));
            bench.Advance(1);
            Assert.Equal(0x40, Apic.AcknowledgeInterrupt());
            Assert.Equal(1000u, Apic.ReadPage(CurrentCount));
            Apic.WritePage(Eoi, 0);
        }
    }

    [Fact]
    public void OneShotFiresOnceAndMaskedOneNotAtAll()
    {
        Bench bench = _rig.Bench;
        Apic.WritePage(Divide, 0xB);
        Apic.WritePage(LvtTimer, 0x40);
        Apic.WritePage(InitialCount, 5000);
        bench.Advance(2000);
        Assert.Equal(3000u, Apic.ReadPage(CurrentCount));
        Apic.WritePage(LvtTimer, 0x1_0040);
        Assert.Equal(ulong.MaxValue, bench.Timers.NextDeadlineNanoseconds);
        bench.Advance(1000);
        Assert.Equal(2000u, Apic.ReadPage(CurrentCount)); // it counts on
        Apic.WritePage(LvtTimer, 0x40);
        bench.Advance(2000);
        Assert.Equal(0x40, Apic.AcknowledgeInterrupt());
        Assert.Equal(0u, Apic.ReadPage(CurrentCount));
        Apic.WritePage(InitialCount, 5000);
        Apic.WritePage(LvtTimer, 0x1_0040);
        bench.Advance(6000);
        Apic.WritePage(LvtTimer, 0x40);
        bench.Advance(60_000);
        Apic.WritePage(Eoi, 0);
        Assert.False(Apic.HasInterrupt);
    }

    [Fact]
    public void DividerChangeKeepsTheCount()
    {
        Apic.WritePage(Divide, 0xB);
        Apic.WritePage(LvtTimer, 0x40);
        Apic.WritePage(InitialCount, 1000);
        _rig.Bench.Advance(400);
        Apic.WritePage(Divide, 0x3);
        Assert.Equal(600u, Apic.ReadPage(CurrentCount));
        _rig.Bench.Advance(600 * 16 - 1);
        Assert.False(Apic.HasInterrupt);
        _rig.Bench.Advance(1);
        Assert.True(Apic.HasInterrupt);
    }

    [Fact]
    public void TscDeadline()
    {
        Bench bench = _rig.Bench;
        bench.Advance(1000);
        Apic.SetTscDeadline(5000);
        Assert.Equal(0UL, Apic.GetTscDeadline()); // not in that mode
        Apic.WritePage(LvtTimer, 0x4_0050);
        Apic.TscOffset = 10_000;
        Apic.SetTscDeadline(13_000);
        Assert.Equal(13_000UL, Apic.GetTscDeadline());
        bench.AdvanceTo(2999);
        Assert.False(Apic.HasInterrupt);
        bench.AdvanceTo(3000);
        Assert.Equal(0x50, Apic.AcknowledgeInterrupt());
        Assert.Equal(0UL, Apic.GetTscDeadline());
        Apic.WritePage(Eoi, 0);
        Apic.SetTscDeadline(12_000); // past: at once
        bench.Advance(0);
        Assert.True(Apic.HasInterrupt);
        Apic.SetTscDeadline(ulong.MaxValue);
        Assert.Equal(ulong.MaxValue - 10_000, bench.Timers.NextDeadlineNanoseconds);
        Apic.TscOffset = 0; // now it is never
        Assert.Equal(ulong.MaxValue, bench.Timers.NextDeadlineNanoseconds);
        Apic.SetTscDeadline(20_000);
        Apic.SetTscDeadline(0);
        Assert.Equal(ulong.MaxValue, bench.Timers.NextDeadlineNanoseconds);
    }

    [Fact]
    public void StartupSequenceReachesTheOtherProcessors()
    {
        Apic.WritePage(IcrHigh, 1u << 24);
        Apic.WritePage(IcrLow, 0x0000_C500); // INIT, level, assert
        Apic.WritePage(IcrLow, 0x0000_8500); // INIT, level, de-assert
        Apic.WritePage(IcrLow, 0x0000_069A);
        Apic.WritePage(IcrLow, 0x000C_4500); // INIT to all but self
        Apic.WritePage(IcrLow, 0x000C_4400); // NMI to all but self
        Assert.Equal(
            ["init 1", "startup 1 9a", "init 1", "init 2", "init 3", "nmi 1", "nmi 2", "nmi 3"], _rig.Bench.Log);
        Assert.Equal(0xFFu, _rig.Apics[1].ReadPage(Svr));
    }

    [Theory]
    [InlineData(false, 0xF000_0000u, 1u, 2u, 4u, 8u)]
    [InlineData(true, 0x0000_0000u, 0x11u, 0x12u, 0x21u, 0x22u)]
    public void LogicalDestinations(bool cluster, uint dfr, uint id0, uint id1, uint id2, uint id3)
    {
        uint[] ids = [id0, id1, id2, id3];
        for (int i = 0; i < 4; i++)
        {
            _rig.Apics[i].WritePage(Dfr, dfr | 0x0FFF_FFFF);
            _rig.Apics[i].WritePage(Ldr, ids[i] << 24);
        }
        Apic.WritePage(IcrHigh, (cluster ? 0x23u : 0x0Cu) << 24);
        Apic.WritePage(IcrLow, 0x0000_4840); // fixed, logical
        Assert.Equal([false, false, true, true], HaveInterrupt());
        Apic.WritePage(IcrLow, 0x0000_4950); // lowest priority: APIC 2 alone
        Assert.Equal(0x50, _rig.Apics[2].AcknowledgeInterrupt());
        Assert.Equal(0x40, _rig.Apics[3].AcknowledgeInterrupt());
    }

    private bool[] HaveInterrupt()
    {
        var has = new bool[4];
        for (int i = 0; i < 4; i++) has[i] = _rig.Apics[i].HasInterrupt;
        return has;
    }

    [Fact]
    public void PhysicalBroadcastAndShorthands()
    {
        Apic.WritePage(IcrHigh, 0xFF00_0000);
        Apic.WritePage(IcrLow, 0x4030);
        Assert.Equal([true, true, true, true], HaveInterrupt());
        foreach (LocalApic apic in _rig.Apics)
        {
            apic.AcknowledgeInterrupt();
            apic.WritePage(Eoi, 0);
        }
        Apic.WritePage(IcrLow, 0x0004_4030);
        Assert.Equal([true, false, false, false], HaveInterrupt());
        Apic.WritePage(IcrLow, 0x000C_4030);
        Assert.Equal([true, true, true, true], HaveInterrupt());
    }

    [Fact]
    public void ErrorsAreLatchedByAWriteAndRaiseTheErrorInterrupt()
    {
        Apic.WritePage(LvtError, 0xFE);
        Apic.WritePage(IcrLow, 0x0004_4005); // self, vector 5
        Assert.Equal(0u, Apic.ReadPage(Esr));
        Apic.WritePage(Esr, 0);
        Assert.Equal(0x20u, Apic.ReadPage(Esr));
        Assert.Equal(0xFE, Apic.AcknowledgeInterrupt());
        Apic.ReadPage(0x3D0);
        Apic.WritePage(Esr, 0);
        Assert.Equal(0x80u, Apic.ReadPage(Esr));
        Apic.WritePage(LvtError, 0x05);
        Apic.SetIrr(5, false);
        Apic.WritePage(Esr, 0);
        Assert.Equal(0x40u, Apic.ReadPage(Esr));
    }

    [Fact]
    public void X2Apic()
    {
        Assert.False(Apic.ReadMsr(0x802, out _));
        Assert.True(Apic.TrySetApicBase(0xFEE0_0D00));
        Assert.False(Apic.TrySetApicBase(0xFEE0_0900)); // back to xAPIC: only through disabled
        Assert.Equal(ulong.MaxValue, _rig.Page.ReadMmio(0x20, 4));
        Assert.True(Apic.ReadMsr(0x802, out ulong id));
        Assert.Equal(0UL, id);
        Assert.True(_rig.Apics[3].TrySetApicBase(0xFEE0_0C00));
        Assert.True(_rig.Apics[3].ReadMsr(0x80D, out ulong ldr));
        Assert.Equal(8UL, ldr);
        Assert.True(Apic.WriteMsr(0x830, 0x0000_0003_0000_0041));
        Assert.Equal(0x41, _rig.Apics[3].AcknowledgeInterrupt());
        Assert.False(Apic.WriteMsr(0x80B, 1));
        Assert.False(Apic.WriteMsr(0x80E, 0));
        Assert.True(Apic.WriteMsr(0x83F, 0x42));
        Assert.Equal(0x42, Apic.AcknowledgeInterrupt());
        Assert.True(Apic.WriteMsr(0x80B, 0));
        Assert.True(Apic.TrySetApicBase(0xFEE0_0100));
        Assert.False(Apic.TrySetApicBase(0xFEE0_0D00)); // disabled to x2APIC
        Assert.True(Apic.TrySetApicBase(0xFEE0_0900));
        Assert.False(Apic.TrySetApicBase(0xFEE0_0901));
    }

    [Fact]
    public void IoApicEdgeIsLostWhileMasked()
    {
        _rig.IoApic.SetIrqLevel(4, true);
        Redirect(4, 0x34);
        Assert.False(Apic.HasInterrupt);
        _rig.IoApic.SetIrqLevel(4, false);
        _rig.IoApic.SetIrqLevel(4, true);
        Assert.Equal(0x34, Apic.AcknowledgeInterrupt());
        Assert.Equal(0x0017_0020u, ReadIoApic(_rig.IoApic, 1));
        Assert.Equal(0x34u, ReadIoApic(_rig.IoApic, 0x18));
    }

    [Fact]
    public void IoApicLevelIsDeliveredAgainAfterEoiWhileTheLineIsHigh()
    {
        Redirect(10, 0x0001_8051, 1);
        _rig.IoApic.SetIrqLevel(10, true);
        Redirect(10, 0x0000_8051, 1); // unmasked
        LocalApic target = _rig.Apics[1];
        Assert.Equal(0x51, target.AcknowledgeInterrupt());
        Assert.Equal(0x0000_C051u, ReadIoApic(_rig.IoApic, 0x10 + 20)); // remote IRR
        _rig.IoApic.SetIrqLevel(10, false);
        _rig.IoApic.SetIrqLevel(10, true);
        Assert.False(target.HasInterrupt);
        target.WritePage(Eoi, 0);
        Assert.Equal(0x51, target.AcknowledgeInterrupt());
        _rig.IoApic.SetIrqLevel(10, false);
        target.WritePage(Eoi, 0);
        Assert.False(target.HasInterrupt);
        Assert.Equal(0x0000_8051u, ReadIoApic(_rig.IoApic, 0x10 + 20));
    }

    [Fact]
    public void TimerInterruptIsWiredToInput2()
    {
        var pic = new InterruptController8259(_rig.Bench);
        var fanOut = new IsaIrqFanOut(pic, _rig.IoApic);
        Redirect(2, 0x30);
        Redirect(8, 0x38);
        fanOut.SetIrqLevel(0, true);
        Assert.True(pic.Output);
        Assert.Equal(0x30, Apic.AcknowledgeInterrupt());
        fanOut.SetIrqLevel(8, true);
        Apic.WritePage(Eoi, 0);
        Assert.Equal(0x38, Apic.AcknowledgeInterrupt());
    }

    [Fact]
    public void MessageSignalledInterrupt()
    {
        _rig.Bus.SendMsi(0xFEE0_2000, 0x4061);
        Assert.Equal([false, false, true, false], HaveInterrupt());
    }

    [Fact]
    public void StateTransfersAndGoesOnAlike()
    {
        Apic.WritePage(Divide, 0x3);
        Apic.WritePage(LvtTimer, 0x2_0040);
        Apic.WritePage(InitialCount, 777);
        Apic.SetIrr(0x91, true);
        Apic.SetIrr(0x55, false);
        Apic.AcknowledgeInterrupt();
        _rig.Bench.Advance(50_001);
        Redirect(10, 0x8051);
        _rig.IoApic.SetIrqLevel(10, true);
        Rig other = Create(4);
        other.Bench.AdvanceTo(_rig.Bench.NowNanoseconds);
        Bench.AssertTransfers(Apic, other.Apics[0]);
        Bench.AssertTransfers(_rig.IoApic, other.IoApic);
        Assert.Equal(Apic.HasInterrupt, other.Apics[0].HasInterrupt);
        foreach (Rig rig in new[] { _rig, other })
        {
            rig.Apics[0].WritePage(Eoi, 0);
            rig.Bench.Advance(100_000);
        }
        Assert.Equal(Bench.Save(Apic), Bench.Save(other.Apics[0]));
        Assert.True(other.Apics[0].HasInterrupt);
    }
}
