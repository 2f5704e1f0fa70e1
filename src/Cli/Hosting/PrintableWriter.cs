using System;
using System.IO;
using System.Text;
using Introspection.Text;

namespace Cli.Hosting;

/// <summary>
/// Where verbs print. Whatever they print out of a recording, a terminal gets nothing of it that it would obey (<see cref="PrintableText"/>), except ends of lines and tabs.
/// What a guest prints goes to its console beside this.
/// </summary>
internal sealed class PrintableWriter : TextWriter
{
    private readonly TextWriter _inner;

    public PrintableWriter(TextWriter inner)
    {
        _inner = inner;
        NewLine = inner.NewLine;
    }

    public override Encoding Encoding => _inner.Encoding;

    public override void Write(char value) => Write([value]);

    public override void Write(string? value) => Write(value.AsSpan());

    public override void Write(char[] buffer, int index, int count) => Write(buffer.AsSpan(index, count));

    public override void Write(ReadOnlySpan<char> buffer)
    {
        if (PrintableText.FirstUnprintable(buffer) < 0)
        {
            _inner.Write(buffer);
            return;
        }
        var text = new StringBuilder(buffer.Length + 16);
        for (int i = 0; i < buffer.Length; i++)
        {
            bool isEndOfLine = buffer[i] == '\n' || buffer[i] == '\r' && i + 1 < buffer.Length && buffer[i + 1] == '\n';
            if (isEndOfLine || buffer[i] == '\t') text.Append(buffer[i]);
            else PrintableText.Append(text, buffer[i]);
        }
        _inner.Write(text);
    }

    // In one piece, as others may print meanwhile.
    public override void WriteLine(string? value) => Write(value + NewLine);

    public override void Flush() => _inner.Flush();
}
