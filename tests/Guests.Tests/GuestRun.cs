using System;
using System.IO;
using System.Text;
using TestKit;
using Vmm.Cpu;
using Vmm.Inputs;
using Vmm.Platform;
using Vmm.Time;
using Xunit;

namespace Guests.Tests;

/// <summary>
/// A machine with somebody at its first serial port: <see cref="Until"/> runs it until a text was printed, <see cref="Send"/> types. Every
/// wait is bounded by a number of instructions, so that a guest that hangs fails its test instead of the test run.
/// </summary>
internal sealed class GuestRun : IInputSource, IOutputSink, IDisposable
{
    private const int LastLines = 25;

    private readonly StringBuilder _console = new(), _debugConsole = new();
    private byte[] _toSend = [];
    private string? _awaited;
    private int _searchFrom;
    private ulong _random = 0x9E37_79B9_7F4A_7C15;

    public GuestRun(MachineConfiguration configuration) => Machine = new Machine(configuration, this, this);

    public Machine Machine { get; }

    /// <summary>What the guest wrote to its first serial port, carriage returns removed.</summary>
    public string Console => _console.ToString();

    /// <summary>What it wrote to port E9h.</summary>
    public string DebugConsole => _debugConsole.ToString();

    /// <summary>Called with each byte of the first serial port, for tools that show it while it comes.</summary>
    public Action<char>? Echo { get; init; }

    /// <summary>Runs until the guest has printed a text, after what earlier calls have found.</summary>
    /// <param name="text">What must come.</param>
    /// <param name="instructions">At most so many, in millions.</param>
    public void Until(string text, ulong instructions)
    {
        _awaited = text;
        int found = Find(text);
        ulong end = Machine.InstructionCount + (instructions * 1_000_000);
        while (found < 0)
        {
            RunStop stop = Machine.Run(end);
            found = Find(text);
            if (found >= 0) break;
            if (stop == RunStop.Ended) Fail($"the machine ended ({Machine.Outcome.Detail}) before it printed \"{text}\"");
            if (stop == RunStop.CountReached) Fail($"after {instructions} million instructions it has not printed \"{text}\"");
        }
        _searchFrom = found + text.Length;
        _awaited = null;
    }

    /// <summary>Types a text at the first serial port.</summary>
    public void Send(string text) => _toSend = [.. _toSend, .. Encoding.ASCII.GetBytes(text)];

    /// <summary>Runs to the machine's end.</summary>
    /// <param name="instructions">At most so many, in millions.</param>
    public Outcome End(ulong instructions)
    {
        if (Machine.Run(Machine.InstructionCount + (instructions * 1_000_000)) != RunStop.Ended)
            Fail($"after {instructions} million instructions the machine has not ended");
        return Machine.Outcome;
    }

    /// <summary>Ends the test with where the guest stands and the end of what it printed.</summary>
    [System.Diagnostics.CodeAnalysis.DoesNotReturn]
    public void Fail(string what)
    {
        var message = new StringBuilder($"{what}; {Machine.InstructionCount:N0} instructions, {Machine.GuestNanoseconds / 1_000_000:N0} ms\n");
        foreach (Vcpu vcpu in Machine.Vcpus)
            message.AppendLine($"vCPU {vcpu.Index}: {vcpu.State.Activity} at {vcpu.State.Segment(SegmentIndex.Cs).Selector:x4}:{vcpu.State.Rip:x}");
        string log = Path.Combine(Repository.FailureFolder(TestContext.Current.TestMethod?.MethodName ?? nameof(GuestRun)), "console.txt");
        File.WriteAllText(log, Console);
        message.AppendLine($"console, whole in {Repository.RelativePath(log)}:");
        string[] lines = Console.Split('\n');
        message.AppendJoin('\n', lines[Math.Max(0, lines.Length - LastLines)..]);
        Assert.Fail(message.ToString());
        throw new InvalidOperationException(what);
    }

    public ulong NextArrival => _toSend.Length > 0 ? 0 : ulong.MaxValue;

    public bool TryTake(Position at, out InputEvent input)
    {
        input = new InputEvent(InputKind.Serial, 0, _toSend);
        bool any = _toSend.Length > 0;
        _toSend = [];
        return any;
    }

    public ulong ReadTime(Position at) => throw new InvalidOperationException("these machines run on the virtual clock");

    /// <summary>xorshift64 (Marsaglia 2003): the same bytes in every run.</summary>
    public void FillEntropy(Position at, Span<byte> destination)
    {
        foreach (ref byte b in destination)
        {
            _random ^= _random << 13;
            _random ^= _random >> 7;
            _random ^= _random << 17;
            b = (byte)(_random >> 32);
        }
    }

    public bool Idle(Position at, ulong nanosecondsToTimer) => false;

    public void Write(Position at, OutputChannel channel, ReadOnlySpan<byte> data)
    {
        StringBuilder? text = channel switch
        {
            OutputChannel.Serial0 => _console,
            OutputChannel.DebugConsole => _debugConsole,
            _ => null,
        };
        if (text is null) return;
        foreach (byte b in data)
        {
            if (text == _console) Echo?.Invoke((char)b);
            if (b == '\r') continue;
            text.Append((char)b);
            // Cheap and sometimes early: Until looks again and goes on.
            if (text == _console && _awaited is { } awaited && b == awaited[^1]) Machine.RequestStop();
        }
    }

    public void Dispose() => Machine.Dispose();

    private int Find(string text) => Console.IndexOf(text, _searchFrom, StringComparison.Ordinal);
}
