using System.Collections.Generic;
using System.Text.Json.Serialization;

namespace Dap.Protocol;

/// <summary>What launch and attach both say about how to debug.</summary>
internal interface IDebugArguments
{
    IReadOnlyList<string>? Symbols { get; }
    IReadOnlyDictionary<string, string>? SourceMap { get; }
    IReadOnlyList<string>? Layouts { get; }
    IReadOnlyList<string>? Printers { get; }
    bool? StepFollowsVcpu { get; }
    string? SteppingGranularity { get; }
    bool? AllowCalls { get; }
}

/// <summary>Arguments of <c>launch</c>. The protocol leaves them to the debug adapter.</summary>
public sealed record TtvmLaunchArguments : LaunchRequestArguments, IDebugArguments
{
    /// <summary>A recording, NAME.ttvm, which is replayed; or a kernel or a disk, which is started and recorded.</summary>
    [JsonPropertyName("program")] public string? Program { get; init; }
    /// <summary>Where to begin in a recording: a position, a percentage, start or end. Default: start.</summary>
    [JsonPropertyName("at")] public string? At { get; init; }
    /// <summary>Stand there; else run to the first breakpoint. Default: true for a recording, which waits for ever, false for a guest that is started.</summary>
    [JsonPropertyName("stopOnEntry")] public bool? StopOnEntry { get; init; }
    /// <summary>ELF files with symbols and lines, a path or several; the recording's own kernel needs not be named.</summary>
    [JsonPropertyName("symbols"), JsonConverter(typeof(OneOrMoreConverter))] public IReadOnlyList<string>? Symbols { get; init; }
    /// <summary>Where sources are: what their paths begin with, and what that is here.</summary>
    [JsonPropertyName("sourceMap")] public IReadOnlyDictionary<string, string>? SourceMap { get; init; }
    /// <summary>Files that declare printers: how values of a type are shown. Those beside the recording and in the current folder need not be named.</summary>
    [JsonPropertyName("printers")] public IReadOnlyList<string>? Printers { get; init; }
    /// <summary>Calls of functions in expressions are run, in a diversion; else (default) only by the console's command <c>call</c>.</summary>
    [JsonPropertyName("allowCalls")] public bool? AllowCalls { get; init; }
    /// <summary>Steps stay on their vCPU, whatever it runs; else (default) in their task, which other vCPUs may go on with.</summary>
    [JsonPropertyName("stepFollowsVcpu")] public bool? StepFollowsVcpu { get; init; }
    /// <summary>What steps go by whose request names no granularity, or <c>statement</c>: <c>line</c> (default) or <c>statement</c>.</summary>
    [JsonPropertyName("steppingGranularity")] public string? SteppingGranularity { get; init; }
    /// <summary>Files that declare layouts of locks.</summary>
    [JsonPropertyName("layouts")] public IReadOnlyList<string>? Layouts { get; init; }

    // What follows is for guests that are started.

    /// <summary>The recording to make; one of that name is replaced. Default: the program's name with .ttvm, or with -2.ttvm and so on when there is one.</summary>
    [JsonPropertyName("recording")] public string? Recording { get; init; }
    /// <summary>vCPUs, 1 to 8. Default: 1.</summary>
    [JsonPropertyName("cpus")] public long? Cpus { get; init; }
    /// <summary>Memory: 256M, 1G. Default: 256M.</summary>
    [JsonPropertyName("memory")] public string? Memory { get; init; }
    /// <summary>The kernel's command line.</summary>
    [JsonPropertyName("append")] public string? Append { get; init; }
    /// <summary>The kernel's initial RAM disk.</summary>
    [JsonPropertyName("initrd")] public string? Initrd { get; init; }
    /// <summary>Disk images; they are never written to.</summary>
    [JsonPropertyName("disks")] public IReadOnlyList<string>? Disks { get; init; }
    /// <summary>How the guest sees its disks: ata (default) or virtio.</summary>
    [JsonPropertyName("diskInterface")] public string? DiskInterface { get; init; }
    /// <summary>A ROM image to start at the reset vector; the program is then a disk.</summary>
    [JsonPropertyName("bios")] public string? Bios { get; init; }
    /// <summary>virtual (default) or host.</summary>
    [JsonPropertyName("clock")] public string? Clock { get; init; }
    /// <summary>Seed of the chaos scheduler. Default: fixed turns.</summary>
    [JsonPropertyName("chaos")] public ulong? Chaos { get; init; }
}

