using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using Symbols.Elf;
using TestKit;
using Xunit;

namespace Symbols.Tests.Variables;

/// <summary>A frame of a process that gdb stopped: registers as far as they were saved, and the values of its variables, part by part.</summary>
internal sealed class GdbFrame
{
    internal required string Name { get; init; }

    internal required bool IsInlined { get; init; }

    internal required ulong Pc { get; init; }

    internal Dictionary<int, ulong> Registers { get; } = [];

    /// <summary>XMM registers by DWARF's numbers.</summary>
    internal Dictionary<int, byte[]> Vectors { get; } = [];

    /// <summary>Each scalar in each variable: <c>name[1].member=value</c> with all digits, or <c>=optimized</c>.</summary>
    internal SortedSet<string> Values { get; } = new(StringComparer.Ordinal);
}

/// <summary>One stop: the frames from the innermost one on, and memory.</summary>
internal sealed class GdbStop
{
    internal List<GdbFrame> Frames { get; } = [];

    internal SortedList<ulong, byte[]> Memory { get; } = [];

    /// <summary>What gdb made of the expressions, as <see cref="GdbFrame.Values"/> without a name.</summary>
    internal List<string> Results { get; } = [];

    internal ulong Bias { get; set; }
}

/// <summary>Runs a program under gdb and looks at each call of <c>stop</c>.</summary>
internal static class GdbStops
{
    private const string Script = """
        import gdb, struct
        names = ['rax','rdx','rcx','rbx','rsi','rdi','rbp','rsp','r8','r9','r10','r11','r12','r13','r14','r15','rip']
        if NARROW: names = ['eax','ecx','edx','ebx','esp','ebp','esi','edi','eip']
        def raw(v, t):
            if v.address is not None:
                return bytes(gdb.selected_inferior().read_memory(int(v.address), t.sizeof))[::-1].hex()
            if t.code == gdb.TYPE_CODE_FLT and t.sizeof in (4, 8):
                return struct.pack('>f' if t.sizeof == 4 else '>d', float(v)).hex()
            if 'synthetic pointer' in v.format_string(): return 'optimized'
            if t.code in (gdb.TYPE_CODE_PTR, gdb.TYPE_CODE_MEMBERPTR): v = v.cast(gdb.lookup_type('long'))
            text = v.format_string(format='z')
            if t.code == gdb.TYPE_CODE_COMPLEX: return ''.join(part[2:].rstrip('i') for part in text.split(' + ')[::-1])
            return text[2:].rjust(2 * t.sizeof, '0') if text.startswith('0x') else text
        def leaves(path, v, out):
            try:
                t = v.type.strip_typedefs()
                if t.code in (gdb.TYPE_CODE_REF, gdb.TYPE_CODE_RVALUE_REF): return leaves(path, v.referenced_value(), out)
                if t.code in (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION):
                    for f in t.fields():
                        if not hasattr(f, 'bitpos') and not f.is_base_class: continue
                        if f.bitsize:
                            if v[f].is_optimized_out: out.append('%s.%s=optimized' % (path, f.name))
                            else: out.append('%s.%s=%x' % (path, f.name, int(v[f]) & ((1 << f.bitsize) - 1)))
                        else: leaves(path + ('.<%s>' % f.type if f.is_base_class else '.' + f.name if f.name else ''), v[f], out)
                    return
                if t.code == gdb.TYPE_CODE_ARRAY:
                    for i in range(t.range()[0], min(t.range()[1], 300) + 1): leaves('%s[%d]' % (path, i), v[i], out)
                    return
                text = 'optimized' if v.is_optimized_out else raw(v, t)
            except (gdb.error, gdb.MemoryError) as e: text = 'optimized' if 'optimized out' in str(e) or 'synthetic pointer' in str(e) else 'error ' + str(e)
            out.append('%s=%s' % (path, text))
        def variables(frame):
            try: block = frame.block()
            except RuntimeError: return
            while block:
                for s in block:
                    if not (s.is_variable or s.is_argument or s.is_constant): continue
                    out = []
                    try:
                        # Of an array whose size is known in the frame only, a symbol's value has the type without it.
                        isDynamic = s.type.dynamic and s.type.strip_typedefs().code == gdb.TYPE_CODE_ARRAY
                        if isDynamic: frame.select()
                        leaves(s.name, gdb.parse_and_eval(s.name) if isDynamic else s.value(frame), out)
                    except (gdb.error, gdb.MemoryError) as e: out = ['%s=error %s' % (s.name, e)]
                    for line in out: print('V|%s' % line)
                if block.function: return
                block = block.superblock
        gdb.execute('set breakpoint pending off')
        gdb.execute('set print symbol off')
        gdb.execute('break BREAKPOINT')
        gdb.execute('run')
        while gdb.selected_inferior().pid:
            maps = [line.split() for line in open('/proc/%d/maps' % gdb.selected_inferior().pid)]
            print('S|%d' % min(int(words[0].split('-')[0], 16) for words in maps if words[-1].endswith(PROGRAM)))
            frame = gdb.newest_frame()
            rsp = int(frame.read_register('esp' if NARROW else 'rsp'))
            while frame:
                # A frame that gdb makes up, as its function left by a jump: it is not on the stack.
                if frame.type() == gdb.TAILCALL_FRAME:
                    frame = frame.older()
                    continue
                print('F|%s|%d|%d' % (frame.name(), frame.pc(), frame.type() == gdb.INLINE_FRAME))
                for i, name in enumerate(names):
                    try:
                        v = frame.read_register(name)
                        if not v.is_optimized_out: print('R|%d|%d' % (i, int(v) & 0xffffffffffffffff))
                    except Exception: pass
                for i in range(0 if NARROW else 16):
                    try: print('X|%d|%s' % (17 + i, ''.join('%016x' % (int(frame.read_register('xmm%d' % i)['v2_int64'][k]) & 0xffffffffffffffff) for k in (1, 0))))
                    except Exception: pass
                variables(frame)
                if frame.name() in ('main', '_start'): break
                frame = frame.older()
            at = gdb.newest_frame()
            while at and at.name() != FRAME: at = at.older()
            if at:
                at.select()
                for i, expression in enumerate(EXPRESSIONS):
                    out = []
                    try: leaves('', gdb.parse_and_eval(expression), out)
                    except (gdb.error, gdb.MemoryError) as e: out = ['error ' + str(e)]
                    print('E|%d|%s' % (i, ' '.join(out).replace('\n', ' ')))
            for words in maps:
                low, high = [int(x, 16) for x in words[0].split('-')]
                if '[stack]' in words: low, high = rsp - 256, min(high, rsp + 16384)
                elif '[heap]' in words: high = min(high, low + (1 << 20))
                elif not words[-1].endswith(PROGRAM) and (len(words) > 5 or high - low > 65536): continue
                print('M|%d|%s' % (low, bytes(gdb.selected_inferior().read_memory(low, high - low)).hex()))
            gdb.execute('continue')
        """;

