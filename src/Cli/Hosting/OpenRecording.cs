using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using Introspection.Messages;
using Introspection.Programs;
using Microsoft.Extensions.Logging;
using Replay.Packages;
using Replay.Timelines;
using Vmm.Cpu;
using Vmm.Platform;
using Vmm.Time;

namespace Cli.Hosting;

/// <summary>A recording that a verb works on, with its timeline when it asks for one.</summary>
internal sealed class OpenRecording : IDisposable
{
    private readonly CommandContext _context;
    private readonly ILogger _log;
    private Timeline? _timeline;

    private OpenRecording(RecordingFile file, CommandContext context)
    {
        File = file;
        _context = context;
        _log = context.Loggers.CreateLogger(typeof(OpenRecording).FullName!);
    }

    public RecordingFile File { get; }

    public Timeline Timeline => _timeline ??= new Timeline(File);

    public Machine Machine => Timeline.Machine;

    public static OpenRecording Open(string path, CommandContext context) => new(OpenFile(path, context), context);

    /// <summary>Opens one that nobody wants a timeline of.</summary>
    public static RecordingFile OpenFile(string path, CommandContext context)
    {
        if (Directory.Exists(path))
        {
            string what = path.TrimEnd('/').EndsWith(".partial", StringComparison.Ordinal)
                ? $"{path} is an unfinished recording: make it whole with `ttvm recover {path}`"
                : $"{path} is a directory, not a recording";
            throw CommandException.BadFile(what);
        }
        if (!System.IO.File.Exists(path))
        {
            string hint = Directory.Exists(path + ".partial") ? $"; an unfinished one is there: `ttvm recover {path}.partial`" : "";
            throw CommandException.BadFile($"{path} does not exist{hint}");
        }
        return RecordingFile.Open(path, RecordingEncryption.IsEncrypted(path) ? context.Passphrases.For(path) : null, context.Loggers, context.Engine);
    }

    /// <summary>What is made of an encrypted recording is not encrypted by itself: that is told, and it does not take the recording's place.</summary>
    /// <exception cref="CommandException">It would.</exception>
    public static void CheckOutput(string path, string output, CommandContext context)
    {
        if (!System.IO.File.Exists(path) || !RecordingEncryption.IsEncrypted(path)) return;
        if (Path.GetFullPath(output) == Path.GetFullPath(path)) throw CommandException.Usage($"{path} is encrypted, and what would take its place is not: write it elsewhere with -o");
        context.Error.WriteLine($"ttvm: {path} is encrypted, {output} will not be: `ttvm encrypt` does that");
    }

    /// <summary>What is known about the guest's code; what cannot be used is told on standard error.</summary>
    /// <param name="paths">Symbol files that the user names.</param>
    /// <param name="sourceMap">FROM=TO, as the user wrote it.</param>
    public GuestPrograms LoadSymbols(string[]? paths, string[]? sourceMap)
    {
        var map = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string pair in sourceMap ?? [])
        {
            int equals = pair.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0) throw CommandException.Usage($"--source-map: '{pair}' is not FROM=TO");
            map[pair[..equals]] = pair[(equals + 1)..];
        }
        GuestPrograms programs = SymbolLoader.Load(File, paths, map, text => _context.Error.WriteLine($"ttvm: {text}"), WaitForIndex);
        foreach (SymbolFile file in programs.Files) _log.HasSymbols(file.Image.Name);
        return programs;
    }

    private void WaitForIndex(IndexingJob job)
    {
        long began = Stopwatch.GetTimestamp();
        ProgressDisplay.Run($"reading the names in {job.Name}", progress =>
        {
            while (!job.Wait(TimeSpan.FromMilliseconds(50), _context.Cancellation)) progress.Report(job.Fraction);
            return true;
        });
        _log.HasIndex(job.Name, Stopwatch.GetElapsedTime(began).TotalMilliseconds);
    }

    public Position Parse(string position) => PositionSyntax.Parse(position, File.Start, File.End);

    /// <summary>Goes to a position as the user wrote it, with a progress bar if it takes long.</summary>
    public Position Seek(string position) => Seek(Parse(position));

    public Position Seek(Position position)
    {
        Timeline timeline = Timeline;
        return ProgressDisplay.Run("replaying", progress =>
        {
            timeline.Seek(position, progress, _context.Cancellation);
            return timeline.Position;
        });
    }

    /// <summary>The vCPU that the user named, or the one whose turn it is.</summary>
    public Vcpu Vcpu(int? index)
    {
        if (index is { } number) CheckCpu(number);
        return Machine.Vcpus[index ?? Machine.CurrentCpuIndex];
    }

    /// <summary>The recorded machine has a vCPU of that number.</summary>
    public void CheckCpu(int number)
    {
        int count = File.Manifest.Machine.CpuCount;
        if (number < 0 || number >= count)
            throw CommandException.Usage($"--cpu {number}: the recorded machine has {(count == 1 ? "one vCPU, number 0" : $"vCPUs 0 to {count - 1}")}");
    }

    /// <summary>The recording has no holes: a verb needs it whole.</summary>
    /// <param name="file">The recording.</param>
    /// <param name="path">As the user named it.</param>
    /// <param name="verb">What cannot be done.</param>
    /// <exception cref="CommandException">It has.</exception>
    public static void RequireWhole(RecordingFile file, string path, string verb)
    {
        if (file.Holes.Count == 0) return;
        throw CommandException.Failed($"{path} was redacted, and not all of it can be replayed: `ttvm {verb}` needs the whole recording (`ttvm info` lists what is missing)");
    }

    public void Dispose()
    {
        if (File.Holes.TellPassed() is { } passed) _context.Error.WriteLine($"ttvm: {passed}");
        _timeline?.Dispose();
        File.Dispose();
    }
}
