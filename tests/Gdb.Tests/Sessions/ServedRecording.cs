using System;
using System.Globalization;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Replay.Packages;
using Replay.Recording;
using Replay.Timelines;
using Vmm.Platform;
using Vmm.Time;

namespace Gdb.Tests.Sessions;

/// <summary>A recording of a guest in a temporary folder.</summary>
public sealed class GuestRecording : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ttvm-gdb").FullName;

    public GuestRecording(MachineConfiguration configuration, ulong interval, ulong until)
    {
        string path = Path.Combine(_folder, "test.ttvm");
        var options = new RecorderOptions { Path = path, CheckpointInterval = interval, RecordedFrom = "a test", Overwrite = true };
        using (var recorder = new Recorder(configuration, new NoInput(), new NoHost(), options))
        {
            recorder.Run(until);
            recorder.Finish();
        }
        File = RecordingFile.Open(path);
    }

    public RecordingFile File { get; }

    public void Dispose()
    {
        File.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private sealed class NoHost : IHostServices
    {
        private ulong _nanoseconds;

        public ulong ReadMonotonicNanoseconds() => _nanoseconds += 1000;

        public void FillRandom(Span<byte> destination) => destination.Fill(0x5A);
    }
}

/// <summary>A server for a recording on a thread of its own, as long as this lives.</summary>
internal sealed class ServedRecording : IDisposable
{
    private readonly Timeline _timeline;
    private readonly GdbServer _server;
    private readonly CancellationTokenSource _end = new();
    private readonly Task _serving;

    public ServedRecording(RecordingFile recording, Position at)
    {
        _timeline = new Timeline(recording, new TimelineOptions { MaxParallelism = 2 });
        _timeline.Seek(at);
        _server = new GdbServer(_timeline, 0);
        _serving = Task.Factory.StartNew(() => _server.Serve(_end.Token), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    public int Port => _server.Port;

    public string Target => string.Create(CultureInfo.InvariantCulture, $"target remote localhost:{Port}");

    /// <summary>Waits for the end that a client asked for.</summary>
    public bool Ends(TimeSpan timeout) => _serving.Wait(timeout);

    public void Dispose()
    {
        _end.Cancel();
        _serving.Wait(TimeSpan.FromSeconds(60));
        _server.Dispose();
        _timeline.Dispose();
        _end.Dispose();
    }
}
