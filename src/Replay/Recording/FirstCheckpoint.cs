using System.Collections.Generic;
using System.IO;
using Replay.Checkpoints;
using Replay.Packages;
using Vmm.Platform;

namespace Replay.Recording;

/// <summary>
/// The checkpoint at the start, made again. The recorder's machine runs while that checkpoint is still being written: whoever is killed soon leaves a log without it. It is a function of
/// the configuration and the images alone, which are there before anything runs.
/// </summary>
internal static class FirstCheckpoint
{
    /// <summary>Whether a partial directory lacks it.</summary>
    public static bool IsMissing(string partialDirectory, RecordingManifest manifest)
    {
        string path = Path.Combine(partialDirectory, PartName.OfGeneration(PartName.Checkpoints, manifest.Generation));
        if (!File.Exists(path) || !File.Exists(Path.Combine(partialDirectory, PartName.OfGeneration(PartName.Pages, manifest.Generation)))) return true;
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1);
        // The memory table comes first.
        return FrameTable.Scan(new PartReader(stream.SafeFileHandle, partialDirectory, PartName.Checkpoints, stream.Length)).Count < 2;
    }

    /// <summary>Begins checkpoints and pages anew, with this checkpoint.</summary>
    /// <exception cref="RecordingFormatException">The images do not make a machine.</exception>
    public static void Remake(string partialDirectory, RecordingManifest manifest)
    {
        if (manifest.Start is not null) throw new RecordingFormatException($"{partialDirectory} is damaged: its first checkpoint is missing");
        var images = new List<MachineImage>();
        foreach (ManifestImage image in manifest.Images)
        {
            string path = Path.Combine(partialDirectory, PartName.IsImageRole(image.Role) ? PartName.Image(image.Role) : "images/unknown");
            if (!File.Exists(path)) throw new RecordingFormatException($"{partialDirectory} is not a whole unfinished recording: image '{image.Role}' is missing");
            images.Add(new MachineImage(image.Role, image.Name, File.ReadAllBytes(path)));
        }
        string checkpoints = Path.Combine(partialDirectory, PartName.Checkpoints), pages = Path.Combine(partialDirectory, PartName.Pages);
        File.Delete(checkpoints);
        File.Delete(pages);
        var silence = new LateInputSource();
        try
        {
            using var machine = new Machine(ManifestJson.Configure(manifest, images, partialDirectory), silence, silence);
            using FrameWriter checkpointFrames = new(checkpoints), pageFrames = new(pages);
            using var writer = new CheckpointWriter(MemoryLayout.Of(machine), checkpointFrames, pageFrames);
            new CheckpointCapture(machine, writer).Take(0, 0);
            writer.Complete();
        }
        catch (BootImageException e)
        {
            throw new RecordingFormatException($"{partialDirectory} is damaged: its images do not make a machine: {e.Message}");
        }
    }
}
