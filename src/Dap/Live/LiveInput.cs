using System;
using System.Collections.Generic;
using System.Text;
using System.Threading;
using Replay.Recording;
using Vmm.Inputs;
using Vmm.Time;

namespace Dap.Live;

/// <summary>
/// What goes into a living guest and comes out of it: bytes that a user types go to the source behind it, and what the guest prints goes to a client by lines,
/// whenever the guest waits, and soon in any case. Used by the engine's thread, except <see cref="TryType"/>.
/// </summary>
public sealed class LiveInput(ILiveInput source) : ILiveInput
{
    private const int LongestPiece = 4096;
    private const ulong Patience = 1_000_000;
    private readonly List<byte> _printed = [];
    private ulong _flushAt = ulong.MaxValue;

    /// <summary>Gets what the guest prints; null: nobody.</summary>
    public Action<string>? Printed { get; set; }

    /// <summary>The guest takes what is typed.</summary>
    public bool CanType => source is InteractiveInput;

    public ulong NextArrival => Math.Min(source.NextArrival, _flushAt);

    /// <summary>Gives bytes to the guest; false when it takes none. Callable from any thread.</summary>
    public bool TryType(string text)
    {
        if (source is not InteractiveInput keyboard) return false;
        keyboard.Push(Encoding.UTF8.GetBytes(text));
        return true;
    }

    public bool TryTake(Position at, out InputEvent input)
    {
        if (at.InstructionCount >= _flushAt) Flush();
        return source.TryTake(at, out input);
    }

    public void OnOutput(Position at, OutputChannel channel, ReadOnlySpan<byte> data)
    {
        source.OnOutput(at, channel, data);
        if (Printed is null) return;
        if (_printed.Count == 0) _flushAt = at.InstructionCount + Patience;
        _printed.AddRange(data);
        if (data.Contains((byte)'\n') || _printed.Count >= LongestPiece) Flush();
    }

    public void Idle(Position at, ulong nanosecondsToTimer, CancellationToken cancellation)
    {
        Flush();
        source.Idle(at, nanosecondsToTimer, cancellation);
    }

    /// <summary>Tells what is not told yet.</summary>
    public void Flush()
    {
        _flushAt = ulong.MaxValue;
        if (_printed.Count == 0) return;
        // Bytes, not characters: a guest's console has no encoding.
        Printed?.Invoke(Encoding.Latin1.GetString([.. _printed]));
        _printed.Clear();
    }
}
