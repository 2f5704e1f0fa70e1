using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text.RegularExpressions;
using Symbols.Dwarf.Expressions;
using TestKit;
using Xunit;

namespace Symbols.Tests;

/// <summary>What gdb sees of a stopped process: each frame's registers and the stack, taken once.</summary>
internal sealed partial class GdbProcess : IUnwindContext, IDisposable
{
    private static readonly string[] s_names =
        ["rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp", "rsp", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "rip"];

    private readonly List<Dictionary<int, ulong>> _frames = [];
    private readonly Dictionary<ulong, ulong> _stack = [];
    private int _current;

    internal int FrameCount => _frames.Count;

    internal ulong LoadBias { get; private set; }

    internal ulong Pc => _frames[_current][16];

    /// <summary>Runs to the given hit of a breakpoint on the function and looks at so many frames.</summary>
    internal static GdbProcess StopIn(string path, string function, int frameCount)
    {
        var arguments = new List<string> { "-nx", "-batch", "-ex", $"break *{function}", "-ex", "run", "-ex", "continue 3", "-ex", "stepi 2" };
        arguments.AddRange(["-ex", $"printf \"symbol %lx\\n\", (long)&{function}"]);
        string[] set = [.. Array.ConvertAll(s_names, name => $"(long)${name}")];
        string format = string.Join(' ', Array.ConvertAll(s_names, _ => "%lx"));
        for (int i = 0; i < frameCount; i++)
        {
            if (i > 0) arguments.AddRange(["-ex", "up"]);
            arguments.AddRange(["-ex", $"printf \"frame {format}\\n\", {string.Join(", ", set)}"]);
        }
        arguments.AddRange(["-ex", "frame 0", "-ex", "x/400gx $rsp", path]);
        ToolResult result = HostTool.Run("gdb", arguments, TimeSpan.FromMinutes(1));
        var process = new GdbProcess();
        foreach (string line in result.Output.Split('\n')) process.Take(line);
        if (process.FrameCount == 0) Requirement.Missing($"gdb cannot run a process here ({result.Error.Trim()})", "allow ptrace");
        using Elf.ElfImage image = Elf.ElfImage.Open(path);
        process.LoadBias -= image.Symbols.ByName(function)[0].Address;
        return process;
    }

    public void Dispose() => _stack.Clear();

    public bool TryReadRegister(int register, out ulong value) => _frames[_current].TryGetValue(register, out value);

    public bool TryReadMemory(ulong address, int sizeBytes, out ulong value)
    {
        Assert.Equal(8, sizeBytes);
        return _stack.TryGetValue(address, out value);
    }

    internal void SelectFirst() => _current = 0;

    internal void SelectNext() => _current++;

    private void Take(string line)
    {
        string[] words = line.Split(' ');
        if (words[0] == "symbol") LoadBias = Hex(words[1]);
        else if (words[0] == "frame")
        {
            var frame = new Dictionary<int, ulong>();
            for (int i = 0; i < s_names.Length; i++) frame[i] = Hex(words[i + 1]);
            _frames.Add(frame);
        }
        else if (StackLine().Match(line) is { Success: true } match)
        {
            _stack[Hex(match.Groups[1].Value)] = Hex(match.Groups[2].Value);
            if (match.Groups[3].Success) _stack[Hex(match.Groups[1].Value) + 8] = Hex(match.Groups[3].Value);
        }
    }

    private static ulong Hex(string text) => ulong.Parse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^0x([0-9a-f]+):\s+0x([0-9a-f]+)(?:\s+0x([0-9a-f]+))?")]
    private static partial Regex StackLine();
}
