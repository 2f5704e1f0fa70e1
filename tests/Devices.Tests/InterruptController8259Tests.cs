using Vmm.Devices;
using Xunit;

namespace Devices.Tests;

public sealed class InterruptController8259Tests
{
    private readonly Bench _bench = new();
    private readonly InterruptController8259 _pic;

    public InterruptController8259Tests() => _pic = Create(_bench);

    private static InterruptController8259 Create(Bench bench)
    {
        var pic = new InterruptController8259(bench);
        foreach ((int first, int count) in new[] { (0x20, 2), (0xA0, 2), (0x4D0, 2) }) bench.Ports.Map(first, count, pic);
        return pic;
    }

    /// <summary>As Linux's init_8259A does, all inputs open.</summary>
    private void Initialize(int icw4 = 1)
    {
        _bench.Out(0x20, 0x11);
        _bench.Out(0x21, 0x30);
        _bench.Out(0x21, 4);
        _bench.Out(0x21, icw4);
        _bench.Out(0xA0, 0x11);
        _bench.Out(0xA1, 0x38);
        _bench.Out(0xA1, 2);
        _bench.Out(0xA1, icw4);
    }

    private void Pulse(int irq)
    {
        _pic.SetIrqLevel(irq, true);
        _pic.SetIrqLevel(irq, false);
    }

    [Fact]
    public void MaskCanBeWrittenAndReadBack()
    {
        Initialize();
        _bench.Out(0x21, 0xFB);
        _bench.Out(0xA1, 0xFF);
        Assert.Equal(0xFB, _bench.In(0x21));
        Assert.Equal(0xFF, _bench.In(0xA1));
    }

    [Fact]
    public void EdgeIsDeliveredOnceAndBlocksLowerPrioritiesUntilEoi()
    {
        Initialize();
        _pic.SetIrqLevel(3, true);
        Assert.True(_pic.Output);
        Assert.Equal(0x33, _pic.Acknowledge());
        Assert.False(_pic.Output);
        Pulse(4);
        Assert.False(_pic.Output);
        Pulse(1);
        Assert.True(_pic.Output); // more urgent
        Assert.Equal(0x31, _pic.Acknowledge());
        _bench.Out(0x20, 0x20); // non-specific: ends 1
        Assert.False(_pic.Output);
        _bench.Out(0x20, 0x20); // ends 3
        Assert.Equal(0x34, _pic.Acknowledge());
    }

    [Fact]
    public void MaskedRequestIsRememberedAndDeliveredWhenUnmasked()
    {
        Initialize();
        _bench.Out(0x21, 0xFF);
        Pulse(4);
        Assert.False(_pic.Output);
        _bench.Out(0x20, 0x0A);
        Assert.Equal(0x10, _bench.In(0x20));
        _bench.Out(0x21, 0xEF);
        Assert.True(_pic.Output);
        Assert.Equal(0x34, _pic.Acknowledge());
        _bench.Out(0x20, 0x0B);
        Assert.Equal(0x10, _bench.In(0x20));
        _bench.Out(0x20, 0x64); // specific EOI
        Assert.Equal(0x00, _bench.In(0x20));
    }

    [Fact]
    public void CascadeDeliversTheSlavesVectorAndNeedsBothEois()
    {
        Initialize();
        Pulse(12);
        Assert.Equal(0x3C, _pic.Acknowledge());
        Pulse(8); // more urgent in the slave, but the master has the cascade in service
        Assert.False(_pic.Output);
        _bench.Out(0xA0, 0x20);
        Assert.False(_pic.Output);
        _bench.Out(0x20, 0x62);
        Assert.True(_pic.Output);
        Assert.Equal(0x38, _pic.Acknowledge());
    }

    [Fact]
    public void CascadeWorksWithTheMastersEoiFirst()
    {
        Initialize();
        Pulse(8);
        Pulse(12);
        Assert.Equal(0x38, _pic.Acknowledge());
        _bench.Out(0x20, 0x20);
        Assert.False(_pic.Output);
        _bench.Out(0xA0, 0x20);
        Assert.Equal(0x3C, _pic.Acknowledge());
    }

