using System;
using System.Globalization;
using Vmm.Time;

namespace Replay.Timelines;

/// <summary>Positions as people write them: "123456", "123456:2", "50%", "start", "end". "_" and "," may group digits.</summary>
public static class PositionSyntax
{
    /// <summary>A position of a recording that begins at power-on.</summary>
    /// <exception cref="PositionSyntaxException">Not a position, or one past the end.</exception>
    public static Position Parse(string text, Position end) => Parse(text, Position.Start, end);

    /// <exception cref="PositionSyntaxException">Not a position, or one before the start or past the end.</exception>
    public static Position Parse(string text, Position start, Position end)
    {
        string s = text.Trim();
        if (s.Equals("start", StringComparison.OrdinalIgnoreCase)) return start;
        if (s.Equals("end", StringComparison.OrdinalIgnoreCase)) return end;
        if (s.EndsWith('%')) return ParsePercentage(text, s[..^1], start, end);
        s = s.Replace("_", "", StringComparison.Ordinal).Replace(",", "", StringComparison.Ordinal);
        int colon = s.IndexOf(':', StringComparison.Ordinal);
        string countText = colon < 0 ? s : s[..colon];
        if (!ulong.TryParse(countText, NumberStyles.None, CultureInfo.InvariantCulture, out ulong count)) throw NotAPosition(text);
        uint ordinal = 0;
        if (colon >= 0 && !uint.TryParse(s.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out ordinal))
            throw NotAPosition(text);
        var position = new Position(count, ordinal);
        if (position > end) throw new PositionSyntaxException($"position {position} is past the end of the recording, which is {end}");
        if (position < start) throw new PositionSyntaxException($"position {position} is before the start of the recording, which is {start}");
        return position;
    }

    private static Position ParsePercentage(string text, string number, Position start, Position end)
    {
        if (!decimal.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal percent))
            throw NotAPosition(text);
        if (percent > 100) throw new PositionSyntaxException($"position '{text}' is past the end of the recording: at most 100%");
        if (percent == 100) return end;
        var position = new Position(start.InstructionCount + (ulong)((end.InstructionCount - start.InstructionCount) / 100m * percent));
        return position < start ? start : position;
    }

    private static PositionSyntaxException NotAPosition(string text) =>
        new($"'{text}' is not a position: write an instruction count (123456), count:event (123456:2), a percentage (50%), start or end");
}

/// <summary>Not a position of the recording; the message is one sentence for people.</summary>
public sealed class PositionSyntaxException(string message) : Exception(message);