    /// <summary>Runs a program to each call of a function.</summary>
    /// <param name="program">With debug information, 64-bit or 32-bit.</param>
    /// <param name="breakpoint">Where to stop.</param>
    /// <param name="frame">The function whose frame the expressions are worked out in.</param>
    /// <param name="expressions">What gdb is to work out at every stop.</param>
    internal static List<GdbStop> Run(string program, string breakpoint = "stop", string frame = "", IReadOnlyList<string>? expressions = null)
    {
        HostTool.Require("gdb", "gdb");
        string script = Path.Combine(Directory.CreateTempSubdirectory("ttvm-stops-").FullName, "stops.py");
        using ElfImage image = ElfImage.Open(program);
        string text = Script.Replace("PROGRAM", Quoted(Path.GetFileName(program)), StringComparison.Ordinal).Replace("BREAKPOINT", breakpoint, StringComparison.Ordinal)
            .Replace("EXPRESSIONS", $"[{string.Join(", ", (expressions ?? []).Select(Quoted))}]", StringComparison.Ordinal)
            .Replace("!= FRAME", $"!= {Quoted(frame)}", StringComparison.Ordinal).Replace("NARROW", image.Header.AddressSizeBytes == 4 ? "True" : "False", StringComparison.Ordinal);
        File.WriteAllText(script, text);
        ToolResult result = HostTool.Run("gdb", ["-nx", "-batch", "-x", script, program], TimeSpan.FromMinutes(2));
        Directory.Delete(Path.GetDirectoryName(script)!, recursive: true);
        Assert.False(result.Error.Contains("Traceback", StringComparison.Ordinal) || result.ExitCode < 0, result.Error);
        var stops = new List<GdbStop>();
        foreach (string line in result.Output.Split('\n')) Take(line.TrimEnd().Split('|'), stops);
        // What is not position-independent is where the linker put it.
        const ushort Executable = 2;
        if (image.Header.Type == Executable)
            foreach (GdbStop stop in stops) stop.Bias = 0;
        if (stops.Count == 0) Requirement.Missing($"gdb cannot run a process here ({result.Error.Trim()})", "allow ptrace, apt-get install gdb");
        return stops;
    }

    private static void Take(string[] words, List<GdbStop> stops)
    {
        switch (words)
        {
            case ["S", var address]:
                stops.Add(new GdbStop { Bias = Number(address) });
                break;
            case ["F", var name, var pc, var isInlined]:
                stops[^1].Frames.Add(new GdbFrame { Name = name, Pc = Number(pc), IsInlined = isInlined == "1" });
                break;
            case ["R", var register, var value]:
                stops[^1].Frames[^1].Registers[(int)Number(register)] = Number(value);
                break;
            case ["X", var register, var value]:
                byte[] wide = Convert.FromHexString(value);
                Array.Reverse(wide);
                stops[^1].Frames[^1].Vectors[(int)Number(register)] = wide;
                break;
            case ["V", var value]:
                stops[^1].Frames[^1].Values.Add(value);
                break;
            case ["E", _, ..]:
                stops[^1].Results.Add(string.Join('|', words[2..]));
                break;
            case ["M", var address, var bytes]:
                stops[^1].Memory[Number(address)] = Convert.FromHexString(bytes);
                break;
        }
    }

    private static string Quoted(string text) => $"'{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal)}'";

    private static ulong Number(string text) => ulong.Parse(text, CultureInfo.InvariantCulture);
}