/// <summary>Arguments of <c>attach</c>, to a guest that <c>ttvm record --dap</c> runs.</summary>
public sealed record TtvmAttachArguments : AttachRequestArguments, IDebugArguments
{
    /// <summary>The connection itself is the client's affair: a port of the loopback interface.</summary>
    [JsonPropertyName("port")] public long? Port { get; init; }
    /// <summary>The same, a pipe.</summary>
    [JsonPropertyName("pipe")] public string? Pipe { get; init; }
    /// <summary>Files that declare layouts of locks.</summary>
    [JsonPropertyName("layouts")] public IReadOnlyList<string>? Layouts { get; init; }
    /// <summary>Stop the guest. Default: false, it runs on.</summary>
    [JsonPropertyName("stopOnEntry")] public bool? StopOnEntry { get; init; }
    /// <summary>ELF files with symbols and lines, a path or several; the recording's own kernel needs not be named.</summary>
    [JsonPropertyName("symbols"), JsonConverter(typeof(OneOrMoreConverter))] public IReadOnlyList<string>? Symbols { get; init; }
    /// <summary>Where sources are: what their paths begin with, and what that is here.</summary>
    [JsonPropertyName("sourceMap")] public IReadOnlyDictionary<string, string>? SourceMap { get; init; }
    /// <summary>Files that declare printers: how values of a type are shown. Those beside the recording and in the current folder need not be named.</summary>
    [JsonPropertyName("printers")] public IReadOnlyList<string>? Printers { get; init; }
    /// <summary>Calls of functions in expressions are run, in a diversion; else (default) only by the console's command <c>call</c>.</summary>
    [JsonPropertyName("allowCalls")] public bool? AllowCalls { get; init; }
    /// <summary>Steps stay on their vCPU, whatever it runs; else (default) in their task, which other vCPUs may go on with.</summary>
    [JsonPropertyName("stepFollowsVcpu")] public bool? StepFollowsVcpu { get; init; }
    /// <summary>What steps go by whose request names no granularity, or <c>statement</c>: <c>line</c> (default) or <c>statement</c>.</summary>
    [JsonPropertyName("steppingGranularity")] public string? SteppingGranularity { get; init; }
}

/// <summary>Arguments of <c>ttvm/radix</c>.</summary>
public sealed record TtvmRadixArguments
{
    /// <summary>10 or 16: how numbers are shown from now on.</summary>
    [JsonPropertyName("radix")] public required long Radix { get; init; }
}

/// <summary>Arguments of <c>ttvm/type</c>.</summary>
public sealed record TtvmTypeArguments
{
    /// <summary>What is typed, for the guest's first serial port.</summary>
    [JsonPropertyName("text")] public required string Text { get; init; }
}

/// <summary>For requests that take no arguments: whatever comes is ignored.</summary>
public sealed record TtvmNoArguments;

/// <summary>Arguments of <c>ttvm/seek</c>.</summary>
public sealed record TtvmSeekArguments
{
    /// <summary>"123456", "123456:2", "50%", "start" or "end".</summary>
    [JsonPropertyName("position")] public required string Position { get; init; }
}

/// <summary>Arguments of <c>ttvm/lastWrite</c> and <c>ttvm/nextWrite</c>.</summary>
public sealed record TtvmWriteArguments
{
    /// <summary>An expression: a number, a register, memory such as <c>qword[rsp]</c> (then its address and size are meant), or <c>phys:0x1000</c>.</summary>
    [JsonPropertyName("address")] public required string Address { get; init; }
    /// <summary>How many bytes are looked at. Default: those of the expression, or 1.</summary>
    [JsonPropertyName("bytes")] public long? Bytes { get; init; }
}

/// <summary>Arguments of <c>ttvm/reverseStepIn</c> and <c>ttvm/reverseStepOut</c>.</summary>
public sealed record TtvmThreadArguments
{
    [JsonPropertyName("threadId")] public required long ThreadId { get; init; }
    /// <summary>"instruction", "line" or "statement", as for the protocol's own steps. Default: a line where the code has lines.</summary>
    [JsonPropertyName("granularity")] public string? Granularity { get; init; }
}

/// <summary>Answer to <c>ttvm/position</c>, <c>ttvm/seek</c> and <c>ttvm/returnToRecording</c>; body of the event <c>ttvm/moved</c>, which follows each <c>stopped</c>.</summary>
public sealed record TtvmPosition
{
    /// <summary>Where the session stands.</summary>
    [JsonPropertyName("position")] public required string Position { get; init; }
    /// <summary>The same as a part of the whole, 0 to 100.</summary>
    [JsonPropertyName("percent")] public required double Percent { get; init; }
    /// <summary>The recording's last position.</summary>
    [JsonPropertyName("end")] public required string End { get; init; }
    /// <summary>The session looks at a throw-away copy that was changed.</summary>
    [JsonPropertyName("inDiversion")] public required bool InDiversion { get; init; }
    /// <summary>The recording is still being made: behind its end the guest lives.</summary>
    [JsonPropertyName("isLive")] public required bool IsLive { get; init; }
    /// <summary>Thread whose turn it is.</summary>
    [JsonPropertyName("threadId")] public required long ThreadId { get; init; }
    /// <summary>Guest time in nanoseconds since reset.</summary>
    [JsonPropertyName("guestNanoseconds")] public required ulong GuestNanoseconds { get; init; }
    /// <summary>Path of the recording.</summary>
    [JsonPropertyName("recording")] public required string Recording { get; init; }
}

/// <summary>Answer to <c>ttvm/lastWrite</c> and <c>ttvm/nextWrite</c>.</summary>
public sealed record TtvmFound
{
    [JsonPropertyName("found")] public required bool Found { get; init; }
    /// <summary>Where the session stands now: just before the instruction that writes.</summary>
    [JsonPropertyName("position")] public required string Position { get; init; }
    /// <summary>What was found, in a sentence.</summary>
    [JsonPropertyName("description")] public required string Description { get; init; }
}
