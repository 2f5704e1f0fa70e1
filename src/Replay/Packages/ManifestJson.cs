using System;
using System.Collections.Generic;
using System.Linq;
using System.Text.Json;
using System.Text.Json.Serialization;
using Replay.Redaction;
using Vmm.Platform;
using Vmm.Time;

namespace Replay.Packages;

[JsonSourceGenerationOptions(WriteIndented = true, NewLine = "\n", PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, MaxDepth = 8)]
[JsonSerializable(typeof(RecordingManifest))]
internal sealed partial class ManifestJsonContext : JsonSerializerContext;

/// <summary>Manifests as JSON, and machine configurations as manifests.</summary>
internal static class ManifestJson
{
    /// <summary>What is written; see docs/TRACE_FORMAT.md for what each version brought.</summary>
    public const int FormatVersion = 3;
    /// <summary>What is written where it is needed, and read.</summary>
    public const int NewestFormatVersion = 4;
    private const int OldestFormatVersion = 1;
    private const int MaxCpuCount = 8;
    private const ulong MaxMemorySizeBytes = 16UL << 30, MemoryUnit = 1UL << 20;

    public static byte[] Write(RecordingManifest manifest) =>
        JsonSerializer.SerializeToUtf8Bytes(manifest, ManifestJsonContext.Default.RecordingManifest);

    /// <exception cref="RecordingFormatException">Not a manifest of this version.</exception>
    public static RecordingManifest Read(byte[] json, string fileName)
    {
        RecordingManifest? manifest;
        try
        {
            manifest = JsonSerializer.Deserialize(json, ManifestJsonContext.Default.RecordingManifest);
        }
        catch (JsonException e)
        {
            throw new RecordingFormatException($"{fileName} is damaged: part 'manifest.json', line {e.LineNumber + 1}: it is not the JSON of a manifest");
        }
        if (manifest is null || manifest.Machine is null || manifest.Images is null || manifest.End is null || manifest.Parts is null)
            throw new RecordingFormatException($"{fileName} is damaged: part 'manifest.json' is incomplete");
        if (manifest.FormatVersion is < OldestFormatVersion or > NewestFormatVersion)
        {
            throw new RecordingFormatException($"{fileName} has format version {manifest.FormatVersion}; this program reads versions {OldestFormatVersion} to {NewestFormatVersion}: "
                + (manifest.FormatVersion > NewestFormatVersion ? "a newer ttvm made it, and is needed to open it" : "record it again, or open it with the ttvm that made it"));
        }
        if (manifest.Start is not null && manifest.FormatVersion < 2)
            throw new RecordingFormatException($"{fileName} is damaged: part 'manifest.json': format version 1 begins at power-on");
        if (manifest.Redaction is { } redaction && (manifest.FormatVersion < NewestFormatVersion || redaction.What is null || redaction.Holes is null))
            throw new RecordingFormatException($"{fileName} is damaged: part 'manifest.json': what was taken out of it is not said as it should be");
        return manifest;
    }

    /// <summary>The version to write a manifest with.</summary>
    public static int VersionOf(RecordingManifest manifest) => manifest.Redaction is null ? FormatVersion : NewestFormatVersion;

    /// <summary>Holes as a manifest has them, of a stretch.</summary>
    /// <param name="redaction">null: there are none.</param>
    /// <param name="start">The stretch's first position.</param>
    /// <param name="end">Its last one.</param>
    public static ManifestRedaction? Cut(ManifestRedaction? redaction, Position start, Position end) => redaction is null ? null : redaction with
    {
        Holes = [.. redaction.Holes.Where(hole => FromOf(hole) >= start && FromOf(hole) < end)],
    };

    /// <summary>The holes that a manifest has; null: they are not possible.</summary>
    /// <param name="manifest">The manifest.</param>
    /// <param name="isCheckpoint">Whether there is one at a position.</param>
    public static RecordingHoles? HolesOf(RecordingManifest manifest, Predicate<Position> isCheckpoint)
    {
        Position last = StartOf(manifest);
        var holes = new List<RecordingHole>();
        foreach (ManifestHole? hole in manifest.Redaction?.Holes ?? [])
        {
            if (hole?.Why is null) return null;
            var one = new RecordingHole(FromOf(hole), new Position(hole.To, hole.ToEvent), hole.Why);
            if (one.From < last || one.To <= one.From || !isCheckpoint(one.To)) return null;
            last = one.To;
            holes.Add(one);
        }
        return new RecordingHoles([.. holes]);
    }

