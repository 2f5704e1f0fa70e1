using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using Symbols.Elf;
using Symbols.Expressions;
using Symbols.Types;
using TestKit;
using Xunit;
using static Symbols.Tests.Expressions.FakeProgram;

namespace Symbols.Tests.Expressions;

/// <summary>Expressions over a compiled program's data against gdb's values. The types are mapped by hand.</summary>
public sealed class GdbTests
{
    // Signs before short bit-fields are not among them: gdb computes with the declared type, C with int (C17 6.3.1.1), as CompilerTests shows.
    private static readonly string[] s_expressions =
    [
        "first.value", "head->value", "head->next->value", "(*head).next->value", "head->next->next", "head[0].value", "&head->next->value", "&first.pairs[1].right",
        "first.low", "first.high", "first.wide", "second.low", "second.high", "second.wide", "second.low + second.high", "second.high * 2", "second.wide >> 4",
        "first.inner", "first.a", "second.b[0]", "second.b[3]", "first.pairs[1].left", "second.pairs[1].left", "second.pairs[1].right", "second.pairs[1].left * second.pairs[1].right",
        "second.number.whole", "second.number.half[1]", "second.number.bytes[7]", "first.number.half[0] == first.number.half[1]", "first.color", "first.color == GREEN",
        "BLUE + 1", "second.color | RED",
        "(int)second.real", "(int)(second.real * second.small * 100)", "first.real < second.real", "(long)(first.real / 3)", "first.small + 1 > 1.25", "first.name[0]", "second.name[3]",
        "matrix[1][2]", "*matrix[1]", "**matrix", "row[-1]", "row[2]", "*(row + 1)", "row - matrix[0]", "&matrix[1][2] - &matrix[0][0]", "sizeof(matrix)",
        "sizeof(matrix[0])", "sizeof matrix[0][0]",
        "sizeof(struct node)", "sizeof(struct pair)", "sizeof(union number)", "sizeof first.pairs", "sizeof(head)", "sizeof(*head)", "sizeof(enum color)",
        "sizeof(struct node *)", "sizeof(unsigned short)",
        "byte + sbyte", "byte * 2", "(unsigned char)(byte * 2)", "(signed char)byte", "sbyte >> 1", "byte << 24", "half * half", "half + 1", "(short)half", "-half",
        "word / 1000", "word % 1000", "word / -7",
        "word >> 3", "(unsigned)word >> 3", "word < uword", "word < (long)uword", "uword + 294967296", "uword * 2", "uword - 4000000001", "word + uword", "-uword",
        "~uword", "~word", "!word", "!!word", "+sbyte",
        "big / 3", "big % 7", "big < 0", "big < ubig", "big + ubig", "ubig / 3", "ubig % 1000", "ubig >> 60", "big >> 60", "ubig == 0xfedcba9876543210", "(int)ubig",
        "(unsigned)big", "(short)ubig", "(char)ubig",
        "word ? 3 : 4", "truth && word", "truth || 0", "!truth", "truth + 1", "word == -123456 && big != 3", "word & 0xff", "word | 1", "word ^ uword", "byte > sbyte",
        "byte == (unsigned char)sbyte",
        "text[1]", "*text", "*(text + 4)", "text[5]", "'a' + 1", "'\\n'", "'\\x41'", "'\\101'", "sizeof(int [5])", "(long)&((struct node *)0)->value",
        "(long)&((struct node *)0)->pairs[2].right",
        "((struct node *)((char *)&first.value - 8))->next->value", "*(int *)((char *)&first + 8)", "((unsigned char *)&ubig)[7]", "*(unsigned short *)&ubig",
        "(unsigned long)head == (unsigned long)&first",
        "head + 1 == (struct node *)((char *)head + sizeof(struct node))", "function == work", "(unsigned long)function", "*function == work", "&word", "*&word",
        "&*head", "(int)(char)byte", "(int)1.9", "(int)-1.9",
        "1.5 + word", "first.small * 3 == 1.5", "010 + 0x10", "100u - 101u > 0", "3 - word * 2",
        "(second.color == BLUE ? first.value : second.value) + 1", "head == 0", "!head", "(_Bool)word",
    ];

