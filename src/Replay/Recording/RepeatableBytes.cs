using System;

namespace Replay.Recording;

/// <summary>Random bytes that are a function of how many were asked for: xorshift64, Marsaglia 2003.</summary>
internal sealed class RepeatableBytes
{
    private ulong _state = 0x9E37_79B9_7F4A_7C15;

    public void Fill(Span<byte> destination)
    {
        foreach (ref byte b in destination)
        {
            _state ^= _state << 13;
            _state ^= _state >> 7;
            _state ^= _state << 17;
            b = (byte)(_state >> 32);
        }
    }
}
