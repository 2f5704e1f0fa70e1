using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using Symbols.Dwarf.Frames;
using Symbols.Elf;
using TestKit;
using Xunit;

namespace Symbols.Tests;

/// <summary>Every row of every unwind table equals what readelf works out.</summary>
public sealed class CallFrameTests
{
    private static readonly string[] s_registers64 =
        ["rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp", "rsp", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"];

    private static readonly string[] s_registers32 = ["eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"];

    public static TheoryData<string> All => [.. Samples.Kernels, .. Samples.Compiled, "libc.so", "busybox"];

    [Theory]
    [MemberData(nameof(All))]
    public void Rows_are_those_of_readelf(string sample)
    {
        // Debug files have no .eh_frame, the library has.
        string path = sample == "libc.so" ? "/usr/lib/x86_64-linux-gnu/libc.so.6" : Samples.Get(sample);
        HostTool.Require("readelf", "binutils");
        using ElfImage image = ElfImage.Open(path);
        string[] names = image.Header.Is64 ? s_registers64 : s_registers32;
        CallFrameInfo? section = null;
        Queue<FrameDescription> descriptions = [];
        FrameDescription? current = null;
        string[] columns = [];
        List<UnwindRow> rows = [];
        int row = 0, compared = 0;
        foreach (string line in HostTool.Run("readelf", ["--debug-dump=frames-interp", "-W", path], TimeSpan.FromMinutes(5)).Output.Split('\n'))
        {
            if (line.StartsWith("Contents of the", StringComparison.Ordinal))
            {
                section = line.Contains(".eh_frame", StringComparison.Ordinal) ? CallFrameInfo.OpenEhFrame(image) : CallFrameInfo.OpenDebugFrame(image);
                descriptions = new Queue<FrameDescription>(section.Descriptions);
                current = null;
            }
            string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (line.Contains(" CIE ", StringComparison.Ordinal) || line.Contains(" FDE ", StringComparison.Ordinal)
                || line.Contains("ZERO terminator", StringComparison.Ordinal)) current = null;
            if (line.Contains(" FDE ", StringComparison.Ordinal))
            {
                current = descriptions.Dequeue();
                Assert.Equal(words[0], current.Offset.ToString("x8", CultureInfo.InvariantCulture));
                int digits = image.Header.Is64 ? 16 : 8;
                string range = $"pc={current.Range.Start.ToString($"x{digits}")}..{current.Range.End.ToString($"x{digits}")}";
                Assert.Equal(words[^1], range);
                rows = section!.Rows(current);
                row = 0;
            }
            else if (words.Length > 2 && words[0] == "LOC") columns = words;
            else if (current is not null && words.Length > 2 && words[0].Length >= 8)
            {
                // A register rule is printed with the register's name behind it: r9 (r9).
                string theirs = string.Join(' ', words.Where(word => word[0] != '('));
                Assert.Equal((current.Offset, theirs), (current.Offset, Text(rows[row++], columns, words[0].Length, names, current.Common)));
                compared++;
            }
        }
        Assert.True(compared > 3, $"{compared} rows");
        Assert.Empty(descriptions);
        Assert.Empty(image.Diagnostics.Entries);
        TestContext.Current.TestOutputHelper?.WriteLine($"{sample}: {compared} rows");
    }

    [Fact]
    public void A_call_chain_is_unwound_as_gdb_does()
    {
        HostTool.Require("gdb", "gdb");
        foreach (string sample in (string[])["c-O0-dwarf5", "c-O2-dwarf5", "c-O2-debug-frame"])
        {
            using var process = GdbProcess.StopIn(Samples.Get(sample), "recurse", 4);
            using ElfImage image = ElfImage.Open(Samples.Get(sample));
            var unwinder = new FrameUnwinder(image);
            process.SelectFirst();
            for (int i = 0; i < process.FrameCount - 1; i++)
            {
                ulong pc = process.Pc - process.LoadBias - (i == 0 ? 0ul : 1);
                UnwoundFrame frame = unwinder.Unwind(pc, process);
                Assert.True(frame.Problem is null, $"{sample}, frame {i}: {frame.Problem}");
                process.SelectNext();
                Assert.Equal(process.Pc, frame.ReturnAddress);
                foreach (int register in (int[])[3, 6, 7, 12, 13, 14, 15])
                    Assert.True(frame.TryRegister(register, out ulong value) && process.TryReadRegister(register, out ulong theirs) && value == theirs,
                        $"{sample}, frame {i}: {s_registers64[register]} is 0x{value:x}");
            }
            Assert.True(process.FrameCount >= 4, $"gdb sees {process.FrameCount} frames");
        }
    }

    private static string Text(UnwindRow row, string[] columns, int digits, string[] names, CommonInformation common)
    {
        string cfa = row.Cfa.Expression.IsEmpty ? $"{names[row.Cfa.Register]}{row.Cfa.Offset:+0;-0;+0}" : "exp";
        return $"{row.Address.ToString($"x{digits}")} {cfa} "
            + string.Join(' ', columns.Skip(2).Select(column => Rule(row[Number(column, names, common)])));
    }

    private static int Number(string column, string[] names, CommonInformation common)
    {
        if (column == "ra") return common.ReturnAddressRegister;
        if (column.StartsWith("xmm", StringComparison.Ordinal)) return 17 + int.Parse(column[3..], CultureInfo.InvariantCulture);
        return column == "rip" ? 16 : Array.IndexOf(names, column);
    }

    private static string Rule(in RegisterRule rule) => rule.Kind switch
    {
        RegisterRuleKind.Unspecified or RegisterRuleKind.Undefined => "u",
        RegisterRuleKind.SameValue => "s",
        RegisterRuleKind.Offset => $"c{rule.Offset:+0;-0;+0}",
        RegisterRuleKind.ValueOffset => $"v{rule.Offset:+0;-0;+0}",
        RegisterRuleKind.Register => $"r{rule.Offset}",
        RegisterRuleKind.Expression => "exp",
        _ => "vexp",
    };
}