    [Fact]
    public void Values_are_gdbs()
    {
        HostTool.Require("gdb", "gdb");
        HostTool.Require("gcc", "gcc");
        string path = Path.Combine(Samples.Folder(), "values");
        ToolResult compiled = HostTool.Run("gcc", ["-g", "-O0", "-no-pie", "-o", path, Repository.PathOf("tests/Symbols.Tests/samples/values.c")], TimeSpan.FromMinutes(1));
        Assert.True(compiled.ExitCode == 0, compiled.Error);
        var arguments = new List<string> { "-nx", "-batch" };
        foreach (string expression in s_expressions) arguments.AddRange(["-ex", $"printf \"%lx\\n\", (unsigned long)({expression})"]);
        arguments.Add(path);
        ToolResult gdb = HostTool.Run("gdb", arguments, TimeSpan.FromMinutes(1));
        string[] expected = gdb.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.True(expected.Length == s_expressions.Length, $"gdb answers {expected.Length} of {s_expressions.Length}: {gdb.Error}");
        using ElfImage image = ElfImage.Open(path);
        FakeProgram program = Map(image);
        var wrong = new List<string>();
        for (int i = 0; i < s_expressions.Length; i++)
        {
            string found;
            try
            {
                found = CompiledExpression.Parse($"(unsigned long)({s_expressions[i]})", program).Number(program).ToString("x", CultureInfo.InvariantCulture);
            }
            catch (ExpressionException e)
            {
                found = e.Message;
            }
            if (found != expected[i]) wrong.Add($"{s_expressions[i]}: gdb has {expected[i]}, we {found}");
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    private static FakeProgram Map(ElfImage image)
    {
        var program = new FakeProgram { Behind = address => ByteAt(image, address) };
        RecordType pair = program.Structure("pair", 4, Member("left", CTypes.Short, 0), Member("right", CTypes.UnsignedChar, 2));
        RecordType number = program.Union("number", 8, Member("whole", CTypes.Long(8), 0), Member("half", Array(CTypes.Int, 2), 0), Member("bytes", Array(CTypes.UnsignedChar, 8), 0));
        var color = new EnumerationType("color", 4, false, () => [new Enumerator("RED", 1), new Enumerator("GREEN", 2), new Enumerator("BLUE", 12)]);
        program.Named["color"] = color;
        foreach (Enumerator one in color.Enumerators) program.Constants[one.Name] = new Constant(one.Value, color);
        RecordType inner = program.Structure(null, 8, Member("inner", CTypes.Int, 0), Member(null, program.Union(null, 4, Member("a", CTypes.Int, 0), Member("b",
            Array(CTypes.Char, 4), 0)), 4));
        RecordType node = program.Structure("node", 88, Member("next", To(() => program.Named["node"]), 0), Member("value", CTypes.Int, 8), new RecordMember("low",
            CTypes.UnsignedInt, 96, 3),
            new RecordMember("high", CTypes.Int, 99, 5), new RecordMember("wide", CTypes.UnsignedLongLong, 128, 40), Member(null, inner, 24), Member("pairs", Array(pair, 3), 32),
            Member("number", number, 48), Member("color", color, 56), Member("real", CTypes.Double, 64), Member("small", CTypes.Float, 72), Member("name", Array(CTypes.Char, 8), 76));
        var work = new FunctionType(() => CTypes.Int, () => [new FunctionParameter("x", CTypes.Int)], false);
        (string, DebugType)[] variables =
        [
            ("first", node), ("second", node), ("head", To(node)), ("matrix", Array(Array(CTypes.Int, 3), 2)), ("row", To(CTypes.Int)), ("byte", CTypes.UnsignedChar),
            ("sbyte", CTypes.SignedChar),
            ("half", CTypes.UnsignedShort), ("word", CTypes.Int), ("uword", CTypes.UnsignedInt), ("big", CTypes.Long(8)), ("ubig", CTypes.UnsignedLong(8)), ("text",
            To(CTypes.Char)), ("truth", CTypes.Bool),
            ("work", work), ("function", To(work)),
        ];
        foreach ((string name, DebugType type) in variables) program.Variables[name] = TypedValue.InMemory(type, image.Symbols.ByName(name)[0].Address);
        return program;
    }

    private static byte? ByteAt(ElfImage image, ulong address)
    {
        foreach (ElfSection section in image.Sections)
        {
            if (!section.IsAllocated || !section.Range.Contains(address)) continue;
            return section.Type == ElfSection.NoBitsType ? (byte)0 : image.Data(section).Window(address - section.Address, 1).Span[0];
        }
        return null;
    }
}
