using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using Symbols.Variables;
using TestKit;

namespace Symbols.Tests.Variables;

/// <summary>A frame of a process that gdb stopped: registers as far as they were saved, and the values of its variables, part by part.</summary>
internal sealed class GdbFrame
{
    internal required string Name { get; init; }

    internal required bool IsInlined { get; init; }

    internal required ulong Pc { get; init; }

    internal Dictionary<int, ulong> Registers { get; } = [];

    /// <summary>Each scalar in each variable: <c>name[1].member=value</c>, or <c>=optimized</c>.</summary>
    internal SortedSet<string> Values { get; } = new(StringComparer.Ordinal);
}

/// <summary>One stop: the frames from the innermost one on, and memory.</summary>
internal sealed class GdbStop
{
    internal List<GdbFrame> Frames { get; } = [];

    internal SortedList<ulong, byte[]> Memory { get; } = [];

    internal ulong Bias { get; set; }
}

/// <summary>Runs a program under gdb and looks at each call of <c>stop</c>.</summary>
internal static class GdbStops
{
    private const string Script = """
        import gdb
        names = ['rax','rdx','rcx','rbx','rsi','rdi','rbp','rsp','r8','r9','r10','r11','r12','r13','r14','r15','rip']
        def leaves(path, v, out):
            t = v.type.strip_typedefs()
            if t.code in (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION):
                for f in t.fields(): leaves(path + '.' + f.name, v[f], out)
            elif t.code == gdb.TYPE_CODE_ARRAY:
                for i in range(t.range()[0], t.range()[1] + 1): leaves('%s[%d]' % (path, i), v[i], out)
            else:
                try:
                    if v.is_optimized_out: text = 'optimized'
                    elif t.code == gdb.TYPE_CODE_FLT: text = repr(float(v))
                    else: text = '%x' % (int(v) & ((1 << (8 * t.sizeof)) - 1))
                except gdb.error as e: text = 'optimized' if 'optimized out' in str(e) else 'error'
                out.append('%s=%s' % (path, text))
        def variables(frame):
            try: block = frame.block()
            except RuntimeError: return
            while block:
                for s in block:
                    if not (s.is_variable or s.is_argument): continue
                    out = []
                    leaves(s.name, s.value(frame), out)
                    for line in out: print('V|%s' % line)
                if block.function: return
                block = block.superblock
        gdb.execute('break stop')
        gdb.execute('run')
        while gdb.selected_inferior().pid:
            print('S|%d' % int(gdb.parse_and_eval('(unsigned long)&stop')))
            frame = gdb.newest_frame()
            rsp = int(frame.read_register('rsp'))
            while frame:
                print('F|%s|%d|%d' % (frame.name(), frame.pc(), frame.type() == gdb.INLINE_FRAME))
                for i, name in enumerate(names):
                    try:
                        v = frame.read_register(name)
                        if not v.is_optimized_out: print('R|%d|%d' % (i, int(v) & 0xffffffffffffffff))
                    except Exception: pass
                variables(frame)
                if frame.name() == 'main': break
                frame = frame.older()
            for line in open('/proc/%d/maps' % gdb.selected_inferior().pid):
                words = line.split()
                low, high = [int(x, 16) for x in words[0].split('-')]
                if '[stack]' in line: low, high = rsp - 256, min(high, rsp + 4096)
                elif not words[-1].endswith(PROGRAM): continue
                print('M|%d|%s' % (low, bytes(gdb.selected_inferior().read_memory(low, high - low)).hex()))
            gdb.execute('continue')
        """;

    internal static List<GdbStop> Run(string program)
    {
        HostTool.Require("gdb", "gdb");
        string script = Path.Combine(Directory.CreateTempSubdirectory("ttvm-stops-").FullName, "stops.py");
        File.WriteAllText(script, Script.Replace("PROGRAM", $"'{Path.GetFileName(program)}'", StringComparison.Ordinal));
        ToolResult result = HostTool.Run("gdb", ["-nx", "-batch", "-x", script, program], TimeSpan.FromMinutes(2));
        Directory.Delete(Path.GetDirectoryName(script)!, recursive: true);
        using Elf.ElfImage image = Elf.ElfImage.Open(program);
        var stops = new List<GdbStop>();
        foreach (string line in result.Output.Split('\n')) Take(line.TrimEnd().Split('|'), stops, image);
        if (stops.Count == 0) Requirement.Missing($"gdb cannot run a process here ({result.Error.Trim()})", "allow ptrace, apt-get install gdb");
        return stops;
    }

    private static void Take(string[] words, List<GdbStop> stops, Elf.ElfImage image)
    {
        switch (words)
        {
            case ["S", var address]:
                stops.Add(new GdbStop { Bias = Number(address) - image.Symbols.ByName("stop")[0].Address });
                break;
            case ["F", var name, var pc, var isInlined]:
                stops[^1].Frames.Add(new GdbFrame { Name = name, Pc = Number(pc), IsInlined = isInlined == "1" });
                break;
            case ["R", var register, var value]:
                stops[^1].Frames[^1].Registers[(int)Number(register)] = Number(value);
                break;
            case ["V", var value]:
                stops[^1].Frames[^1].Values.Add(value);
                break;
            case ["M", var address, var bytes]:
                stops[^1].Memory[Number(address)] = Convert.FromHexString(bytes);
                break;
        }
    }

    private static ulong Number(string text) => ulong.Parse(text, CultureInfo.InvariantCulture);
}
