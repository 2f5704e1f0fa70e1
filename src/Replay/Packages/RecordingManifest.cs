using System.Collections.Generic;
using System.Text.Json.Serialization;

namespace Replay.Packages;

/// <summary>manifest.json of a recording: everything about it that a person or a script may ask without a machine.</summary>
public sealed record RecordingManifest
{
    /// <summary>Version of the format; see docs/TRACE_FORMAT.md.</summary>
    public required int FormatVersion { get; init; }
    /// <summary>A GUID made from the parts' hashes.</summary>
    public required string Identity { get; init; }
    /// <summary>A command line, for people.</summary>
    public string RecordedFrom { get; init; } = "";
    public required ManifestMachine Machine { get; init; }
    public required IReadOnlyList<ManifestImage> Images { get; init; }
    public required ManifestEnd End { get; init; }
    public required IReadOnlyList<ManifestPart> Parts { get; init; }
    /// <summary>The first position; null: power-on. Format version 2 if it is there.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ManifestStart? Start { get; init; }
    /// <summary>Who vouches for all of it; null: nobody.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ManifestSignature? Signature { get; init; }
    /// <summary>Of a partial directory only: its parts are called NAME.N, as they were begun anew N times; null: never.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Generation { get; init; }
    /// <summary>Symbol files that it carries; null: none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<ManifestSymbols>? Symbols { get; init; }
    /// <summary>What was taken out of it; null: nothing. Format version 4 if it is there.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ManifestRedaction? Redaction { get; init; }
}

/// <summary>What was taken out of a recording.</summary>
/// <param name="What">A few words for each: "the symbol key", "a text".</param>
/// <param name="Holes">Positions that cannot be replayed any more, in ascending order.</param>
public sealed record ManifestRedaction(IReadOnlyList<string> What, IReadOnlyList<ManifestHole> Holes);

/// <param name="From">Instruction count of the last position before it.</param>
/// <param name="FromEvent">EventOrdinal of that position.</param>
/// <param name="To">Instruction count of the checkpoint behind it.</param>
/// <param name="ToEvent">EventOrdinal of that position.</param>
/// <param name="Why">A few words.</param>
public sealed record ManifestHole(ulong From, uint FromEvent, ulong To, uint ToEvent, string Why);

/// <summary>The machine's configuration, without its images.</summary>
public sealed record ManifestMachine
{
    public required int CpuCount { get; init; }
    public required ulong MemorySizeBytes { get; init; }
    /// <summary>A name of <see cref="Vmm.Platform.BootKind"/>.</summary>
    public required string Boot { get; init; }
    /// <summary>A name of <see cref="Vmm.Platform.ClockKind"/>.</summary>
    public required string Clock { get; init; }
    /// <summary>A name of <see cref="Vmm.Platform.DiskInterface"/>.</summary>
    public required string DiskInterface { get; init; }
    public required string CommandLine { get; init; }
    public required ulong? ChaosSeed { get; init; }
    /// <summary>A name of <see cref="Vmm.Platform.TurnPolicy"/>; null: Standard.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? TurnPolicy { get; init; }
    /// <summary>With the policy Forced: where turns are given, in rising order; null: nowhere.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<ManifestSwitch>? ForcedSwitches { get; init; }
    public required long StartTimeSeconds { get; init; }
}

/// <param name="InstructionCount">Where a turn is given.</param>
/// <param name="Cpu">To which vCPU.</param>
public sealed record ManifestSwitch(ulong InstructionCount, int Cpu);

/// <param name="Role">As in <see cref="Vmm.Platform.MachineImage"/>.</param>
/// <param name="Name">File name, for people; never used as a path.</param>
/// <param name="Part">The container entry that holds it.</param>
/// <param name="SizeBytes">Its size.</param>
/// <param name="Sha256">Lower-case hexadecimal.</param>
public sealed record ManifestImage(string Role, string Name, string Part, long SizeBytes, string Sha256);

/// <param name="Name">File name, for people; never used as a path.</param>
/// <param name="Part">The container entry that holds it.</param>
public sealed record ManifestSymbols(string Name, string Part);

/// <param name="InstructionCount">Of the first position.</param>
/// <param name="EventOrdinal">Of the first position.</param>
/// <param name="CutFrom">Identity of the recording that it was cut out of; empty: it is the last part of one that was never whole.</param>
public sealed record ManifestStart(ulong InstructionCount, uint EventOrdinal, string CutFrom);

/// <param name="InstructionCount">Of the last position.</param>
/// <param name="EventOrdinal">Of the last position.</param>
/// <param name="Outcome">A name of <see cref="Vmm.Platform.OutcomeKind"/>.</param>
/// <param name="Code">The outcome's code.</param>
/// <param name="Detail">The outcome's sentence.</param>
/// <param name="Recovered">The recorder did not finish.</param>
/// <param name="Digest">State digest at the last position, lower-case hexadecimal; empty when recovered.</param>
public sealed record ManifestEnd(ulong InstructionCount, uint EventOrdinal, string Outcome, uint Code, string Detail, bool Recovered,
    string Digest);

/// <param name="Algorithm">"ECDSA-P256-SHA256" or "RSA-PSS-SHA256".</param>
/// <param name="KeyId">SHA-256 of the public key (SubjectPublicKeyInfo), lower-case hexadecimal.</param>
/// <param name="DigestChain">The checkpoints' digests chained, lower-case hexadecimal: see docs/TRACE_FORMAT.md.</param>
/// <param name="Value">The signature in base64.</param>
public sealed record ManifestSignature(string Algorithm, string KeyId, string DigestChain, string Value);

/// <param name="Name">The container entry.</param>
/// <param name="SizeBytes">Its size.</param>
/// <param name="Sha256">Lower-case hexadecimal.</param>
public sealed record ManifestPart(string Name, long SizeBytes, string Sha256);
