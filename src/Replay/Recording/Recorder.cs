using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Security.Cryptography;
using System.Threading;
using Microsoft.Extensions.Logging;
using Replay.Checkpoints;
using Replay.Log;
using Replay.Messages;
using Replay.Packages;
using Vmm;
using Vmm.Cpu;
using Vmm.Platform;
using Vmm.Time;

namespace Replay.Recording;

/// <summary>Why <see cref="Recorder.Run(ulong, CancellationToken)"/> returned.</summary>
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
/// <param name="Position">Where the machine is, to an instruction slice.</param>
/// <param name="LogSizeBytes">Event log written so far.</param>
/// <param name="CheckpointCount">Checkpoints taken.</param>
/// <param name="CheckpointSizeBytes">Checkpoint states and maps written.</param>
/// <param name="PageCount">Different pages stored.</param>
/// <param name="PageSizeBytes">Page store written.</param>
/// <param name="InputCount">Inputs, time readings and entropy requests logged.</param>
/// <param name="LongestPauseNanoseconds">The longest that a checkpoint has held the guest up; the first one, before it starts, not
/// counted.</param>
public readonly record struct RecorderStatistics(Position Position, long LogSizeBytes, int CheckpointCount, long CheckpointSizeBytes,
    int PageCount, long PageSizeBytes, long InputCount, ulong LongestPauseNanoseconds);

/// <summary>
/// Runs a machine and records it. Threads: the caller's is the engine's; one background thread hashes, compresses and writes checkpoints.
/// Typical use: <c>using var r = new Recorder(...); r.Run(ulong.MaxValue, token); r.Finish();</c>. Without Finish, Dispose leaves the
/// partial directory, which <see cref="RecordingFile.Recover"/> turns into a recording, exactly as after a crash.
/// </summary>
public sealed class Recorder : IDisposable
{
    /// <summary>The log is written at least this often, so that a crash loses little.</summary>
    private const ulong SliceInstructions = 4_000_000;

    /// <summary>
    /// A checkpoint is due as well behind so many exits, each of which takes as long as a hundred instructions or more: a guest that polls a port all the time would otherwise take seconds
    /// to replay from one to the next.
    /// </summary>
    private const ulong MaximumExits = 3_000_000;

    /// <summary>A checkpoint's digest is logged so many checkpoints later, by when its writer will have it.</summary>
    private const int DigestLag = 4;

    private readonly RecorderOptions _options;
    private readonly ILogger _messages;
    private readonly IHostServices _host;
    private readonly string _partial;
    private FrameWriter _logFrames, _checkpointFrames, _pageFrames;
    private readonly EventLogWriter _log;
    private readonly RecordingInputSource _source;
    private CheckpointWriter _writer;
    private CheckpointCapture _capture;
    private readonly Machine _machine;
    private RecordingManifest _manifest;
    private long _lastPartSizeBytes;
    private ulong _interval, _nextCheckpoint, _nextLook, _exitsAtCheckpoint;
    private long _budgetStep;
    private int _checkpointCount, _loggedDigestCount;
    private Position _lastCheckpoint;
    private ulong _publishedCount, _longestPause;
    private volatile bool _stopRequested;
    private bool _finished, _disposed, _reportedText;

    /// <exception cref="BootImageException">An image cannot be booted.</exception>
    /// <exception cref="RecordingException">The file exists, or the directory cannot be written.</exception>
    public Recorder(MachineConfiguration configuration, ILiveInput input, IHostServices host, RecorderOptions options)
    {
        _options = options;
        _messages = options.Loggers.CreateLogger(typeof(Recorder).FullName!);
        _host = host;
        _interval = Math.Max(1, options.CheckpointInterval);
        _partial = options.Path + RecordingPacker.PartialSuffix;
        if (!options.Overwrite && (File.Exists(options.Path) || Directory.Exists(options.Path)))
            throw new RecordingException($"{options.Path} exists already");
        if (!options.Overwrite && Directory.Exists(_partial))
            throw new RecordingException($"{_partial} exists already: a recording that is under way, or one that was not finished and can be recovered");

        // The machine first: when an image cannot be booted, nothing has been written.
        var late = new LateInputSource();
        _machine = new Machine(configuration, late, late);
        try
        {
            _manifest = CreateDirectory(configuration);
            _logFrames = OpenPart(PartName.Log);
            _checkpointFrames = OpenPart(PartName.Checkpoints);
            _pageFrames = OpenPart(PartName.Pages);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _machine.Dispose();
            throw new RecordingException($"{_partial} cannot be written: {e.Message}");
        }
        _log = new EventLogWriter(_logFrames);
        _source = new RecordingInputSource(input, host, _log, configuration.Clock, options.Console, options.StopAtText)
        {
            RequestStop = _machine.RequestStop,
        };
        late.Target = _source;
        _machine.Inputs = _source;
        _messages.RecordingBegins(options.Path, configuration.CpuCount, configuration.MemorySizeBytes, _interval);
        _writer = new CheckpointWriter(MemoryLayout.Of(_machine), _checkpointFrames, _pageFrames, _messages);
        _capture = new CheckpointCapture(_machine, _writer);
        _budgetStep = (options.CheckpointBudgetBytes ?? 0) / 2;
        TakeCheckpoint();
        _log.Flush(_machine.Position);
    }

