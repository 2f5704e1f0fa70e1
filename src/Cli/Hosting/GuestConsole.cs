using System;
using System.IO;
using System.Threading;
using Vmm.Inputs;
using Vmm.Time;

namespace Cli.Hosting;

/// <summary>
/// Shows what the guest prints on standard output, byte for byte. Bytes are written out line by line, and what has no end of line, such as a prompt, a
/// moment later by a timer's thread; the lock is between that and the engine's.
/// </summary>
internal sealed class GuestConsole : IOutputSink, IDisposable
{
    private const int FlushMilliseconds = 50;

    private readonly Stream _stream;
    private readonly byte[] _buffer = new byte[4096];
    private readonly Lock _gate = new();
    private readonly Timer _timer;
    private int _length;
    private bool _isBroken;

    public GuestConsole(Stream stream)
    {
        _stream = stream;
        _timer = new Timer(_ => Flush(), null, FlushMilliseconds, FlushMilliseconds);
    }

    /// <summary>The last byte shown ended a line, or nothing was shown.</summary>
    public bool IsAtLineStart { get; private set; } = true;

    public void Write(Position at, OutputChannel channel, ReadOnlySpan<byte> data)
    {
        lock (_gate)
        {
            foreach (byte b in data)
            {
                _buffer[_length++] = b;
                IsAtLineStart = b == '\n';
                if (b == '\n' || _length == _buffer.Length) FlushLocked();
            }
        }
    }

    public void Flush()
    {
        lock (_gate) FlushLocked();
    }

    public void Dispose()
    {
        _timer.Dispose();
        Flush();
    }

    private void FlushLocked()
    {
        if (_length == 0) return;
        try
        {
            if (!_isBroken) _stream.Write(_buffer, 0, _length);
            if (!_isBroken) _stream.Flush();
        }
        catch (IOException)
        {
            // Whoever read our output (head, less) has gone; the recording goes on.
            _isBroken = true;
        }
        _length = 0;
    }
}
