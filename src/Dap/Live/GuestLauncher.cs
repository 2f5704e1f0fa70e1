using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using Dap.Protocol;
using Microsoft.Extensions.Logging;
using Replay.Recording;
using Vmm.Platform;

namespace Dap.Live;

/// <summary>Makes a living guest of what launch.json says.</summary>
internal static class GuestLauncher
{
    /// <summary>Instructions between checkpoints: closer than for a plain recording, as a user goes back from wherever the guest stops.</summary>
    private const ulong CheckpointInterval = 4_000_000;
    private const long CheckpointBudgetBytes = 1L << 30;
    private const int BootSignatureOffset = 510, LinuxMagicOffset = 0x202, HeaderSizeBytes = 0x206;

    /// <exception cref="RequestException">It makes no guest.</exception>
    public static LiveGuest Launch(string program, TtvmLaunchArguments arguments, IHostServices host, EngineKind engine, ILoggerFactory loggers)
    {
        if (arguments.At is not null) throw Visible("'at' is for recordings: a guest that is started begins at its start");
        MachineConfiguration configuration;
        try
        {
            configuration = Setup(program, arguments).Configure() with { Engine = engine };
        }
        catch (MachineSetupException e)
        {
            throw Visible(e.Message);
        }
        string path = arguments.Recording ?? FreePath(program);
        var input = new LiveInput(new InteractiveInput());
        try
        {
            var recorder = new Recorder(configuration, input, host, new RecorderOptions
            {
                Path = path, Overwrite = arguments.Recording is not null, CheckpointInterval = CheckpointInterval, CheckpointBudgetBytes = CheckpointBudgetBytes,
                RecordedFrom = $"debugging {program}", Loggers = loggers,
            });
            return new LiveGuest(new LiveRecording(recorder), input);
        }
        catch (BootImageException e)
        {
            throw Visible($"{program} cannot be started: {e.Message}");
        }
        catch (RecordingException e)
        {
            throw Visible($"{e.Message}: say with 'recording' in launch.json where to record to");
        }
        catch (Vmm.Devices.DiskImageException e)
        {
            throw Visible(e.Message);
        }
    }

    private static MachineSetup Setup(string program, TtvmLaunchArguments arguments)
    {
        bool isDisk = arguments.Bios is not null || IsDisk(program);
        IReadOnlyList<string> more = arguments.Disks ?? [];
        return new MachineSetup
        {
            Kernel = isDisk ? null : program, Disks = isDisk ? [program, .. more] : more, Bios = arguments.Bios, Initrd = arguments.Initrd,
            CommandLine = arguments.Append ?? "", CpuCount = (int)Math.Clamp(arguments.Cpus ?? 1, int.MinValue, int.MaxValue), Memory = arguments.Memory ?? MachineSetup.DefaultMemory,
            DiskInterface = Choice("diskInterface", arguments.DiskInterface, "ata", "virtio") ? DiskInterface.Virtio : DiskInterface.Ata,
            Clock = Choice("clock", arguments.Clock, "virtual", "host") ? ClockKind.Host : ClockKind.Virtual, ChaosSeed = arguments.Chaos,
            NameOf = static option => option switch { "kernel" => "a kernel as 'program'", "disk" => "'disks'", _ => $"'{option}'" },
        };
    }

    // True for the second.
    private static bool Choice(string name, string? value, string first, string second)
    {
        if (value is null || value == first) return false;
        return value == second ? true : throw Visible($"'{name}' in launch.json is '{value}': write \"{first}\" or \"{second}\"");
    }

    // A boot sector's signature is also at the end of a Linux kernel's first sector, whose header says what it is (Documentation/arch/x86/boot.rst).
    private static bool IsDisk(string path)
    {
        using FileStream file = File.OpenRead(path);
        Span<byte> header = stackalloc byte[HeaderSizeBytes];
        int count = file.ReadAtLeast(header, header.Length, throwOnEndOfStream: false);
        if (count < BootSignatureOffset + 2 || header.StartsWith("\x7f"u8)) return false;
        bool isBootable = header[BootSignatureOffset] == 0x55 && header[BootSignatureOffset + 1] == 0xAA;
        return isBootable && (count < HeaderSizeBytes || !header[LinuxMagicOffset..].StartsWith("HdrS"u8));
    }

    // Beside the program; an earlier recording is never lost.
    private static string FreePath(string program)
    {
        string stem = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(program))!, Path.GetFileNameWithoutExtension(program));
        string path = stem + ".ttvm";
        for (int i = 2; File.Exists(path) || Directory.Exists(path) || Directory.Exists(path + ".partial"); i++)
            path = string.Create(CultureInfo.InvariantCulture, $"{stem}-{i}.ttvm");
        return path;
    }

    private static RequestException Visible(string message) => new(message) { ShowUser = true };
}