    /// <summary>The machine being recorded; look, do not touch.</summary>
    public Machine Machine => _machine;

    /// <summary>Sizes and counts so far. Callable from any thread.</summary>
    public RecorderStatistics Statistics =>
        new(new Position(Volatile.Read(ref _publishedCount)), _logFrames.SizeBytes, _writer.CheckpointCount, _checkpointFrames.SizeBytes,
        _writer.PageCount, _pageFrames.SizeBytes, (long)_log.Sequence, Volatile.Read(ref _longestPause));

    /// <summary>Runs and records until <paramref name="untilCount"/>, the machine's end, the text, or cancellation. May be called
    /// again.</summary>
    /// <exception cref="RecordingException">The recording cannot be written.</exception>
    public RecorderStop Run(ulong untilCount, CancellationToken cancellation = default) => Run(untilCount, static () => false, cancellation);

    /// <summary>The same, until somebody who watches the machine has seen enough: then <see cref="RecorderStop.Cancelled"/>.</summary>
    internal RecorderStop Run(ulong untilCount, Func<bool> hasSeenEnough, CancellationToken cancellation)
    {
        Invariant.Check(!_finished);
        _source.Cancellation = cancellation;
        using CancellationTokenRegistration registration = cancellation.Register(_machine.RequestStop);
        try
        {
            while (true)
            {
                if (_stopRequested || cancellation.IsCancellationRequested)
                {
                    _stopRequested = false;
                    return RecorderStop.Cancelled;
                }
                ulong count = _machine.InstructionCount;
                if (count >= untilCount) return RecorderStop.CountReached;
                ulong slice = Math.Min(Math.Min(untilCount, _nextCheckpoint), _nextLook);
                RunStop stop = _machine.Run(slice);
                Volatile.Write(ref _publishedCount, _machine.InstructionCount);
                if (stop == RunStop.Ended) return RecorderStop.Ended;
                if (stop == RunStop.Requested && hasSeenEnough()) return RecorderStop.Cancelled;
                if (_source.TextWasPrinted && !_reportedText)
                {
                    _reportedText = true;
                    return RecorderStop.TextPrinted;
                }
                if (stop == RunStop.CountReached)
                {
                    bool isDue = _machine.InstructionCount >= _nextCheckpoint;
                    if (_machine.InstructionCount >= _nextLook)
                    {
                        isDue |= ExitCount() - _exitsAtCheckpoint >= MaximumExits;
                        _nextLook = _machine.InstructionCount + SliceInstructions;
                    }
                    if (isDue) TakeCheckpoint();
                    _log.Flush(_machine.Position);
                    if (isDue && _options.RingSizeBytes is { } ring) KeepLastPart(ring);
                }
            }
        }
        catch (IOException e)
        {
            throw new RecordingException($"{_partial} cannot be written: {e.Message}");
        }
    }

    /// <summary>One transition of the machine. An idle guest waits for its next timer or input.</summary>
    internal void Step(CancellationToken cancellation)
    {
        Invariant.Check(!_finished);
        _source.Cancellation = cancellation;
        _machine.Step();
        Volatile.Write(ref _publishedCount, _machine.InstructionCount);
    }

    /// <summary>Runs on as far as it goes without waiting: at most to a count.</summary>
    internal void RunAhead(ulong untilCount)
    {
        bool isIdle = false;
        _source.WhenIdle = () =>
        {
            isIdle = true;
            _machine.RequestStop();
        };
        try
        {
            Run(untilCount, () => isIdle, CancellationToken.None);
        }
        finally
        {
            _source.WhenIdle = null;
        }
    }

    /// <summary>The recording as far as it is made; it grows with <see cref="Settle"/>. The caller's to dispose of, before <see cref="Finish"/>.</summary>
    internal RecordingFile OpenGrowing()
    {
        _writer.WaitFor(_checkpointCount);
        return new RecordingFile(_options.Path, _manifest, _machine.Configuration, new GrowingParts(_partial, _logFrames, _checkpointFrames, _pageFrames), _options.Loggers);
    }

