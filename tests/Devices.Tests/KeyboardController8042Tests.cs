using Vmm.Devices;
using Xunit;

namespace Devices.Tests;

public sealed class KeyboardController8042Tests
{
    private readonly Bench _bench = new();
    private readonly KeyboardController8042 _controller;

    public KeyboardController8042Tests() => _controller = Create(_bench);

    private static KeyboardController8042 Create(Bench bench)
    {
        var controller = new KeyboardController8042(bench.Line(1), bench.Line(12), bench);
        bench.Ports.Map(0x60, 1, controller);
        bench.Ports.Map(0x64, 1, controller);
        return controller;
    }

    private int[] Drain()
    {
        var bytes = new System.Collections.Generic.List<int>();
        while ((_bench.In(0x64) & 1) != 0) bytes.Add(_bench.In(0x60));
        return [.. bytes];
    }

    [Fact]
    public void KeysAreTranslatedAndEachByteIsAnInterrupt()
    {
        _controller.Receive([0x1C, 0xF0, 0x1C, 0xE0, 0x75, 0xE0, 0xF0, 0x75]); // A, cursor up
        Assert.Equal(1, _bench.Rises[1]);
        Assert.Equal([0x1E, 0x9E, 0xE0, 0x48, 0xE0, 0xC8], Drain());
        Assert.Equal(6, _bench.Rises[1]);
        Assert.False(_bench.Levels[1]);
    }

    [Fact]
    public void WithoutTranslationSet2Arrives()
    {
        _bench.Out(0x64, 0x60);
        _bench.Out(0x60, 0x05);
        _controller.Receive([0x1C, 0xF0, 0x1C]);
        Assert.Equal([0x1C, 0xF0, 0x1C], Drain());
    }

    [Fact]
    public void ControllerSelfTestAndCommandByte()
    {
        _bench.Out(0x64, 0xAA);
        Assert.Equal([0x55], Drain());
        _bench.Out(0x64, 0xAB);
        Assert.Equal([0x00], Drain());
        _bench.Out(0x64, 0x60);
        _bench.Out(0x60, 0x47);
        _bench.Out(0x64, 0x20);
        Assert.Equal([0x47], Drain());
        Assert.Equal(0x08, _bench.In(0x64) & 0x08);
        _bench.Out(0x64, 0xAD);
        _controller.Receive([0x1C]);
        Assert.Empty(Drain());
        _bench.Out(0x64, 0xAE);
        Assert.Equal([0x1E], Drain());
    }

    [Fact]
    public void KeyboardCommands()
    {
        _bench.Out(0x60, 0xFF);
        Assert.Equal([0xFA, 0xAA], Drain());
        _bench.Out(0x60, 0xF2);
        Assert.Equal([0xFA, 0xAB, 0x41], Drain());
        _bench.Out(0x60, 0xED);
        _bench.Out(0x60, 0x06);
        Assert.Equal([0xFA, 0xFA], Drain());
        Assert.Equal(6, _controller.Leds);
        _bench.Out(0x60, 0xF0);
        _bench.Out(0x60, 0x00);
        Assert.Equal([0xFA, 0xFA, 0x41], Drain()); // set 2, translated
        _bench.Out(0x60, 0xF5);
        _controller.Receive([0x1C]);
        Assert.Equal([0xFA], Drain());
        _bench.Out(0x60, 0xF4);
        _controller.Receive([0x1C]);
        Assert.Equal([0xFA, 0x1E], Drain());
        _bench.Out(0x60, 0x12);
        Assert.Equal([0xFE], Drain());
        _bench.Out(0x60, 0xEE);
        Assert.Equal([0xEE], Drain());
    }

    /// <summary>Linux's i8042_check_aux: a looped byte must come back marked as the mouse's, with IRQ12.</summary>
    [Fact]
    public void LinuxFindsTheMousePort()
    {
        _bench.Out(0x64, 0x60);
        _bench.Out(0x60, 0x47);
        _bench.Out(0x64, 0xD3);
        _bench.Out(0x60, 0x5A);
        Assert.Equal(0x21, _bench.In(0x64) & 0x21);
        Assert.Equal(1, _bench.Rises[12]);
        Assert.Equal(0x5A, _bench.In(0x60));
        _bench.Out(0x64, 0xA7);
        _bench.Out(0x64, 0x20);
        Assert.Equal(0x20, Drain()[0] & 0x20);
        _bench.Out(0x64, 0xA8);
        _bench.Out(0x64, 0x20);
        Assert.Equal(0x00, Drain()[0] & 0x20);
        (int, int[])[] dialogue = [(0xFF, [0xFA, 0xAA, 0x00]), (0xF2, [0xFA, 0x00]), (0xE9, [0xFA, 0x00, 0x02, 100])];
        foreach ((int command, int[] reply) in dialogue)
        {
            _bench.Out(0x64, 0xD4);
            _bench.Out(0x60, command);
            Assert.Equal(reply, Drain());
        }
    }

    [Fact]
    public void ResetsThroughThePulseAndTheOutputPort()
    {
        _bench.Out(0x64, 0xFF);
        Assert.Empty(_bench.Log);
        _bench.Out(0x64, 0xFE);
        Assert.Equal(["reset"], _bench.Log);
        _bench.Out(0x64, 0xD0);
        int port = Drain()[0];
        Assert.Equal(3, port & 3);
        _bench.Out(0x64, 0xD1);
        _bench.Out(0x60, port & ~2);
        _bench.Out(0x64, 0xD0);
        Assert.Equal([port & ~2], Drain());
        _bench.Out(0x64, 0xD1);
        _bench.Out(0x60, port & ~1);
        Assert.Equal(["reset", "reset"], _bench.Log);
    }

    [Fact]
    public void StateTransfersAndGoesOnAlike()
    {
        _controller.Receive([0x1C, 0xF0, 0x1C, 0x32]);
        _bench.Out(0x60, 0xED);
        _bench.Out(0x64, 0xD3);
        _bench.Out(0x60, 0x77);
        _bench.Out(0x64, 0xD4);
        var otherBench = new Bench();
        KeyboardController8042 other = Create(otherBench);
        Bench.AssertTransfers(_controller, other);
        foreach (Bench bench in new[] { _bench, otherBench })
        {
            bench.Out(0x60, 0xF2);
            bench.In(0x60);
            bench.In(0x60);
        }
        Assert.Equal(Bench.Save(_controller), Bench.Save(other));
        Assert.Equal(_bench.In(0x60), otherBench.In(0x60));
    }
}
