using System;

namespace Replay.Packages;

/// <summary>A recording cannot be read: not one, damaged, or of an unknown version. The message is one sentence for people, and names the file: what it quotes of that has no line ends and no
/// control characters, which a terminal would obey.</summary>
public sealed class RecordingFormatException(string message) : Exception(Printable(message))
{
    private static string Printable(string text) => string.Create(text.Length, text, static (result, source) =>
    {
        for (int i = 0; i < result.Length; i++) result[i] = char.IsControl(source[i]) ? '?' : source[i];
    });
}
