using System;
using System.IO;
using System.Text;
using Replay.Checkpoints;
using Replay.Log;
using Replay.Packages;
using Vmm.Memory;
using Xunit;

namespace Replay.Tests.Recordings;

/// <summary>Looks for bytes everywhere in a recording: in the file as it is, and in all that is compressed in it.</summary>
internal static class RedactedFile
{
    public static void AssertGone(RecordingFile recording, params string[] texts)
    {
        foreach (string text in texts)
        {
            byte[] needle = Encoding.UTF8.GetBytes(text);
            Assert.Equal("", PlacesOf(recording, needle));
        }
    }

    /// <summary>Where the bytes are, for a message; empty: nowhere.</summary>
    public static string PlacesOf(RecordingFile recording, byte[] needle)
    {
        var places = new StringBuilder();
        void Look(string where, ReadOnlySpan<byte> bytes)
        {
            if (bytes.IndexOf(needle) >= 0) places.AppendLine(where);
        }
        Look("the file", File.ReadAllBytes(recording.Path));
        foreach (ManifestPart part in recording.Manifest.Parts)
        {
            using Stream stream = recording.OpenPart(part.Name);
            var content = new byte[stream.Length];
            stream.ReadExactly(content);
            Look(part.Name, content);
        }
        LookThrough("log", recording.Log.Frames, Look);
        LookThrough("checkpoints", recording.CheckpointStore.Frames, Look);
        LookThrough("pages", recording.Pages.Frames, Look);
        var page = new byte[PagedMemory.PageSizeBytes];
        for (int id = PageId.FirstStored; id < PageId.FirstStored + recording.Pages.PageCount; id++)
        {
            recording.Pages.Read(id, page);
            Look($"page {id}", page);
        }
        foreach (string name in recording.Embedded.SourcePaths) Look(name, Encoding.UTF8.GetBytes(recording.Embedded.ReadSource(name)!));
        foreach (Vmm.Inputs.OutputChannel channel in Enum.GetValues<Vmm.Inputs.OutputChannel>()) Look($"output on {channel}", recording.Console.ReadBytes(recording.End, channel));
        using var inputs = new MemoryStream();
        foreach (LogRecord record in recording.ReadInputs()) inputs.Write(record.Data.Span);
        Look("inputs", inputs.ToArray());
        return places.ToString();
    }

    private static void LookThrough(string name, FrameTable frames, Action<string, ReadOnlySpan<byte>> look)
    {
        for (int i = 0; i < frames.Count; i++)
        {
            look($"{name}, metadata of frame {i}", frames.Meta(i));
            look($"{name}, frame {i}", frames.ReadPayload(i));
        }
    }
}
