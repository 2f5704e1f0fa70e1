using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Security.Cryptography;
using System.Threading;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Replay.Checkpoints;
using Replay.Log;
using Replay.Messages;
using Replay.Queries;
using Replay.Redaction;
using Vmm.Platform;
using Vmm.Time;

namespace Replay.Packages;

/// <summary>
/// A recording, open for reading: a finished one, or one that is still being made and grows. Opening costs what its index costs; pages and log
/// segments are read when needed. Thread-safe: several timelines and scanners share one.
/// </summary>
public sealed class RecordingFile : IDisposable
{
    private const int MaxManifestSizeBytes = 8 << 20;

    /// <summary>How far it reaches.</summary>
    private sealed record Extent(Position End, Outcome Outcome);

    // One of the two is there.
    private readonly ZipContainerReader? _container;
    private readonly GrowingParts? _growing;
    private readonly Lazy<MachineConfiguration> _configuration;
    private volatile Extent _extent;
    private volatile int _growth;

    private RecordingFile(string path, ZipContainerReader container, ILoggerFactory loggers, EngineKind engine)
    {
        Path = path;
        Loggers = loggers;
        Engine = engine;
        _container = container;
        Manifest = ManifestJson.Read(container.Get(PartName.Manifest).ReadAll(MaxManifestSizeBytes), path);
        if (!Guid.TryParse(Manifest.Identity, out Guid identity)) throw Damaged("its identity is not a GUID");
        Identity = identity;
        _extent = new Extent(new Position(Manifest.End.InstructionCount, Manifest.End.EventOrdinal),
            new Outcome(ManifestJson.ParseName<OutcomeKind>(Manifest.End.Outcome) ?? throw Damaged("its outcome is unknown"), Manifest.End.Code, Manifest.End.Detail ?? ""));
        CheckParts(container);
        ManifestJson.Configure(Manifest, [], path);
        _configuration = new Lazy<MachineConfiguration>(() => ManifestJson.Configure(Manifest, ReadImages(), Path) with { Engine = engine });

        Start = ManifestJson.StartOf(Manifest);
        Log = new EventLogReader(FrameTable.ReadIndex(container.Get(PartName.LogIndex), container.Get(PartName.Log)), Start);
        Pages = new PageStore(FrameTable.ReadIndex(container.Get(PartName.PageIndex), container.Get(PartName.Pages)))
        {
            HashPart = container.Get(PartName.PageHashes),
            Images = new ImageSources([.. Manifest.Images.Select(image => container.Get(image.Part))]).Read,
        };
        CheckpointStore = new CheckpointStore(FrameTable.ReadIndex(container.Get(PartName.CheckpointIndex),
            container.Get(PartName.Checkpoints)),
            Pages.PageCount, Start, FindImage);
        if (CheckpointStore.PositionOf(CheckpointStore.Count - 1) > End || Log.Through != End)
            throw Damaged("its parts do not end at the same position");
        if (Log.BaseSequence != CheckpointStore.Meta(0).Sequence) throw Damaged("its log does not begin where its first checkpoint is");
        Holes = ManifestJson.HolesOf(Manifest, at => CheckpointStore.PositionOf(CheckpointStore.FindAtOrBefore(at)) == at) ?? throw Damaged("its manifest names holes that are not possible");
        Console = new ConsoleLog(Log);
        Embedded = new EmbeddedFiles(container, Manifest.Symbols);
        loggers.CreateLogger(typeof(RecordingFile).FullName!).Opened(path, Identity, Start, End, container.SizeBytes, CheckpointStore.Count, Pages.PageCount, Log.SegmentCount);
    }

    /// <summary>One that is still being made: it reaches as far as the last <see cref="Grow"/>.</summary>
    internal RecordingFile(string path, RecordingManifest manifest, MachineConfiguration configuration, GrowingParts parts, ILoggerFactory loggers)
    {
        Path = path;
        Loggers = loggers;
        Engine = configuration.Engine;
        Manifest = manifest;
        _growing = parts;
        _configuration = new Lazy<MachineConfiguration>(configuration);
        Start = ManifestJson.StartOf(manifest);
        Log = new EventLogReader(parts.ReadLog(), Start);
        _extent = new Extent(Start, default);
        FrameTable checkpoints = parts.ReadCheckpoints();
        Pages = new PageStore(parts.ReadPages());
        CheckpointStore = new CheckpointStore(checkpoints, Pages.PageCount, Start, FindImage);
        Console = new ConsoleLog(Log);
        Embedded = new EmbeddedFiles(null, null);
    }

