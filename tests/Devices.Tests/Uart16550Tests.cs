using System.Linq;
using System.Text;
using Vmm.Devices;
using Xunit;

namespace Devices.Tests;

public sealed class Uart16550Tests
{
    private const int Base = 0x3F8, Data = Base, Ier = Base + 1, Iir = Base + 2, Fcr = Base + 2, Lcr = Base + 3;
    private const int Mcr = Base + 4, Lsr = Base + 5, Msr = Base + 6, Scr = Base + 7;
    private const ulong CharacterAt115200 = 10UL * 1_000_000_000 / 115_200;

    private readonly Bench _bench = new();
    private readonly Uart16550 _uart;

    public Uart16550Tests() => _uart = Create(_bench);

    private static Uart16550 Create(Bench bench)
    {
        var uart = new Uart16550(0, bench, bench.Timers, bench.Line(4), bench, Base);
        bench.Ports.Map(Base, Uart16550.PortCount, uart);
        return uart;
    }

    private void Open(int fcr = 0x01)
    {
        _bench.Out(Lcr, 0x83);
        _bench.Out(Data, 1);
        _bench.Out(Ier, 0);
        _bench.Out(Lcr, 0x03);
        _bench.Out(Fcr, fcr);
    }

    private void Receive(string text) => _uart.Receive(Encoding.ASCII.GetBytes(text));

    /// <summary>
    /// The probe of Linux's 8250 driver (drivers/tty/serial/8250/8250_port.c, autoconfig and autoconfig_16550a): it must
    /// end at PORT_16550A.
    /// </summary>
    [Fact]
    public void LinuxAutoconfigFindsA16550A()
    {
        _bench.Out(Ier, 0);
        Assert.Equal(0, _bench.In(Ier) & 0x0F);
        _bench.Out(Ier, 0x0F);
        Assert.Equal(0x0F, _bench.In(Ier) & 0x0F);
        _bench.Out(Ier, 0);
        int mcr = _bench.In(Mcr);
        _bench.Out(Mcr, 0x1A); // loop, OUT2, RTS
        Assert.Equal(0x90, _bench.In(Msr) & 0xF0);
        _bench.Out(Mcr, mcr);
        _bench.Out(Lcr, 0xBF);
        _bench.Out(Fcr, 0);
        _bench.Out(Lcr, 0);
        _bench.Out(Fcr, 0x01);
        Assert.Equal(3, _bench.In(Iir) >> 6);
        _bench.Out(Lcr, 0x80);
        Assert.NotEqual(0, _bench.In(Fcr)); // no EFR
        _bench.Out(Lcr, 0xBF);
        Assert.NotEqual(0, _bench.In(Fcr));
        // Not a National SuperIO: MCR's loop bit does not show up in the register behind LCR 0xE0.
        _bench.Out(Lcr, 0);
        int status1 = _bench.In(Mcr);
        _bench.Out(Lcr, 0xE0);
        Assert.Equal(0, (_bench.In(0x3FA) ^ status1) & 0x10);
        _bench.Out(Lcr, 0);
        _bench.Out(Mcr, status1 ^ 0x10);
        _bench.Out(Lcr, 0xE0);
        int status2 = _bench.In(0x3FA);
        _bench.Out(Lcr, 0);
        _bench.Out(Mcr, status1);
        Assert.Equal(0, (status2 ^ status1) & 0x10);
        // Not an XScale either: IER bit 6 does not exist.
        _bench.Out(Ier, 0x40);
        Assert.Equal(0, _bench.In(Ier) & 0x40);
        _bench.Out(Scr, 0xA5);
        Assert.Equal(0xA5, _bench.In(Scr));
    }

    /// <summary>
    /// serial8250_do_startup: THRE must come back each time its interrupt is enabled, and TXEN must not look broken.
    /// </summary>
    [Fact]
    public void LinuxStartupSeesNoTransmitterBugs()
    {
        Open();
        _bench.Out(Ier, 0x02);
        int iir1 = _bench.In(Iir);
        _bench.Out(Ier, 0);
        _bench.Out(Ier, 0x02);
        int iir2 = _bench.In(Iir);
        _bench.Out(Ier, 0);
        Assert.Equal(0xC2, iir1);
        Assert.Equal(0xC2, iir2);
        _bench.Out(Ier, 0x02);
        Assert.Equal(0x60, _bench.In(Lsr));
        Assert.Equal(0, _bench.In(Iir) & 1);
    }

    [Fact]
    public void TransmitterInterruptDrivesABufferOut()
    {
        Open();
        _bench.Out(Ier, 0x02);
        int sent = 0;
        string text = "hello";
        // As a driver's handler: each edge, read IIR, send one; stop with nothing left.
        for (int edges = 0; _bench.Levels[4] && edges < 20; edges++)
        {
            Assert.Equal(0x02, _bench.In(Iir) & 0x0F);
            Assert.False(_bench.Levels[4]);
            if (sent < text.Length) _bench.Out(Data, text[sent++]);
            else _bench.Out(Ier, 0);
        }
        Assert.Equal(text, Encoding.ASCII.GetString(_bench.Output.ToArray()));
        Assert.False(_bench.Levels[4]);
        Assert.Equal(0x01, _bench.In(Iir) & 0x0F);
    }

    [Fact]
    public void WritingWhileTheInterruptIsPendingIsANewEdge()
    {
        Open();
        _bench.Out(Ier, 0x02);
        int rises = _bench.Rises[4];
        _bench.Out(Data, 'x');
        Assert.Equal(rises + 1, _bench.Rises[4]);
        Assert.True(_bench.Levels[4]);
    }

