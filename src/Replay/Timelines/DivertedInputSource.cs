using System;
using Vmm.Inputs;
using Vmm.Platform;
using Vmm.Time;

namespace Replay.Timelines;

/// <summary>
/// The inputs of a diversion: none. Time goes on from where it was by one nanosecond an instruction, and to the next timer when the guest
/// is idle; entropy comes from a fixed generator, so that a diversion done twice does the same.
/// </summary>
internal sealed class DivertedInputSource(Machine machine) : IInputSource
{
    private readonly ulong _startCount = machine.InstructionCount;
    private ulong _nanoseconds = machine.GuestNanoseconds;
    private ulong _passedCount;
    private ulong _random = machine.InstructionCount;

    public ulong NextArrival => ulong.MaxValue;

    public bool TryTake(Position at, out InputEvent input)
    {
        input = default;
        return false;
    }

    public ulong ReadTime(Position at)
    {
        ulong passed = at.InstructionCount - _startCount;
        _nanoseconds += passed - Math.Min(passed, _passedCount);
        _passedCount = passed;
        return _nanoseconds;
    }

    public void FillEntropy(Position at, Span<byte> destination)
    {
        // SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
        foreach (ref byte b in destination)
        {
            _random += 0x9E3779B97F4A7C15;
            ulong z = (_random ^ (_random >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            b = (byte)(z >> 56);
        }
    }

    public bool Idle(Position at, ulong nanosecondsToTimer)
    {
        if (nanosecondsToTimer != ulong.MaxValue) _nanoseconds += nanosecondsToTimer;
        return false;
    }
}
