using System;
using Vmm.Time;

namespace Vmm.Inputs;

/// <summary>What can arrive from outside. The numbers are part of the trace format.</summary>
public enum InputKind
{
    /// <summary>Bytes received by serial port <see cref="InputEvent.Unit"/> (0 or 1).</summary>
    Serial = 1,
    /// <summary>Scan code bytes (set 2) from the keyboard.</summary>
    Keyboard = 2,
    /// <summary>Bytes received by the virtio console.</summary>
    VirtioConsole = 3,
    /// <summary>The host's time (host clock only): 8 bytes, nanoseconds since reset.</summary>
    Time = 4,
    /// <summary>A new target for the virtio balloon: 4 bytes, pages of 4 KiB.</summary>
    Balloon = 5,
    /// <summary>The power button was pressed.</summary>
    PowerButton = 6,
    /// <summary>A non-maskable interrupt for every vCPU.</summary>
    NonMaskableInterrupt = 7,
    /// <summary>Random bytes that the guest asked for (RDRAND, virtio entropy).</summary>
    Entropy = 8,
}

/// <summary>One thing that arrived.</summary>
public readonly record struct InputEvent(InputKind Kind, int Unit, ReadOnlyMemory<byte> Data);

/// <summary>
/// The one seam for nondeterminism: everything that is not computed from guest state enters a machine here. A recording source
/// logs what it hands out with its position; a replaying one hands out what the log has and asserts the position.
/// </summary>
public interface IInputSource
{
    /// <summary>
    /// The machine need not ask before this InstructionCount. <see cref="ulong.MaxValue"/>: nothing is to come. It is read at every boundary,
    /// so a source may move it to "now" when an output makes an input due.
    /// </summary>
    ulong NextArrival { get; }

    /// <summary>Takes the next event due at <paramref name="at"/>; false when none is.</summary>
    bool TryTake(Position at, out InputEvent input);

    /// <summary>Host clock only: the guest reads time. Returns nanoseconds since reset, never less than the last answer.</summary>
    ulong ReadTime(Position at);

    /// <summary>Random bytes for RDRAND/RDSEED-like devices and virtio entropy.</summary>
    void FillEntropy(Position at, Span<byte> destination);

    /// <summary>
    /// Every vCPU is halted and the next timer is <paramref name="nanosecondsToTimer"/> away (<see cref="ulong.MaxValue"/>: no timer). A live source may
    /// wait here for input or real time; a replaying one returns at once. True: an input has come, is taken as the next event, and time does not skip.
    /// False, with no timer and nothing more to come (<see cref="NextArrival"/> is <see cref="ulong.MaxValue"/>): the machine is halted for ever.
    /// </summary>
    bool Idle(Position at, ulong nanosecondsToTimer);
}
