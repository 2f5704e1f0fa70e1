using System;
using System.IO;
using Replay.Packages;
using Replay.Recording;
using TestKit;
using Vmm.Platform;

namespace Proof.Tests;

/// <summary>A temporary folder with recordings, kept under artifacts/failures when the test that made them fails.</summary>
internal sealed class RecordingFolder(string testName) : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ttvm-proof").FullName;
    private bool _succeeded;

    public string PathOf(string fileName) => Path.Combine(_folder, fileName);

    /// <summary>Nothing in here is of interest any more.</summary>
    public void Succeed() => _succeeded = true;

    public RecordingFile Record(string fileName, MachineConfiguration configuration, ulong untilCount = ulong.MaxValue, ulong interval = RecorderOptions.DefaultCheckpointInterval)
    {
        string path = PathOf(fileName);
        var options = new RecorderOptions { Path = path, CheckpointInterval = interval, RecordedFrom = testName };
        using (var recorder = new Recorder(configuration, new NoInput(), new RealHost(), options))
        {
            recorder.Run(untilCount);
            recorder.Finish();
        }
        return RecordingFile.Open(path);
    }

    public void Dispose()
    {
        if (!_succeeded)
        {
            string kept = Repository.FailureFolder(testName);
            foreach (string file in Directory.EnumerateFiles(_folder)) File.Copy(file, Path.Combine(kept, Path.GetFileName(file)));
            Console.Error.WriteLine($"{testName}: what was recorded is in {kept}; look at it with `ttvm info`, `ttvm verify`, `ttvm bisect`");
        }
        Directory.Delete(_folder, recursive: true);
    }
}
