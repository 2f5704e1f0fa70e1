using System;

namespace Replay.Packages;

/// <summary>
/// A file is not a recording, or is damaged, cut or of another version. The message is one sentence: which file, what, where. What it quotes of the file has no line ends and no control
/// characters, which a terminal would obey.
/// </summary>
public sealed class RecordingFormatException(string message) : Exception(Printable(message))
{
    private static string Printable(string text) => string.Create(text.Length, text, static (result, source) =>
    {
        for (int i = 0; i < result.Length; i++) result[i] = char.IsControl(source[i]) ? '?' : source[i];
    });
}
