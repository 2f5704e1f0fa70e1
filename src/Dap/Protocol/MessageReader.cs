using System;
using System.Globalization;
using System.IO;
using System.Text;

namespace Dap.Protocol;

/// <summary>
/// Takes messages off a stream: headers as in HTTP, of which only Content-Length counts, an empty line, and that many bytes. What is not so is reported, and
/// reading goes on at the next thing that looks like a header.
/// </summary>
internal sealed class MessageReader(Stream input)
{
    /// <summary>No request of the protocol comes near it.</summary>
    public const int MaximumContentBytes = 8 << 20;
    private const int MaximumHeaderBytes = 4096;
    private const string LengthHeader = "Content-Length:";
    private static readonly byte[] s_lengthHeader = Encoding.ASCII.GetBytes(LengthHeader);

    private readonly byte[] _buffer = new byte[16 << 10];
    private int _start, _end;
    private bool _isLost;

    /// <summary>Waits for the next message.</summary>
    /// <param name="content">Its JSON; null when there was rubbish instead.</param>
    /// <param name="problem">What was wrong then, as a sentence.</param>
    /// <returns>False at the end of the stream.</returns>
    public bool TryRead(out byte[]? content, out string problem)
    {
        content = null;
        problem = "";
        if (_isLost && !TrySkipToHeader()) return false;
        if (!TryReadHeader(out long length, out problem)) return false;
        if (problem.Length == 0 && length > MaximumContentBytes) problem = $"a message of {length} bytes is too long: at most {MaximumContentBytes}";
        // The search for the next header has to wait for more bytes: first the report goes out.
        _isLost = problem.Length > 0;
        if (_isLost) return true;
        content = new byte[length];
        return TryFill(content);
    }

    private bool TryReadHeader(out long length, out string problem)
    {
        length = -1;
        problem = "";
        int total = 0;
        var line = new StringBuilder();
        while (true)
        {
            line.Clear();
            while (true)
            {
                int b = ReadByte();
                if (b < 0) return false;
                if (b == '\n') break;
                line.Append((char)b);
                if (++total <= MaximumHeaderBytes) continue;
                problem = $"a header of more than {MaximumHeaderBytes} bytes";
                return true;
            }
            string text = line.ToString().TrimEnd('\r');
            if (text.Length == 0)
            {
                if (length < 0) problem = "a message without Content-Length";
                return true;
            }
            if (!text.StartsWith(LengthHeader, StringComparison.OrdinalIgnoreCase))
            {
                if (text.Contains(':', StringComparison.Ordinal)) continue;
                problem = "a line that is not a header";
                return true;
            }
            if (long.TryParse(text.AsSpan(LengthHeader.Length).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out length)) continue;
            problem = "a Content-Length that is not a number";
            return true;
        }
    }

    /// <summary>Goes to the next "Content-Length:"; false when there is none up to the end.</summary>
    private bool TrySkipToHeader()
    {
        while (true)
        {
            int found = _buffer.AsSpan(_start, _end - _start).IndexOf(s_lengthHeader);
            if (found >= 0)
            {
                _start += found;
                return true;
            }
            // The last bytes may be the beginning of it.
            _start = Math.Max(_start, _end - s_lengthHeader.Length);
            if (!TryReceive()) return false;
        }
    }

    private bool TryFill(Span<byte> destination)
    {
        while (destination.Length > 0)
        {
            if (_start == _end && !TryReceive()) return false;
            int count = Math.Min(destination.Length, _end - _start);
            _buffer.AsSpan(_start, count).CopyTo(destination);
            _start += count;
            destination = destination[count..];
        }
        return true;
    }

    private int ReadByte() => _start < _end || TryReceive() ? _buffer[_start++] : -1;

    private bool TryReceive()
    {
        if (_start == _end) _start = _end = 0;
        if (_end == _buffer.Length)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }
        int count = input.Read(_buffer, _end, _buffer.Length - _end);
        _end += count;
        return count > 0;
    }
}
