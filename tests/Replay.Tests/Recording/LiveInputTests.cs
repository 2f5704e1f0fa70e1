using System;
using System.Text;
using System.Threading;
using Replay.Recording;
using Vmm.Inputs;
using Vmm.Time;
using Xunit;

namespace Replay.Tests.Recording;

public sealed class LiveInputTests
{
    [Fact]
    public void A_script_waits_for_what_it_expects()
    {
        ScriptedInput script = ScriptedInput.Parse("# a comment\n\nexpect login:\nsend root\\n\nwait 1_000\nkey 1c f0 1c\nnmi\npowerbutton\n");
        Assert.Equal(ulong.MaxValue, script.NextArrival);
        Assert.False(script.TryTake(new Position(5), out _));
        Print(script, 10, "log");
        Print(script, 11, "in: ");
        Assert.True(script.NextArrival <= 11);
        Assert.True(script.TryTake(new Position(12), out InputEvent input));
        Assert.Equal((InputKind.Serial, 0, "root\n"), (input.Kind, input.Unit, Encoding.ASCII.GetString(input.Data.Span)));
        Assert.False(script.TryTake(new Position(12, 1), out _));
        Assert.Equal(1012UL, script.NextArrival);
        Assert.False(script.TryTake(new Position(1011), out _));
        Assert.True(script.TryTake(new Position(1012), out input));
        Assert.Equal((InputKind.Keyboard, "1CF01C"), (input.Kind, Convert.ToHexString(input.Data.Span)));
        Assert.True(script.TryTake(new Position(1012, 1), out input));
        Assert.Equal(InputKind.NonMaskableInterrupt, input.Kind);
        Assert.Equal("input script, line 8: powerbutton", script.CurrentCommand);
        Assert.True(script.TryTake(new Position(1012, 2), out input));
        Assert.Equal(InputKind.PowerButton, input.Kind);
        Assert.True(script.IsDone);
        Assert.Equal(ulong.MaxValue, script.NextArrival);
    }

    [Fact]
    public void A_wait_is_over_when_nothing_else_will_wake_the_guest()
    {
        ScriptedInput script = ScriptedInput.Parse("wait 1000000\nsend x");
        Assert.False(script.TryTake(new Position(5), out _));
        script.Idle(new Position(7), 1000, CancellationToken.None);
        Assert.False(script.TryTake(new Position(7), out _));
        script.Idle(new Position(7), ulong.MaxValue, CancellationToken.None);
        Assert.True(script.TryTake(new Position(7), out _));
    }

    [Theory]
    [InlineData("send a\nfoo bar", "input script, line 2: there is no command 'foo': use expect, send, wait, key, nmi or powerbutton")]
    [InlineData("send", "input script, line 1: 'send' needs a text")]
    [InlineData("wait soon", "input script, line 1: 'wait' needs a number of instructions, not 'soon'")]
    [InlineData("key zz", "input script, line 1: 'zz' is not a scan code in hexadecimal")]
    [InlineData("send a\\q", "input script, line 1: there is no escape \\q: use \\n, \\r, \\t, \\\\ or \\xHH")]
    [InlineData("nmi now", "input script, line 1: 'nmi' takes no argument")]
    public void Errors_name_the_line(string script, string message) =>
        Assert.Equal(message, Assert.Throws<InputScriptException>(() => ScriptedInput.Parse(script)).Message);

    [Fact]
    public void Interactive_bytes_wake_an_idle_guest()
    {
        var input = new InteractiveInput();
        Assert.Equal(ulong.MaxValue - 1, input.NextArrival);
        var typist = new Thread(() => input.Push("ls\n"u8));
        typist.Start();
        while (input.NextArrival != 0) input.Idle(new Position(1), ulong.MaxValue, CancellationToken.None);
        typist.Join();
        Assert.True(input.TryTake(new Position(1), out InputEvent taken));
        Assert.Equal("ls\n", Encoding.ASCII.GetString(taken.Data.Span));
        input.Close();
        input.Idle(new Position(2), ulong.MaxValue, CancellationToken.None);
        Assert.Equal(ulong.MaxValue, input.NextArrival);
    }

    private static void Print(ScriptedInput script, ulong at, string text) =>
        script.OnOutput(new Position(at), OutputChannel.Serial0, Encoding.ASCII.GetBytes(text));
}
