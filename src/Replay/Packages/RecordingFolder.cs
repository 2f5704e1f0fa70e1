using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Text;
using Replay.Checkpoints;
using Replay.Log;

namespace Replay.Packages;

/// <summary>A recording's parts as files of a directory, to look at and to put together again. Both ways give the same bytes.</summary>
public static class RecordingFolder
{
    /// <summary>What <see cref="Unpack"/> writes for people; <see cref="Pack"/> does not read it.</summary>
    public const string ListingName = "listing.txt";
    private const int MaximumShownBytes = 32;

    /// <summary>Writes manifest, parts and a listing.</summary>
    /// <param name="recording">It is not changed.</param>
    /// <param name="directory">It does not exist yet.</param>
    /// <param name="progress">0..1.</param>
    /// <exception cref="RecordingFormatException">The recording is damaged; the directory is then not whole.</exception>
    /// <exception cref="IOException">The directory exists or cannot be written.</exception>
    public static void Unpack(RecordingFile recording, string directory, IProgress<double>? progress = null)
    {
        if (Directory.Exists(directory) || File.Exists(directory)) throw new IOException($"{directory} exists already");
        foreach (ManifestPart part in recording.Manifest.Parts)
            if (!PartName.IsFileName(part.Name)) throw recording.Damaged("it has a part of an unknown name");
        Directory.CreateDirectory(directory);
        int done = 0;
        foreach (ManifestPart part in recording.Manifest.Parts)
        {
            Copy(recording, part.Name, directory);
            progress?.Report((double)++done / recording.Manifest.Parts.Count);
        }
        using (var listing = new StreamWriter(Path.Combine(directory, ListingName))) WriteListing(recording, listing);
        // Last: what has no manifest is not whole.
        Copy(recording, PartName.Manifest, directory);
    }

    /// <summary>Makes a recording of such a directory.</summary>
    /// <param name="directory">As <see cref="Unpack"/> wrote it.</param>
    /// <param name="destination">Where to write the recording.</param>
    /// <param name="overwrite">Replace an existing file.</param>
    /// <exception cref="RecordingFormatException">A part is missing or was changed.</exception>
    /// <exception cref="IOException">The destination exists or cannot be written.</exception>
    public static void Pack(string directory, string destination, bool overwrite)
    {
        string path = Path.Combine(directory, PartName.Manifest);
        if (!File.Exists(path)) throw new RecordingFormatException($"{directory} is not an unpacked recording: it has no {PartName.Manifest}");
        if (File.Exists(destination) && !overwrite) throw new IOException($"{destination} exists already");
        byte[] bytes = File.ReadAllBytes(path);
        RecordingManifest manifest = ManifestJson.Read(bytes, directory);
        if (manifest.Parts.Count == 0) throw new RecordingFormatException($"{directory} is a recording that was not finished: recover it first");
        ContainerRewriter.Replace(destination, container =>
        {
            foreach (ManifestPart part in manifest.Parts)
            {
                if (part?.Name is null || !PartName.IsFileName(part.Name)) throw new RecordingFormatException($"{directory} is damaged: its manifest names an unknown part");
                string file = Path.Combine(directory, part.Name);
                if (!File.Exists(file)) throw new RecordingFormatException($"{directory} is not a whole recording: '{part.Name}' is missing");
                using FileStream content = File.OpenRead(file);
                if (content.Length != part.SizeBytes || Convert.ToHexStringLower(container.Add(part.Name, content, content.Length)) != part.Sha256)
                    throw new RecordingFormatException($"{directory} is damaged: '{part.Name}' is not what the manifest says: it was changed");
            }
            container.Add(PartName.Manifest, bytes);
        });
    }

    private static void Copy(RecordingFile recording, string name, string directory)
    {
        string path = Path.Combine(directory, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using Stream content = recording.OpenPart(name);
        using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write);
        content.CopyTo(file);
    }

    private static void WriteListing(RecordingFile recording, StreamWriter output)
    {
        output.WriteLine($"recording {recording.Identity}: positions {recording.Start} to {recording.End}, {recording.Outcome.Kind}");
        output.WriteLine("\ncheckpoints: position, guest nanoseconds, pages written since the one before, state digest");
        foreach (CheckpointInfo one in recording.Checkpoints)
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {one.Index,5} {one.Position,-16} {one.GuestNanoseconds,14} {one.DirtyPageCount,8} {one.Digest}"));
        output.WriteLine("\nlog: position, what happened, unit, value, bytes");
        foreach (LogRecord record in recording.Log.ReadAll())
        {
            if (record.Kind == LogRecordKind.Digest) continue;
            string what = Enum.IsDefined(record.Kind) ? record.Kind.ToString() : ((Vmm.Inputs.InputKind)record.Kind).ToString();
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {record.At,-16} {what,-12} {record.Unit,3} {record.Value,14} {Shown(record.Data.Span)}"));
        }
    }

    private static string Shown(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder();
        foreach (byte b in bytes[..Math.Min(bytes.Length, MaximumShownBytes)])
            if (b is >= 0x20 and < 0x7F and not (byte)'\\') text.Append((char)b);
            else text.Append(CultureInfo.InvariantCulture, $"\\x{b:x2}");
        if (bytes.Length > MaximumShownBytes) text.Append(CultureInfo.InvariantCulture, $"... ({bytes.Length} bytes)");
        return text.ToString();
    }
}
