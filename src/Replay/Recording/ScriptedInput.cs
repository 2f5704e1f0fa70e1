using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;
using System.Threading;
using Replay.Queries;
using Vmm.Inputs;
using Vmm.Time;

namespace Replay.Recording;

/// <summary>
/// Inputs from a script, one command a line: <c>expect TEXT</c> (wait until the first serial port has printed it), <c>send TEXT</c> (with
/// \n, \r, \t, \\, \xHH; to the first serial port), <c>wait INSTRUCTIONS</c>, <c>key HH HH ...</c> (keyboard scan codes, set 2),
/// <c>nmi</c>, <c>powerbutton</c>. Lines that are empty or begin with # are skipped.
/// </summary>
public sealed class ScriptedInput : ILiveInput
{
    private enum Verb { Expect, Send, Wait, Key, NonMaskableInterrupt, PowerButton }

    private sealed record Command(int Line, string Source, Verb Verb, byte[] Data, ulong Count);

    private readonly string _name;
    private readonly List<Command> _commands;
    private int _next;
    private TextMatcher? _expected;
    private ulong _due;
    private bool _waitBegan;

    private ScriptedInput(string name, List<Command> commands)
    {
        _name = name;
        _commands = commands;
        Begin(0);
    }

    /// <exception cref="InputScriptException">The message names the line.</exception>
    public static ScriptedInput Parse(string script, string name = "input script")
    {
        var commands = new List<Command>();
        string[] lines = script.Split('\n');
        for (int i = 0; i < lines.Length; i++)
        {
            string line = lines[i].TrimEnd('\r').TrimStart();
            if (line.Length == 0 || line[0] == '#') continue;
            commands.Add(ParseLine(line, i + 1, name));
        }
        return new ScriptedInput(name, commands);
    }

    /// <summary>Every command was carried out.</summary>
    public bool IsDone => _next == _commands.Count;

    /// <summary>For people, when the guest ended before the script: "input script, line 3: expect login:".</summary>
    public string CurrentCommand => IsDone ? $"{_name}: done" : $"{_name}, line {_commands[_next].Line}: {_commands[_next].Source}";

    // While text is expected nothing is due. A wait's end is not known before the machine has been asked once, hence 0.
    public ulong NextArrival => IsDone || _expected is not null ? ulong.MaxValue : _due;

    public bool TryTake(Position at, out InputEvent input)
    {
        input = default;
        while (!IsDone && _expected is null && at.InstructionCount >= _due)
        {
            Command command = _commands[_next];
            switch (command.Verb)
            {
                case Verb.Wait when !_waitBegan:
                    _waitBegan = true;
                    _due = checked(at.InstructionCount + command.Count);
                    continue;
                case Verb.Wait:
                    Finish(at.InstructionCount);
                    continue;
                case Verb.Send:
                    // All at once: the port takes it in at the speed that the guest has set.
                    input = new InputEvent(InputKind.Serial, 0, command.Data);
                    break;
                case Verb.Key:
                    input = new InputEvent(InputKind.Keyboard, 0, command.Data);
                    break;
                case Verb.NonMaskableInterrupt:
                    input = new InputEvent(InputKind.NonMaskableInterrupt, 0, default);
                    break;
                default:
                    input = new InputEvent(InputKind.PowerButton, 0, default);
                    break;
            }
            Finish(at.InstructionCount);
            return true;
        }
        return false;
    }

    public void OnOutput(Position at, OutputChannel channel, ReadOnlySpan<byte> data)
    {
        if (_expected is null || channel != OutputChannel.Serial0) return;
        foreach (byte b in data)
        {
            if (!_expected.Append(b)) continue;
            // What follows in this piece of output belongs to the next "expect", if that is the next command.
            Finish(at.InstructionCount);
            if (_expected is null) return;
        }
    }

    public void Idle(Position at, ulong nanosecondsToTimer, CancellationToken cancellation)
    {
        // With nothing else to wake the guest, instructions will not pass: what is due later is due now.
        if (nanosecondsToTimer == ulong.MaxValue && !IsDone && _expected is null) _due = at.InstructionCount;
    }

    private void Finish(ulong nextDue)
    {
        _next++;
        Begin(nextDue);
    }

    private void Begin(ulong due)
    {
        _waitBegan = false;
        _due = due;
        _expected = !IsDone && _commands[_next].Verb == Verb.Expect ? new TextMatcher(_commands[_next].Data) : null;
    }

    private static Command ParseLine(string line, int number, string name)
    {
        int space = line.IndexOf(' ', StringComparison.Ordinal);
        string verb = space < 0 ? line.TrimEnd() : line[..space];
        string argument = space < 0 ? "" : line[(space + 1)..];
        InputScriptException Error(string what) => new($"{name}, line {number}: {what}");
        byte[] Text() => argument.Length > 0 ? Unescape(argument, Error) : throw Error($"'{verb}' needs a text");
        Command Without(Verb v) =>
            argument.Trim().Length == 0 ? new Command(number, line, v, [], 0) : throw Error($"'{verb}' takes no argument");
        switch (verb)
        {
            case "expect": return new Command(number, line, Verb.Expect, Text(), 0);
            case "send": return new Command(number, line, Verb.Send, Text(), 0);
            case "wait":
                if (!ulong.TryParse(argument.Trim().Replace("_", "", StringComparison.Ordinal), NumberStyles.None,
                    CultureInfo.InvariantCulture, out ulong count)
                    || count > long.MaxValue)
                    throw Error($"'wait' needs a number of instructions, not '{argument.Trim()}'");
                return new Command(number, line, Verb.Wait, [], count);
            case "key": return new Command(number, line, Verb.Key, ParseKeys(argument, Error), 0);
            case "nmi": return Without(Verb.NonMaskableInterrupt);
            case "powerbutton": return Without(Verb.PowerButton);
            default: throw Error($"there is no command '{verb}': use expect, send, wait, key, nmi or powerbutton");
        }
    }

    private static byte[] ParseKeys(string argument, Func<string, InputScriptException> error)
    {
        string[] parts = argument.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length == 0) throw error("'key' needs scan codes in hexadecimal, such as 1c f0 1c");
        var codes = new byte[parts.Length];
        for (int i = 0; i < parts.Length; i++)
            if (!byte.TryParse(parts[i], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out codes[i]))
                throw error($"'{parts[i]}' is not a scan code in hexadecimal");
        return codes;
    }

    private static byte[] Unescape(string text, Func<string, InputScriptException> error)
    {
        var bytes = new List<byte>();
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\')
            {
                int length = char.IsHighSurrogate(text[i]) && i + 1 < text.Length ? 2 : 1;
                bytes.AddRange(Encoding.UTF8.GetBytes(text.Substring(i, length)));
                i += length - 1;
                continue;
            }
            char escape = ++i < text.Length ? text[i] : throw error("a lone \\ at the end: write \\\\ for a backslash");
            switch (escape)
            {
                case 'n': bytes.Add((byte)'\n'); break;
                case 'r': bytes.Add((byte)'\r'); break;
                case 't': bytes.Add((byte)'\t'); break;
                case '\\': bytes.Add((byte)'\\'); break;
                case 'x' when i + 2 < text.Length
                    && byte.TryParse(text.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out byte value):
                    bytes.Add(value);
                    i += 2;
                    break;
                default: throw error($"there is no escape \\{escape}: use \\n, \\r, \\t, \\\\ or \\xHH");
            }
        }
        return bytes.ToArray();
    }
}

/// <summary>An input script has an error; the message names the line.</summary>
public sealed class InputScriptException(string message) : Exception(message);