    /// <param name="path">The file.</param>
    /// <param name="passphrase">What opens it if it is encrypted; it is needed no longer than this takes.</param>
    /// <param name="loggers">For messages about it, and about all that is done with it; null: none are wanted.</param>
    /// <param name="engine">What executes whenever something of it is replayed.</param>
    /// <exception cref="RecordingFormatException">Not a recording, or a damaged one.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static RecordingFile Open(string path, RecordingPassphrase? passphrase = null, ILoggerFactory? loggers = null, EngineKind engine = EngineKind.Auto)
    {
        if (Directory.Exists(path))
        {
            throw new RecordingFormatException(path.TrimEnd('/').EndsWith(RecordingPacker.PartialSuffix, StringComparison.Ordinal)
                ? $"{path} is a recording that was not finished: recover it first"
                : $"{path} is a directory, not a recording");
        }
        var container = new ZipContainerReader(path, passphrase);
        try
        {
            return new RecordingFile(path, container, loggers ?? NullLoggerFactory.Instance, engine);
        }
        catch
        {
            container.Dispose();
            throw;
        }
    }

    /// <summary>Another one as this one is open, with its loggers and engine: what is made of a recording is looked at for the same user.</summary>
    internal RecordingFile OpenAnother(string path) => Open(path, loggers: Loggers, engine: Engine);

    /// <summary>
    /// Makes a recording of what a crashed recorder left: everything up to the last complete log segment.
    /// </summary>
    /// <param name="partialDirectory">NAME.ttvm.partial.</param>
    /// <param name="destination">null: NAME.ttvm beside it.</param>
    /// <param name="overwrite">Replace an existing file.</param>
    /// <param name="progress">0..1.</param>
    /// <returns>The file written. The partial directory is removed.</returns>
    /// <exception cref="RecordingFormatException">The directory is not an unfinished recording.</exception>
    /// <exception cref="IOException">The destination exists, or a file cannot be read or written.</exception>
    public static string Recover(string partialDirectory, string? destination = null, bool overwrite = false,
        IProgress<double>? progress = null)
    {
        string directory = partialDirectory.TrimEnd('/');
        if (destination is null)
        {
            if (!directory.EndsWith(RecordingPacker.PartialSuffix, StringComparison.Ordinal))
                throw new RecordingFormatException($"{directory} is not called NAME.ttvm{RecordingPacker.PartialSuffix}: say where to write the recording");
            destination = directory[..^RecordingPacker.PartialSuffix.Length];
        }
        return RecordingPacker.Pack(directory, destination, overwrite, progress);
    }

    public string Path { get; }

    /// <summary>Derived from the content: equal recordings have equal identities.</summary>
    public Guid Identity { get; }

    public RecordingManifest Manifest { get; }

    /// <summary>What its machines execute with, unless they are told otherwise.</summary>
    public EngineKind Engine { get; }

    /// <summary>What the recorded machine was built from, images included. They are read at the first use.</summary>
    public MachineConfiguration Configuration => _configuration.Value;

    /// <summary>The first position: power-on, or where a stretch was cut out.</summary>
    public Position Start { get; }

    /// <summary>How many instructions it holds.</summary>
    public ulong InstructionCount => End.InstructionCount - Start.InstructionCount;

    /// <summary>The last position that can be visited.</summary>
    public Position End => _extent.End;

    /// <summary>How the recorded machine ended; <see cref="OutcomeKind.None"/> when recording was stopped while it lived, or it still lives.</summary>
    public Outcome Outcome => _extent.Outcome;

    /// <summary>True when the recorder did not finish and this was recovered.</summary>
    public bool WasRecovered => Manifest.End.Recovered;

    /// <summary>In ascending order of position; the first is at <see cref="Start"/>.</summary>
    public IReadOnlyList<CheckpointInfo> Checkpoints => CheckpointStore.Infos;

    /// <summary>What the guest printed, from the log: needs no replay.</summary>
    public ConsoleLog Console { get; }

    /// <summary>Symbol files and sources that it carries.</summary>
    public EmbeddedFiles Embedded { get; }

    /// <summary>Positions that cannot be replayed, as something was taken out.</summary>
    public RecordingHoles Holes { get; } = new([]);

    /// <summary>A part as a stream.</summary>
    internal Stream OpenPart(string name) => new PartStream(_container!.Get(name));

    public RecordingSizes Sizes
    {
        get
        {
            long images = 0;
            foreach (ManifestImage image in Manifest.Images) images += image.SizeBytes;
            return new RecordingSizes(_container?.SizeBytes ?? _growing!.SizeBytes + images, Log.Frames.SizeBytes, CheckpointStore.Frames.SizeBytes, Pages.Frames.SizeBytes,
                images,
                CheckpointStore.Count, Pages.PageCount, Log.SegmentCount);
        }
    }

    /// <summary>How many inputs entered the machine. Known without reading the log.</summary>
    public long InputCount => Log.InputCount;

