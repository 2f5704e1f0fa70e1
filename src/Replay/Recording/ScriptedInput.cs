using System;
using System.Threading;
using Vmm.Inputs;
using Vmm.Time;

namespace Replay.Recording;

/// <summary>
/// Inputs from a script, one command a line: <c>expect TEXT</c> (wait until the first serial port has printed it), <c>send TEXT</c> (with \n, \r, \t, \\, \xHH; to the
/// first serial port), <c>wait INSTRUCTIONS</c>, <c>key HH HH ...</c> (keyboard scan codes, set 2), <c>nmi</c>, <c>powerbutton</c>. Lines that are empty or begin with # are skipped.
/// </summary>
public sealed class ScriptedInput : ILiveInput
{
    private ScriptedInput() { }

    /// <exception cref="InputScriptException">The message names the line.</exception>
    public static ScriptedInput Parse(string script, string name = "input script") => throw new NotSupportedException();

    /// <summary>Every command was carried out.</summary>
    public bool IsDone => throw new NotSupportedException();

    /// <summary>For people, when the guest ended before the script: "line 3: expect login:".</summary>
    public string CurrentCommand => throw new NotSupportedException();

    public ulong NextArrival => throw new NotSupportedException();
    public bool TryTake(Position at, out InputEvent input) => throw new NotSupportedException();
    public void OnOutput(Position at, OutputChannel channel, ReadOnlySpan<byte> data) { }
    public void Idle(Position at, ulong nanosecondsToTimer, CancellationToken cancellation) { }
}

/// <summary>An input script has an error; the message names the line.</summary>
public sealed class InputScriptException(string message) : Exception(message);
