using System;
using System.Threading;
using Replay.Timelines;
using Vmm.Platform;
using Vmm.Time;

namespace Cli.Lockstep;

/// <summary>How closely the place of a difference is known.</summary>
internal enum LockstepPrecision
{
    /// <summary>One transition lies between equal and different.</summary>
    Transition,
    /// <summary>A block of generated code: the difference vanishes where the interpreter does its instructions, as it does the last ones before a stop.</summary>
    GeneratedBlock,
    /// <summary>A restored snapshot hides it.</summary>
    Range,
}

/// <summary>Where two sides first differ.</summary>
/// <param name="Before">The last position at which they are equal; of a block, where it begins (or one instruction before).</param>
/// <param name="Instruction">What executes there, and where.</param>
/// <param name="Difference">What differs after it.</param>
/// <param name="Precision">How far apart the two positions are.</param>
/// <param name="After">A position at which they differ.</param>
internal sealed record LockstepDifference(Position Before, Position After, string Instruction, MachineDifference Difference, LockstepPrecision Precision)
{
    /// <summary>One transition lies between equal and different.</summary>
    public bool IsExact => Precision == LockstepPrecision.Transition;
}

/// <summary>
/// Runs two sides of a recording next to each other, compares their digests every so many instructions, and when they differ finds the first transition after which they do.
/// </summary>
internal sealed class LockstepRun(LockstepSide a, LockstepSide b, ulong interval)
{
    /// <summary>Digests compared.</summary>
    public int ComparisonCount { get; private set; }

    /// <summary>Null: no difference.</summary>
    public LockstepDifference? Run(Position from, Position to, IProgress<TimelineProgress>? progress, CancellationToken cancellation)
    {
        a.RestartBefore(from);
        b.RestartBefore(from);
        if (a.Position != b.Position)
        {
            // Of two recordings, each with checkpoints of its own.
            a.RunTo(from.InstructionCount);
            b.RunTo(from.InstructionCount);
        }
        ulong total = Math.Max(1, to.InstructionCount - a.Machine.InstructionCount), begin = a.Machine.InstructionCount;
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            progress?.Report(new TimelineProgress(a.Machine.InstructionCount - begin, total));
            a.Mark();
            b.Mark();
            ulong good = a.Machine.InstructionCount;
            if (good >= to.InstructionCount) return null;
            ulong next = Math.Min(to.InstructionCount, good + interval);
            a.RunTo(next);
            b.RunTo(next);
            if (!AreEqual()) return Narrow(good, next);
            if (a.Machine.InstructionCount < next) return null;
        }
    }

    private bool AreEqual()
    {
        ComparisonCount++;
        return a.Position == b.Position && a.Digest == b.Digest;
    }

    private LockstepDifference Narrow(ulong good, ulong bad)
    {
        var seen = MachineDifference.Between(a.Machine, b.Machine, a.Name, b.Name);
        (ulong lowest, ulong highest) = (good, bad);
        while (bad - good > 1)
        {
            ulong middle = good + (bad - good) / 2;
            ReturnAndRun(middle);
            if (AreEqual()) good = middle;
            else bad = middle;
        }
        ReturnAndRun(good);
        // Both stand at the last equal count: from here by transitions, as events happen between instructions.
        while (AreEqual() && a.Machine.InstructionCount < bad)
        {
            Position before = a.Position;
            string instruction = Presentation.PlaceView.Line(a.Machine);
            bool lives = a.Step() & b.Step();
            if (!AreEqual())
                return new LockstepDifference(before, a.Position, instruction, MachineDifference.Between(a.Machine, b.Machine, a.Name, b.Name), LockstepPrecision.Transition);
            if (!lives) break;
        }
        return NarrowToBlock(lowest, bad) ?? new LockstepDifference(new Position(lowest), new Position(highest), "", seen, LockstepPrecision.Range);
    }

    /// <summary>
    /// Where a run to <paramref name="bad"/> differs but interpreting the end of it does not, its last block of generated code is to blame: a run that ends one instruction earlier
    /// does not enter it. Null: neither side generates code, or the difference does not come again.
    /// </summary>
    private LockstepDifference? NarrowToBlock(ulong lowest, ulong bad)
    {
        if (!a.GeneratesCode && !b.GeneratesCode) return null;
        ReturnAndRun(bad);
        if (AreEqual()) return null;
        var difference = MachineDifference.Between(a.Machine, b.Machine, a.Name, b.Name);
        Position after = a.Position;
        ReturnAndRun(Math.Max(lowest, bad - Math.Min(bad, Machine.InterpretedBeforeStop + 1)));
        return new LockstepDifference(a.Position, after, Presentation.PlaceView.Line(a.Machine), difference, LockstepPrecision.GeneratedBlock);
    }

    private void ReturnAndRun(ulong count)
    {
        a.ReturnToMark();
        b.ReturnToMark();
        if (a.Machine.InstructionCount >= count) return;
        a.RunTo(count);
        b.RunTo(count);
    }
}
