using System;
using System.Threading;
using Replay.Packages;
using Vmm.Platform;
using Vmm.Time;

namespace Replay.Recording;

/// <summary>Why <see cref="Recorder.Run"/> returned.</summary>
public enum RecorderStop
{
    /// <summary>The asked-for InstructionCount was reached.</summary>
    CountReached,
    /// <summary>The machine's life ended: see <see cref="Machine.Outcome"/>.</summary>
    Ended,
    /// <summary><see cref="RecorderOptions.StopAtText"/> was printed.</summary>
    TextPrinted,
    /// <summary>The cancellation token fired, or <see cref="Recorder.RequestStop"/> was called.</summary>
    Cancelled,
}

/// <summary>Figures about a recording under way. Sizes in bytes.</summary>
/// <param name="Position">Where the machine is.</param>
/// <param name="LogSizeBytes">Event log written so far.</param>
/// <param name="CheckpointCount">Checkpoints taken.</param>
/// <param name="CheckpointSizeBytes">Checkpoint states and maps written.</param>
/// <param name="PageCount">Different pages stored.</param>
/// <param name="PageSizeBytes">Page store written.</param>
/// <param name="InputCount">Inputs, time readings and entropy requests logged.</param>
public readonly record struct RecorderStatistics(Position Position, long LogSizeBytes, int CheckpointCount, long CheckpointSizeBytes,
    int PageCount, long PageSizeBytes, long InputCount);

/// <summary>
/// Runs a machine and records it. Threads: the caller's is the engine's; one background thread hashes, compresses and writes checkpoints.
/// Typical use: <c>using var r = new Recorder(...); r.Run(ulong.MaxValue, token); r.Finish();</c>. Without Finish, Dispose leaves the partial directory,
/// which <see cref="RecordingFile.Recover"/> turns into a recording, exactly as after a crash.
/// </summary>
public sealed class Recorder : IDisposable
{
    /// <exception cref="BootImageException">An image cannot be booted.</exception>
    /// <exception cref="RecordingException">The file exists, or the directory cannot be written.</exception>
    public Recorder(MachineConfiguration configuration, ILiveInput input, IHostServices host, RecorderOptions options) =>
        throw new NotSupportedException();

    /// <summary>The machine being recorded; look, do not touch.</summary>
    public Machine Machine => throw new NotSupportedException();

    /// <summary>Sizes and counts so far. Callable from any thread.</summary>
    public RecorderStatistics Statistics => throw new NotSupportedException();

    /// <summary>Runs and records until <paramref name="untilCount"/>, the machine's end, the text, or cancellation. May be called again.</summary>
    public RecorderStop Run(ulong untilCount, CancellationToken cancellation = default) => throw new NotSupportedException();

    /// <summary>Makes <see cref="Run"/> return soon. Callable from any thread.</summary>
    public void RequestStop() => throw new NotSupportedException();

    /// <summary>Writes what is outstanding, packs the recording into its file and removes the partial directory.</summary>
    public void Finish(IProgress<double>? progress = null) => throw new NotSupportedException();

    public void Dispose() { }
}

/// <summary>Recording is not possible; the message is one sentence for people.</summary>
public sealed class RecordingException(string message) : Exception(message);
