using System;
using System.Collections.Generic;
using System.IO;
using Vmm.Platform;

namespace Cli.Hosting;

/// <summary>Reads the files that a machine is built from.</summary>
internal static class MachineImages
{
    public static MachineImage Read(string role, string path)
    {
        if (Directory.Exists(path)) throw CommandException.BadFile($"{path} is a directory; the {Noun(role)} must be a file");
        if (!File.Exists(path)) throw CommandException.BadFile($"{path} does not exist: there is no such {Noun(role)}");
        long sizeBytes = new FileInfo(path).Length;
        if (sizeBytes == 0) throw CommandException.BadFile($"{path} is empty: a {Noun(role)} has content");
        if (sizeBytes > Array.MaxLength) throw CommandException.BadFile($"{path} has {sizeBytes} bytes; a {Noun(role)} can have at most {Array.MaxLength}");
        return new MachineImage(role, Path.GetFileName(path), File.ReadAllBytes(path));
    }

    public static List<MachineImage> ReadDisks(string[] paths)
    {
        if (paths.Length > 4) throw CommandException.Usage("--disk: at most 4 disks");
        var images = new List<MachineImage>();
        foreach (string path in paths) images.Add(Read($"disk{images.Count}", path));
        return images;
    }

    private static string Noun(string role) => role switch
    {
        "kernel" => "kernel", "initrd" => "initrd", "bios" => "BIOS image", _ => "disk image",
    };
}
