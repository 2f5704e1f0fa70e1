using System;
using System.Collections.Generic;
using System.Text;
using Replay.Packages;
using Vmm.Platform;
using Xunit;

namespace Proof.Tests;

/// <summary>The real kernels' recordings: each is made when first asked for and shared by all tests of the assembly.</summary>
public sealed class KernelRecordings : IDisposable
{
    private readonly Dictionary<string, RecordingFile> _recordings = [];
    private readonly RecordingFolder _folder = new("kernels");

    public RecordingFile Get(string name)
    {
        if (_recordings.TryGetValue(name, out RecordingFile? recording)) return recording;
        Kernel kernel = Kernels.Get(name);
        recording = _folder.Record($"{_recordings.Count}.ttvm", kernel.Configuration, kernel.UntilCount);
        _recordings.Add(name, recording);
        Assert.Equal(kernel.Outcome, recording.Outcome.Kind);
        string console = Encoding.Latin1.GetString(recording.Console.ReadBytes(recording.End));
        Assert.Contains(kernel.Prints, console, StringComparison.Ordinal);
        return recording;
    }

    public void Dispose()
    {
        foreach (RecordingFile recording in _recordings.Values) recording.Dispose();
        _folder.Succeed();
        _folder.Dispose();
    }
}
