using Replay.Timelines;
using Vmm.Time;
using Xunit;

namespace Replay.Tests.Timelines;

public sealed class PositionSyntaxTests
{
    private static readonly Position s_end = new(1_000_000, 3);

    [Theory]
    [InlineData("123456", 123456, 0)]
    [InlineData("123_456:2", 123456, 2)]
    [InlineData("123,456", 123456, 0)]
    [InlineData("50%", 500_000, 0)]
    [InlineData("0.5%", 5_000, 0)]
    [InlineData("100%", 1_000_000, 3)]
    [InlineData("start", 0, 0)]
    [InlineData(" END ", 1_000_000, 3)]
    [InlineData("1000000:3", 1_000_000, 3)]
    public void Positions_are_read(string text, ulong count, uint ordinal) =>
        Assert.Equal(new Position(count, ordinal), PositionSyntax.Parse(text, s_end));

    [Theory]
    [InlineData("1000001", "position 1000001 is past the end of the recording, which is 1000000:3")]
    [InlineData("1000000:4", "position 1000000:4 is past the end of the recording, which is 1000000:3")]
    [InlineData("101%", "position '101%' is past the end of the recording: at most 100%")]
    [InlineData("0x10", "'0x10' is not a position: write an instruction count (123456), count:event (123456:2), a percentage (50%), start or end")]
    [InlineData("-1", "'-1' is not a position: write an instruction count (123456), count:event (123456:2), a percentage (50%), start or end")]
    [InlineData("", "'' is not a position: write an instruction count (123456), count:event (123456:2), a percentage (50%), start or end")]
    public void Others_are_refused_in_one_sentence(string text, string message) =>
        Assert.Equal(message, Assert.Throws<PositionSyntaxException>(() => PositionSyntax.Parse(text, s_end)).Message);
}