    /// <summary>Writes all that has happened, and lets the recording grow by it.</summary>
    /// <param name="growing">What <see cref="OpenGrowing"/> made.</param>
    /// <param name="distance">Takes a checkpoint when the last one is as many instructions away.</param>
    /// <exception cref="RecordingException">The recording cannot be written.</exception>
    internal void Settle(RecordingFile growing, ulong distance)
    {
        try
        {
            TakeCheckpointFrom(distance);
            _log.Flush(_machine.Position);
            _writer.WaitFor(_checkpointCount);
            growing.Grow(_machine.Position, _machine.Outcome);
        }
        catch (IOException e)
        {
            throw new RecordingException($"{_partial} cannot be written: {e.Message}");
        }
    }

    /// <summary>Takes a checkpoint when the last one is as many instructions away.</summary>
    internal void TakeCheckpointFrom(ulong distance)
    {
        if (_machine.InstructionCount - _lastCheckpoint.InstructionCount >= Math.Max(1, distance)) TakeCheckpoint();
    }

    /// <summary>Makes <see cref="Run(ulong, CancellationToken)"/> return soon. Callable from any thread.</summary>
    public void RequestStop()
    {
        _stopRequested = true;
        _machine.RequestStop();
    }

    /// <summary>Writes what is outstanding, packs the recording into its file and removes the partial directory.</summary>
    /// <exception cref="RecordingException">The recording cannot be written.</exception>
    public void Finish(IProgress<double>? progress = null)
    {
        Invariant.Check(!_finished);
        _finished = true;
        try
        {
            // A last checkpoint, so that the end is at hand and has a digest.
            if (_machine.Position > _lastCheckpoint) TakeCheckpoint();
            byte[] hashes = _writer.Complete();
            LogDigests(_checkpointCount);
            _log.WriteEnd(_machine.Position, _machine.Outcome);
            CloseFiles();
            RecordingPacker.Pack(_partial, _options.Path, _options.Overwrite, progress, hashes);
            _messages.RecordingEnds(_options.Path, _machine.Position, _machine.Outcome.Kind, _checkpointCount, new FileInfo(_options.Path).Length);
        }
        catch (IOException e)
        {
            throw new RecordingException($"{_options.Path} cannot be written: {e.Message}");
        }
    }

    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        if (!_finished)
        {
            // What there is can be recovered.
            _log.Flush(_machine.Position);
        }
        _writer.Dispose();
        CloseFiles();
        _machine.Dispose();
    }

    private ulong ExitCount()
    {
        ulong count = 0;
        for (ExitReason reason = 0; reason < ExitReason.Count; reason++) count += _machine.Exits[reason];
        return count;
    }

    private void CloseFiles()
    {
        _logFrames.Dispose();
        _checkpointFrames.Dispose();
        _pageFrames.Dispose();
    }

    private void TakeCheckpoint()
    {
        ulong started = _host.ReadMonotonicNanoseconds();
        _lastCheckpoint = _machine.Position;
        LogDigests(_checkpointCount - DigestLag);
        _log.WriteCheckpoint(_lastCheckpoint, _checkpointCount);
        _capture.Take(_checkpointCount++, _log.Sequence);
        WidenToBudget();
        _nextCheckpoint = _lastCheckpoint.InstructionCount + _interval;
        // Counted from the checkpoint on: where the next one is must not depend on how runs are cut.
        _nextLook = _lastCheckpoint.InstructionCount + SliceInstructions;
        _exitsAtCheckpoint = ExitCount();
        ulong pause = _host.ReadMonotonicNanoseconds() - started;
        _messages.CheckpointTaken(_checkpointCount - 1, _lastCheckpoint, pause / 1000);
        if (_checkpointCount > 1 && pause > _longestPause) Volatile.Write(ref _longestPause, pause);
    }

    // Parts are begun anew with what is kept, and count from when the manifest says so: whenever we are killed, either the old or the new ones are whole.
    private void KeepLastPart(long sizeBytes)
    {
        // Where this happens must not depend on the writer's speed. What has to be kept may be more than was asked for: then only when a quarter has come to it.
        _writer.WaitFor(_checkpointCount);
        if (_checkpointCount < 4 || _writer.SizeBytes + _logFrames.SizeBytes <= Math.Max(sizeBytes, _lastPartSizeBytes + _lastPartSizeBytes / 4)) return;
        LogDigests(_checkpointCount);
        _log.Flush(_machine.Position);
        // Half of what there is, less if that was much before: most of it may be the guest's memory.
        int first = _checkpointCount - Math.Max(2, _checkpointCount / (_lastPartSizeBytes > sizeBytes / 2 ? 4 : 2));
        int kept = _checkpointCount - first, generation = (_manifest.Generation ?? 0) + 1;
        FrameWriter log = OpenPart(PartName.Log, generation), checkpoints = OpenPart(PartName.Checkpoints, generation), pages = OpenPart(PartName.Pages, generation);
        var writer = new CheckpointWriter(MemoryLayout.Of(_machine), checkpoints, pages, _messages);
        using (RecordingFile whole = OpenGrowing())
        {
            whole.Grow(_machine.Position, _machine.Outcome);
            var stretch = new StretchWriter(whole, [.. Enumerable.Range(first, kept)], CancellationToken.None);
            stretch.WriteCheckpoints(writer, null);
            (EventLogWriter copy, List<LogRecord> rest) = stretch.WriteLog(log, _machine.Position);
            Invariant.Check(rest.Count == 0);
            copy.Flush(_machine.Position);
            _manifest = _manifest with
            {
                FormatVersion = ManifestJson.FormatVersion, Generation = generation, Images = [.. LaterImages()],
                Start = new ManifestStart(whole.Checkpoints[first].Position.InstructionCount, whole.Checkpoints[first].Position.EventOrdinal, ""),
            };
        }
        string manifest = Path.Combine(_partial, PartName.Manifest);
        File.WriteAllBytes(manifest + ".new", ManifestJson.Write(_manifest));
        File.Move(manifest + ".new", manifest, overwrite: true);

        string[] old = [_logFrames.Path, _checkpointFrames.Path, _pageFrames.Path];
        _writer.Dispose();
        CloseFiles();
        foreach (string path in old) File.Delete(path);
        (_logFrames, _checkpointFrames, _pageFrames, _writer) = (log, checkpoints, pages, writer);
        _log.ContinueIn(log);
        _capture = new CheckpointCapture(_machine, writer);
        _checkpointCount = _loggedDigestCount = kept;
        _lastPartSizeBytes = writer.SizeBytes + log.SizeBytes;
        _messages.RingTurned(first, kept, _lastPartSizeBytes);
    }

    private IEnumerable<ManifestImage> LaterImages()
    {
        foreach (ManifestImage image in _manifest.Images)
        {
            using FileStream content = File.OpenRead(Path.Combine(_partial, image.Part));
            if (RecordingTrimmer.IsNeededLater(image.Role, content)) yield return image;
        }
    }

    private FrameWriter OpenPart(string name, int? generation = null) => new(Path.Combine(_partial, PartName.OfGeneration(name, generation)));

    // Half the budget for the first spacing, a quarter for twice that, and so on: however long the recording gets, it ends up with
    // checkpoints all along, and their number grows with the logarithm of its length.
    private void WidenToBudget()
    {
        if (_options.CheckpointBudgetBytes is not { } budget || _writer.SizeBytes < budget - _budgetStep) return;
        _budgetStep /= 2;
        _interval = checked(_interval * 2);
    }

    // Digests come from another thread, but go into the log at places that do not depend on its speed: equal recordings are equal files.
    private void LogDigests(int untilIndex)
    {
        for (; _loggedDigestCount < untilIndex; _loggedDigestCount++)
        {
            (Position position, StateDigest digest) = _writer.TakeDigest();
            _log.WriteDigest(position, digest);
        }
    }

    private RecordingManifest CreateDirectory(MachineConfiguration configuration)
    {
        if (Directory.Exists(_partial)) Directory.Delete(_partial, recursive: true);
        Directory.CreateDirectory(Path.Combine(_partial, "images"));
        var images = new List<ManifestImage>();
        foreach (MachineImage image in configuration.Images)
        {
            Invariant.Check(PartName.IsImageRole(image.Role));
            string part = PartName.Image(image.Role);
            using (var file = new FileStream(Path.Combine(_partial, part), FileMode.CreateNew, FileAccess.Write))
                file.Write(image.Content.Span);
            images.Add(new ManifestImage(image.Role, image.Name, part, image.Content.Length,
                Convert.ToHexStringLower(SHA256.HashData(image.Content.Span))));
        }
        var manifest = new RecordingManifest
        {
            FormatVersion = ManifestJson.FormatVersion, Identity = "", RecordedFrom = _options.RecordedFrom,
            Machine = ManifestJson.Describe(configuration),
            Images = images, End = new ManifestEnd(0, 0, nameof(OutcomeKind.None), 0, "", Recovered: true, ""), Parts = [],
        };
        File.WriteAllBytes(Path.Combine(_partial, PartName.Manifest), ManifestJson.Write(manifest));
        return manifest;
    }
}

/// <summary>Recording is not possible; the message is one sentence for people.</summary>
public sealed class RecordingException(string message) : Exception(message);