    [Fact]
    public void SpecialFullyNestedMasterTakesAMoreUrgentSlaveInput()
    {
        Initialize(0x11);
        Pulse(12);
        Assert.Equal(0x3C, _pic.Acknowledge());
        Pulse(8);
        Assert.True(_pic.Output);
        Assert.Equal(0x38, _pic.Acknowledge());
    }

    [Fact]
    public void LevelTriggeredInputIsDeliveredAgainWhileItsLineIsHigh()
    {
        Initialize();
        _bench.Out(0x4D1, 0x0C); // IRQ10 and 11
        Assert.Equal(0x0C, _bench.In(0x4D1));
        _pic.SetIrqLevel(11, true);
        Assert.Equal(0x3B, _pic.Acknowledge());
        _bench.Out(0xA0, 0x20);
        _bench.Out(0x20, 0x20);
        Assert.True(_pic.Output);
        Assert.Equal(0x3B, _pic.Acknowledge());
        _pic.SetIrqLevel(11, false);
        _bench.Out(0xA0, 0x20);
        _bench.Out(0x20, 0x20);
        Assert.False(_pic.Output);
    }

    [Fact]
    public void SystemInputsStayEdgeTriggered()
    {
        _bench.Out(0x4D0, 0xFF);
        _bench.Out(0x4D1, 0xFF);
        Assert.Equal(0xF8, _bench.In(0x4D0));
        Assert.Equal(0xDE, _bench.In(0x4D1));
    }

    [Fact]
    public void RequestThatWentAwayIsSpuriousInput7WithoutService()
    {
        Initialize();
        _bench.Out(0x4D0, 0x20);
        _pic.SetIrqLevel(5, true);
        _pic.SetIrqLevel(5, false);
        Assert.False(_pic.Output);
        Assert.Equal(0x37, _pic.Acknowledge());
        _bench.Out(0x20, 0x0B);
        Assert.Equal(0, _bench.In(0x20));
    }

    [Fact]
    public void AutoEoiLeavesNothingInService()
    {
        Initialize(0x03);
        Pulse(0);
        Assert.Equal(0x30, _pic.Acknowledge());
        Pulse(7);
        Assert.Equal(0x37, _pic.Acknowledge());
        _bench.Out(0x20, 0x0B);
        Assert.Equal(0, _bench.In(0x20));
    }

    [Fact]
    public void RotationMakesTheServedInputTheLeastUrgent()
    {
        Initialize();
        Pulse(3);
        _pic.Acknowledge();
        _bench.Out(0x20, 0xA0); // rotate on non-specific EOI
        Pulse(3);
        Pulse(4);
        Assert.Equal(0x34, _pic.Acknowledge());
        _bench.Out(0x20, 0x20);
        Assert.Equal(0x33, _pic.Acknowledge());
        _bench.Out(0x20, 0x20);
        _bench.Out(0x20, 0xC0 | 7); // set priority: 7 lowest
        Pulse(0);
        Pulse(7);
        Assert.Equal(0x30, _pic.Acknowledge());
    }

    [Fact]
    public void PollAcknowledges()
    {
        Initialize();
        Pulse(6);
        _bench.Out(0x20, 0x0C);
        Assert.Equal(0x86, _bench.In(0x20));
        Assert.False(_pic.Output);
        _bench.Out(0x20, 0x0C);
        Assert.Equal(0, _bench.In(0x20) & 0x80);
    }

    [Fact]
    public void SpecialMaskModeLetsLowerPrioritiesThrough()
    {
        Initialize();
        Pulse(1);
        _pic.Acknowledge();
        Pulse(5);
        Assert.False(_pic.Output);
        _bench.Out(0x21, 0x02);
        _bench.Out(0x20, 0x68);
        Assert.True(_pic.Output);
        Assert.Equal(0x35, _pic.Acknowledge());
    }

    [Fact]
    public void StateTransfers()
    {
        Initialize();
        _bench.Out(0x21, 0xB8);
        Pulse(14);
        _pic.SetIrqLevel(1, true);
        _pic.Acknowledge();
        var other = Create(new Bench());
        Bench.AssertTransfers(_pic, other);
        Assert.Equal(_pic.Output, other.Output);
    }
}
