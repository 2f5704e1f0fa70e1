using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using Replay.Exploration;
using Vmm.Platform;

namespace Replay.Recording;

/// <summary>A machine as a user asks for it, on a command line or in launch.json: files that have not been read and numbers that have not been checked.</summary>
public sealed record MachineSetup
{
    public const string DefaultMemory = "256M";
    private const int MaximumCpuCount = 8, MaximumDiskCount = 4;
    private const ulong MinimumMemory = 1UL << 20, MaximumMemory = 16UL << 30;

    public string? Kernel { get; init; }
    public string? Initrd { get; init; }
    public string? Bios { get; init; }
    public IReadOnlyList<string> Disks { get; init; } = [];
    public DiskInterface DiskInterface { get; init; }
    public int CpuCount { get; init; } = 1;
    /// <summary>256M, 1G, 65536K, 268435456.</summary>
    public string Memory { get; init; } = DefaultMemory;
    /// <summary>The kernel's command line.</summary>
    public string CommandLine { get; init; } = "";
    public ClockKind Clock { get; init; }
    public ulong? ChaosSeed { get; init; }
    /// <summary>A file of forced switches; null: none are forced.</summary>
    public string? Schedule { get; init; }

    /// <summary>What the user calls an option ("cpus" is "--cpus" on a command line): messages name it so.</summary>
    public Func<string, string> NameOf { get; init; } = static option => option;

    /// <summary>Checks it, and reads the files.</summary>
    /// <exception cref="MachineSetupException">It makes no machine.</exception>
    public MachineConfiguration Configure()
    {
        if (Kernel is not null && Bios is not null) throw Wrong($"{NameOf("kernel")} and {NameOf("bios")} exclude each other: a BIOS finds its kernel on a disk");
        if (Kernel is null && Bios is null && Disks.Count == 0) throw Wrong($"nothing to boot: give {NameOf("kernel")}, {NameOf("disk")} or {NameOf("bios")}");
        if (Kernel is null && (Initrd is not null || CommandLine.Length > 0))
            throw Wrong($"{NameOf("initrd")} and {NameOf("append")} belong to a kernel: give {NameOf("kernel")} as well");
        if (CpuCount is < 1 or > MaximumCpuCount) throw Wrong($"{NameOf("cpus")} {CpuCount}: a machine has 1 to {MaximumCpuCount} vCPUs");
        if (Schedule is not null && ChaosSeed is not null) throw Wrong($"{NameOf("schedule")} and {NameOf("chaos")} exclude each other: a schedule says whose turn it is");
        ulong memory = ParseMemory();
        if (Disks.Count > MaximumDiskCount) throw Wrong($"{NameOf("disk")}: at most {MaximumDiskCount} disks");

        var images = new List<MachineImage>();
        if (Kernel is not null) images.Add(ReadImage("kernel", Kernel));
        if (Initrd is not null) images.Add(ReadImage("initrd", Initrd));
        if (Bios is not null) images.Add(ReadImage("bios", Bios));
        for (int i = 0; i < Disks.Count; i++) images.Add(ReadImage($"disk{i}", Disks[i]));
        return new MachineConfiguration
        {
            CpuCount = CpuCount, MemorySizeBytes = memory, Clock = Clock, DiskInterface = DiskInterface, CommandLine = CommandLine, ChaosSeed = ChaosSeed, Images = images,
            TurnPolicy = Schedule is null ? TurnPolicy.Standard : TurnPolicy.Forced, ForcedSwitches = Schedule is null ? [] : ReadSchedule(Schedule),
            Boot = Kernel is not null ? BootKind.Kernel : Bios is not null ? BootKind.Bios : BootKind.BootSector,
        };
    }

    /// <summary>Reads a file that a machine is built from.</summary>
    /// <exception cref="MachineSetupException">There is no such file, or it cannot be an image.</exception>
    public static MachineImage ReadImage(string role, string path)
    {
        string noun = role switch { "kernel" => "kernel", "initrd" => "initrd", "bios" => "BIOS image", _ => "disk image" };
        if (Directory.Exists(path)) throw BadFile($"{path} is a directory; the {noun} must be a file");
        if (!File.Exists(path)) throw BadFile($"{path} does not exist: there is no such {noun}");
        long sizeBytes = new FileInfo(path).Length;
        if (sizeBytes == 0) throw BadFile($"{path} is empty: a {noun} has content");
        if (sizeBytes > Array.MaxLength) throw BadFile($"{path} has {sizeBytes} bytes; a {noun} can have at most {Array.MaxLength}");
        return new MachineImage(role, Path.GetFileName(path), File.ReadAllBytes(path));
    }

    private IReadOnlyList<ForcedSwitch> ReadSchedule(string path)
    {
        if (!File.Exists(path)) throw BadFile($"{path} does not exist: there is no such schedule");
        try
        {
            IReadOnlyList<ForcedSwitch> switches = ScheduleFile.Parse(File.ReadAllText(path), path);
            foreach (ForcedSwitch one in switches)
                if (one.CpuIndex >= CpuCount) throw BadFile($"{path} gives vCPU {one.CpuIndex} a turn, but the machine has {CpuCount}: give {NameOf("cpus")} as well");
            return switches;
        }
        catch (ScheduleFileException e)
        {
            throw BadFile(e.Message);
        }
    }

    /// <summary>A size in bytes: 65536K, 256M, 1G, 268435456.</summary>
    public static bool TryParseSize(string text, out ulong value)
    {
        int shift = text.Length == 0 ? 0 : char.ToUpperInvariant(text[^1]) switch { 'K' => 10, 'M' => 20, 'G' => 30, _ => 0 };
        string digits = shift == 0 ? text : text[..^1];
        if (!ulong.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out value) || value > ulong.MaxValue >> shift) return false;
        value <<= shift;
        return true;
    }

    private ulong ParseMemory()
    {
        if (!TryParseSize(Memory, out ulong value)) throw Wrong($"{NameOf("memory")}: '{Memory}' is not a size: write 256M or 1G");
        if (value is < MinimumMemory or > MaximumMemory || value % MinimumMemory != 0)
            throw Wrong($"{NameOf("memory")} {Memory}: a machine has 1M to 16G of memory, in whole MiB");
        return value;
    }

    private static MachineSetupException Wrong(string message) => new(message, isFile: false);

    private static MachineSetupException BadFile(string message) => new(message, isFile: true);
}

/// <summary>What the user asks for makes no machine; the message is one sentence for people.</summary>
public sealed class MachineSetupException(string message, bool isFile) : Exception(message)
{
    /// <summary>A file is at fault; else an option.</summary>
    public bool IsFile => isFile;
}