    [Fact]
    public void ReceivesWithoutFifos()
    {
        Open(0);
        _bench.Out(Ier, 0x01);
        Receive("ab");
        Assert.True(_bench.Levels[4]);
        Assert.Equal(0x04, _bench.In(Iir));
        Assert.Equal(0x61, _bench.In(Lsr));
        Assert.Equal((byte)'a', _bench.In(Data));
        Assert.False(_bench.Levels[4]);
        Assert.Equal(0x60, _bench.In(Lsr));
        _bench.Advance(CharacterAt115200);
        Assert.Equal((byte)'b', _bench.In(Data));
    }

    [Theory]
    [InlineData(0x01, 1)]
    [InlineData(0x41, 4)]
    [InlineData(0x81, 8)]
    [InlineData(0xC1, 14)]
    public void TriggerLevels(int fcr, int trigger)
    {
        Open(fcr);
        _bench.Out(Ier, 0x01);
        Receive(new string('x', 20));
        for (int count = 16; count > 0; count--)
        {
            Assert.Equal(count >= trigger ? 0xC4 : 0xC1, _bench.In(Iir));
            _bench.In(Data);
        }
        Assert.Equal(0x60, _bench.In(Lsr));
        _bench.Advance(4 * CharacterAt115200);
        Assert.Equal(0x61, _bench.In(Lsr)); // the other four have come in
    }

    [Fact]
    public void CharacterTimeoutAfterFourCharacterTimes()
    {
        Open(0xC1);
        _bench.Out(Ier, 0x01);
        Receive("ab");
        _bench.Advance(4 * CharacterAt115200 - 1);
        Assert.Equal(0xC1, _bench.In(Iir));
        Assert.False(_bench.Levels[4]);
        _bench.Advance(1);
        Assert.True(_bench.Levels[4]);
        Assert.Equal(0xCC, _bench.In(Iir));
        Assert.Equal((byte)'a', _bench.In(Data));
        Assert.Equal(0xC1, _bench.In(Iir));
        _bench.Advance(4 * CharacterAt115200);
        Assert.Equal(0xCC, _bench.In(Iir));
        Assert.Equal((byte)'b', _bench.In(Data));
        Assert.Equal(ulong.MaxValue, _bench.Timers.NextDeadlineNanoseconds);
    }

    [Fact]
    public void LongInputArrivesWholeAndInOrder()
    {
        Open(0x81);
        _bench.Out(Ier, 0x01);
        string text = string.Concat(Enumerable.Range(0, 5000).Select(i => $"{i},"));
        Receive(text);
        var read = new StringBuilder();
        for (int i = 0; i < 1_000_000 && read.Length < text.Length; i++)
        {
            if (_bench.Levels[4])
                while ((_bench.In(Lsr) & 1) != 0) read.Append((char)_bench.In(Data));
            _bench.Advance(20_000);
        }
        Assert.Equal(text, read.ToString());
    }

    [Fact]
    public void PrioritiesOfCauses()
    {
        Open(0);
        _bench.Out(Mcr, 0x10);
        _bench.In(Msr);
        _bench.Out(Data, 'a');
        _bench.Out(Data, 'b'); // overrun in the loop
        _bench.Out(Mcr, 0x11); // DSR changes
        _bench.Out(Ier, 0x0F);
        Assert.Equal(0x06, _bench.In(Iir));
        Assert.Equal(0x63, _bench.In(Lsr));
        Assert.Equal(0x04, _bench.In(Iir));
        Assert.Equal((byte)'b', _bench.In(Data));
        Assert.Equal(0x02, _bench.In(Iir));
        Assert.Equal(0x00, _bench.In(Iir));
        Assert.Equal(0x22, _bench.In(Msr));
        Assert.Equal(0x01, _bench.In(Iir));
        Assert.False(_bench.Levels[4]);
    }

    [Fact]
    public void LoopbackKeepsToItselfAndHoldsTheLine()
    {
        Open();
        _bench.Out(Mcr, 0x1E);
        Receive("z");
        _bench.Out(Data, 'q');
        Assert.Empty(_bench.Output);
        Assert.Equal((byte)'q', _bench.In(Data));
        Assert.Equal(0, _bench.In(Lsr) & 1);
        _bench.Out(Mcr, 0x0B);
        Assert.Equal(0xB0, _bench.In(Msr) & 0xF0);
        _bench.Advance(CharacterAt115200);
        Assert.Equal((byte)'z', _bench.In(Data));
    }

    [Fact]
    public void DivisorLatch()
    {
        _bench.Out(Lcr, 0x83);
        _bench.Out(Data, 0x34);
        _bench.Out(Ier, 0x12);
        Assert.Equal(0x34, _bench.In(Data));
        Assert.Equal(0x12, _bench.In(Ier));
        _bench.Out(Lcr, 0x03);
        Assert.Equal(0, _bench.In(Ier));
        Assert.Empty(_bench.Output);
    }

    [Fact]
    public void StateTransfersAndGoesOnAlike()
    {
        Open(0xC1);
        _bench.Out(Ier, 0x01);
        Receive("the quick brown fox jumps");
        for (int i = 0; i < 5; i++) _bench.In(Data);
        _bench.Advance(1234);
        var otherBench = new Bench();
        Uart16550 other = Create(otherBench);
        otherBench.AdvanceTo(_bench.NowNanoseconds);
        Bench.AssertTransfers(_uart, other);
        foreach (Bench bench in new[] { _bench, otherBench })
        {
            bench.Advance(4 * CharacterAt115200);
            while ((bench.In(Lsr) & 1) != 0) bench.In(Data);
            bench.Advance(4 * CharacterAt115200);
        }
        Assert.Equal(Bench.Save(_uart), Bench.Save(other));
    }
}
