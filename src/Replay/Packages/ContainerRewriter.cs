using System;
using System.Collections.Generic;
using System.IO;

namespace Replay.Packages;

/// <summary>Writes a container, or what holds one, beside its place and moves it there when it is whole.</summary>
internal static class ContainerRewriter
{
    /// <summary>What was there stays if it fails, and nothing else is left.</summary>
    /// <exception cref="IOException">It cannot be written, or was made by somebody else meanwhile and is not to be replaced.</exception>
    public static void Replace(string destination, Action<ZipContainerWriter> write, bool overwrite = true) => ReplaceFile(destination, temporary =>
    {
        using var container = new ZipContainerWriter(temporary);
        write(container);
        container.Finish();
    }, overwrite);

    /// <summary>The same of any file.</summary>
    /// <param name="destination">Its place.</param>
    /// <param name="write">Writes it at the path that it is given.</param>
    /// <param name="overwrite">It may be there already.</param>
    /// <exception cref="IOException">It cannot be written, or was made by somebody else meanwhile and is not to be replaced.</exception>
    public static void ReplaceFile(string destination, Action<string> write, bool overwrite = true)
    {
        string temporary = destination + ".tmp";
        try
        {
            write(temporary);
            File.Move(temporary, destination, overwrite);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>Copies parts as they are.</summary>
    /// <exception cref="RecordingFormatException">A part has another hash than the manifest says.</exception>
    public static List<ManifestPart> CopyParts(RecordingFile recording, ZipContainerWriter container, Predicate<string> isWanted, Action<long>? copied = null)
    {
        var parts = new List<ManifestPart>();
        foreach (ManifestPart part in recording.Manifest.Parts)
        {
            if (!isWanted(part.Name)) continue;
            using Stream content = recording.OpenPart(part.Name);
            string hash = Convert.ToHexStringLower(container.Add(part.Name, content, part.SizeBytes, copied));
            if (hash != part.Sha256) throw recording.Damaged($"part '{part.Name}' has another hash than the manifest says");
            parts.Add(part);
        }
        return parts;
    }
}