    private static Position FromOf(ManifestHole hole) => new(hole.From, hole.FromEvent);

    /// <summary>Where the recording begins.</summary>
    public static Position StartOf(RecordingManifest manifest) => manifest.Start is { } start ? new Position(start.InstructionCount, start.EventOrdinal) : Position.Start;

    public static ManifestMachine Describe(MachineConfiguration configuration) => new()
    {
        CpuCount = configuration.CpuCount,
        MemorySizeBytes = configuration.MemorySizeBytes,
        Boot = configuration.Boot.ToString(),
        Clock = configuration.Clock.ToString(),
        DiskInterface = configuration.DiskInterface.ToString(),
        CommandLine = configuration.CommandLine,
        ChaosSeed = configuration.ChaosSeed,
        TurnPolicy = configuration.TurnPolicy == TurnPolicy.Standard ? null : configuration.TurnPolicy.ToString(),
        ForcedSwitches = configuration.ForcedSwitches.Count == 0 ? null
            : [.. configuration.ForcedSwitches.Select(static one => new ManifestSwitch(one.InstructionCount, one.CpuIndex))],
        StartTimeSeconds = configuration.StartTimeSeconds,
    };

    /// <summary>The configuration that a manifest describes, its values checked.</summary>
    public static MachineConfiguration Configure(RecordingManifest manifest, IReadOnlyList<MachineImage> images, string fileName)
    {
        ManifestMachine machine = manifest.Machine;
        RecordingFormatException Bad(string what) => new($"{fileName} is damaged: part 'manifest.json': {what}");
        if (machine.CpuCount is < 1 or > MaxCpuCount) throw Bad($"{machine.CpuCount} vCPUs are not possible");
        if (machine.MemorySizeBytes is < MemoryUnit or > MaxMemorySizeBytes || machine.MemorySizeBytes % MemoryUnit != 0)
            throw Bad($"{machine.MemorySizeBytes} bytes of memory are not possible");
        TurnPolicy policy = machine.TurnPolicy is null ? TurnPolicy.Standard : ParseName<TurnPolicy>(machine.TurnPolicy) ?? throw Bad("the way in which vCPUs take turns is unknown");
        ForcedSwitch[] switches = machine.ForcedSwitches is null ? []
            : [.. machine.ForcedSwitches.Select(one => one is null ? throw Bad("a forced switch is missing") : new ForcedSwitch(one.InstructionCount, one.Cpu))];
        if (policy != TurnPolicy.Standard && machine.ChaosSeed is not null) throw Bad("chaos and another way to take turns exclude each other");
        if (policy != TurnPolicy.Forced && switches.Length > 0) throw Bad("it has forced switches, but does not take turns by them");
        if (!ForcedSwitch.AreValid(switches, machine.CpuCount)) throw Bad("the forced switches are not in order, or are to vCPUs that do not exist");
        return new MachineConfiguration
        {
            CpuCount = machine.CpuCount,
            MemorySizeBytes = machine.MemorySizeBytes,
            Boot = ParseName<BootKind>(machine.Boot) ?? throw Bad("the kind of boot is unknown"),
            Clock = ParseName<ClockKind>(machine.Clock) ?? throw Bad("the kind of clock is unknown"),
            DiskInterface = ParseName<DiskInterface>(machine.DiskInterface) ?? throw Bad("the kind of disk is unknown"),
            CommandLine = machine.CommandLine ?? "",
            ChaosSeed = machine.ChaosSeed,
            TurnPolicy = policy,
            ForcedSwitches = switches,
            StartTimeSeconds = machine.StartTimeSeconds,
            Images = images,
            Boots = manifest.Start is null,
        };
    }

    /// <summary>A name of an enumeration, exactly; not a number.</summary>
    public static T? ParseName<T>(string? name) where T : struct, Enum
    {
        int index = Array.IndexOf(Enum.GetNames<T>(), name);
        return index < 0 ? null : Enum.GetValues<T>()[index];
    }
}
