using System;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Threading;
using Vmm.Inputs;
using Vmm.Platform;
using Vmm.Time;

namespace Cli.Bench;

/// <summary>A machine that nobody records: what recording is compared with.</summary>
internal static class UnrecordedRun
{
    private const ulong Slice = 10_000_000;

    /// <summary>No input, real random numbers; virtual clock only.</summary>
    internal sealed class Silence : IInputSource, IOutputSink
    {
        public ulong NextArrival => ulong.MaxValue;

        public bool TryTake(Position at, out InputEvent input)
        {
            input = default;
            return false;
        }

        public ulong ReadTime(Position at) => at.InstructionCount;
        public void FillEntropy(Position at, Span<byte> destination) => RandomNumberGenerator.Fill(destination);
        public bool Idle(Position at, ulong nanosecondsToTimer) => false;
        public void Write(Position at, OutputChannel channel, ReadOnlySpan<byte> data) { }
    }

    /// <summary>Runs to the machine's end, or so many instructions; returns the instructions and the real time.</summary>
    public static (ulong Instructions, TimeSpan Time) Run(MachineConfiguration configuration, ulong maximum, CancellationToken cancellation, IOutputSink? output = null)
    {
        var silence = new Silence();
        // As a recorder's time, this has what building the machine takes.
        var watch = Stopwatch.StartNew();
        using var machine = new Machine(configuration, silence, output ?? silence);
        while (machine.InstructionCount < maximum && machine.Run(Math.Min(maximum, machine.InstructionCount + Slice)) != RunStop.Ended)
            cancellation.ThrowIfCancellationRequested();
        return (machine.InstructionCount, watch.Elapsed);
    }
}
