using System;
using Replay.Packages;
using Replay.Replaying;
using Vmm.Platform;
using Vmm.Time;

namespace Cli.Lockstep;

/// <summary>
/// One of two ways to run the same recording. All ways must give the same state at every position; an engine is a way, and so is how it is driven.
/// </summary>
internal abstract class LockstepSide : IDisposable
{
    protected LockstepSide(RecordingFile recording, string name, EngineKind engine)
    {
        Name = name;
        Replayer = new Replayer(recording);
        Machine.Engine = engine;
    }

    protected Replayer Replayer { get; }

    /// <summary>What reports call it.</summary>
    public string Name { get; }

    public Machine Machine => Replayer.Machine;

    /// <summary>It is, or can be, the translator that executes.</summary>
    public bool GeneratesCode => Machine.Engine != EngineKind.Interpreter && Machine.HostTranslates;
    public Position Position => Replayer.Position;
    public string Digest => Replayer.Digest().ToString();

    /// <summary>Goes to the recording's checkpoint at or before a position.</summary>
    public void RestartBefore(Position position) => Replayer.RestartBefore(position);

    /// <summary>Runs to an InstructionCount in this side's own way.</summary>
    public abstract void RunTo(ulong count);

    /// <summary>One transition.</summary>
    public bool Step() => Replayer.Step();

    public void Mark() => Replayer.Mark();
    public void ReturnToMark() => Replayer.ReturnToMark();

    public void Dispose() => Replayer.Dispose();
}

/// <summary>An engine in blocks, as it runs when nobody looks.</summary>
internal sealed class BlockSide(RecordingFile recording, string name, EngineKind engine) : LockstepSide(recording, name, engine)
{
    /// <summary>The engine that the recording was opened with: the interpreter, or else the translator alone.</summary>
    public static BlockSide WithItsEngine(RecordingFile recording) =>
        recording.Engine == EngineKind.Interpreter ? new(recording, "interp", EngineKind.Interpreter) : new(recording, "translate", EngineKind.Translator);

    /// <summary>The same, of one of several recordings.</summary>
    public static BlockSide WithItsEngine(RecordingFile recording, string name) => new(recording, name, recording.Engine);

    public override void RunTo(ulong count) => Replayer.RunTo(new Position(count));
}

/// <summary>The interpreter, one transition at a time.</summary>
internal sealed class SingleStepSide(RecordingFile recording) : LockstepSide(recording, "interp:step", EngineKind.Interpreter)
{
    public override void RunTo(ulong count)
    {
        while (Machine.InstructionCount < count)
            if (!Step()) return;
    }
}

/// <summary>An engine in blocks, with a snapshot taken and restored at pseudo-random places: nothing may hide in caches.</summary>
internal sealed class RestoringSide(RecordingFile recording, string name, EngineKind engine, ulong seed) : LockstepSide(recording, name, engine)
{
    private const ulong MeanDistance = 100_000;
    private ulong _random = seed;

    public override void RunTo(ulong count)
    {
        while (Machine.InstructionCount < count)
        {
            // Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (OOPSLA 2014).
            ulong z = _random += 0x9E3779B97F4A7C15;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
            ulong next = Math.Min(count, Machine.InstructionCount + 1 + (z >> 32) % (2 * MeanDistance));
            Replayer.RunTo(new Position(next));
            if (next < count) Replayer.RoundTrip();
        }
    }
}
