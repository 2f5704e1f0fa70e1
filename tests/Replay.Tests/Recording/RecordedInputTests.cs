using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using System.Threading;
using Replay.Packages;
using Replay.Recording;
using TestKit;
using Vmm.Inputs;
using Vmm.Time;
using Xunit;

namespace Replay.Tests.Recording;

/// <summary>When a rerun gives the inputs of traces/echo.ttvm to guests that are not the recorded one. That the recorded one gets them where it got them: Cli.Tests.</summary>
public sealed class RecordedInputTests
{
    private static RecordingFile Open() => RecordingFile.Open(Repository.PathOf("traces/echo.ttvm"));

    private static (Position At, string Data)[] Recorded(RecordingFile file) => [.. file.ReadInputs().Select(static one => (one.At, Encoding.ASCII.GetString(one.Data.Span)))];

    [Fact]
    public void A_slower_guest_gets_them_as_long_behind_what_it_prints()
    {
        using RecordingFile file = Open();
        const ulong late = 12_345;
        var input = new RecordedInput(file);
        Assert.Equal(3, input.Count);
        var given = new List<(ulong At, string Data)>();
        var outputs = new Queue<(Position At, OutputChannel Channel, byte[] Data)>(file.Console.Read(Position.Start, file.End).Select(static one => (one.At, one.Channel, one.Data.ToArray())));
        // What is printed comes later; the guest asks for input all the time.
        for (ulong count = 0; count < file.End.InstructionCount + late; count++)
        {
            while (outputs.TryPeek(out (Position At, OutputChannel Channel, byte[] Data) next) && next.At.InstructionCount + late <= count)
            {
                outputs.Dequeue();
                input.OnOutput(new Position(count), next.Channel, next.Data);
            }
            if (input.NextArrival <= count && input.TryTake(new Position(count), out InputEvent one)) given.Add((count, Encoding.ASCII.GetString(one.Data.Span)));
        }
        Assert.Equal(Recorded(file).Select(static one => (one.At.InstructionCount + late, one.Data)), given);
        Assert.Equal(3, input.GivenCount);
        Assert.Equal(ulong.MaxValue, input.NextArrival);
    }

    [Fact]
    public void Another_text_is_waited_for_until_nothing_else_can_happen()
    {
        using RecordingFile file = Open();
        var input = new RecordedInput(file);
        Assert.Equal("echo: type; q ends", input.AwaitedText);
        input.OnOutput(new Position(5_000), OutputChannel.Serial0, "say something; q ends\r\n"u8);
        Assert.Equal(ulong.MaxValue, input.NextArrival);
        Assert.False(input.TryTake(new Position(1_000_000), out _));
        // A timer may still make it print something.
        input.Idle(new Position(1_000_000), 500, CancellationToken.None);
        Assert.Equal(ulong.MaxValue, input.NextArrival);
        input.Idle(new Position(1_000_001), ulong.MaxValue, CancellationToken.None);
        Assert.True(input.TryTake(new Position(1_000_001), out InputEvent first));
        Assert.Equal("hello", Encoding.ASCII.GetString(first.Data.Span));
        Assert.Equal(1, input.GivenCount);
    }
}