    /// <summary>Every input that entered the machine, in order: arrivals, time readings and entropy.</summary>
    public IEnumerable<LogRecord> ReadInputs()
    {
        foreach (LogRecord record in Log.ReadAll())
            if (record.IsInput) yield return record;
    }

    /// <summary>The end, if it ended because every vCPU was halted for ever.</summary>
    internal Position? HaltedAt => _extent is { Outcome.Kind: OutcomeKind.Halted } extent ? extent.End : null;

    /// <summary>Another number each time that it has grown.</summary>
    internal int Growth => _growth;

    /// <summary>Takes in what its recorder has written since. The writers must be at rest.</summary>
    internal void Grow(Position end, Outcome outcome)
    {
        GrowingParts parts = _growing!;
        Log.Grow(parts.ReadLog());
        FrameTable checkpoints = parts.ReadCheckpoints();
        Pages.Grow(parts.ReadPages());
        CheckpointStore.Grow(checkpoints, Pages.PageCount);
        Vmm.Invariant.Check(Log.Through == end);
        _extent = new Extent(end, outcome);
        _growth++;
    }

    /// <summary>Where everything that works on it sends messages.</summary>
    internal ILoggerFactory Loggers { get; }

    internal EventLogReader Log { get; }
    internal PageStore Pages { get; }
    internal CheckpointStore CheckpointStore { get; }

    /// <summary>Compares the hash of every part with the manifest, and the manifest with the identity.</summary>
    /// <exception cref="RecordingFormatException">The first that differs.</exception>
    internal void VerifyHashes(CancellationToken cancellation)
    {
        var buffer = new byte[1 << 20];
        foreach (ManifestPart part in Manifest.Parts)
        {
            PartReader reader = _container!.Get(part.Name);
            using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            for (long offset = 0; offset < reader.SizeBytes; offset += buffer.Length)
            {
                cancellation.ThrowIfCancellationRequested();
                Span<byte> piece = buffer.AsSpan(0, (int)Math.Min(buffer.Length, reader.SizeBytes - offset));
                reader.Read(offset, piece);
                sha.AppendData(piece);
            }
            if (Convert.ToHexStringLower(sha.GetHashAndReset()) != part.Sha256)
                throw Damaged($"part '{part.Name}' has another hash than the manifest says");
        }
        if (RecordingPacker.IdentityOf(Manifest) != Identity) throw Damaged("its manifest does not fit its identity");
        for (int i = 0; i < Pages.Frames.Count; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            Pages.VerifyChunk(i);
        }
    }

    public void Dispose()
    {
        _container?.Dispose();
        _growing?.Dispose();
    }

    internal RecordingFormatException Damaged(string what) => new($"{Path} is damaged: {what}");

    private void CheckParts(ZipContainerReader container)
    {
        var expected = new HashSet<string>(StringComparer.Ordinal) { PartName.Manifest };
        foreach (ManifestPart part in Manifest.Parts)
        {
            if (part?.Name is null || !expected.Add(part.Name)) throw Damaged("its manifest lists a part twice");
            if (container.Get(part.Name).SizeBytes != part.SizeBytes)
                throw Damaged($"part '{part.Name}' has another size than the manifest says");
        }
        foreach (ManifestImage image in Manifest.Images)
        {
            if (image is null || !PartName.IsImageRole(image.Role) || image.Part != PartName.Image(image.Role)
                || !expected.Contains(image.Part))
                throw Damaged("its manifest names an image that is not there");
        }
        foreach (ManifestSymbols symbols in Manifest.Symbols ?? [])
            if (symbols?.Name is null || symbols.Part?.StartsWith(PartName.SymbolsPrefix, StringComparison.Ordinal) != true || !expected.Contains(symbols.Part))
                throw Damaged("its manifest names a symbol file that is not there");
        if (container.Names.Count != expected.Count) throw Damaged("it has parts that its manifest does not list");
    }

    private List<MachineImage> ReadImages()
    {
        var images = new List<MachineImage>();
        foreach (ManifestImage image in Manifest.Images)
            images.Add(new MachineImage(image.Role, image.Name ?? "", _container!.Get(image.Part).ReadAll(Array.MaxLength)));
        return images;
    }

    // Checkpoints ask for disk images when the index is read: those are only read when there is a disk.
    private ReadOnlyMemory<byte> FindImage(string memoryName) =>
        memoryName == "ram" ? default : Configuration.FindImage(memoryName)?.Content ?? default;
}

/// <summary>Sizes of a recording's parts in bytes, and counts.</summary>
public readonly record struct RecordingSizes(long FileSizeBytes, long LogSizeBytes, long CheckpointSizeBytes, long PageStoreSizeBytes,
    long ImageSizeBytes,
    int CheckpointCount, int PageCount, int LogSegmentCount);
