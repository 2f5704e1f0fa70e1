using System;
using System.Collections.Generic;
using System.Linq;
using Symbols.Dwarf;
using Symbols.Dwarf.Frames;
using Symbols.Dwarf.Functions;
using Symbols.Elf;
using Symbols.Expressions;
using Symbols.Tests.Expressions;
using Symbols.Tests.Variables;
using Symbols.Types;
using Xunit;

namespace Symbols.Tests.Macros;

/// <summary>Expressions with macros in a frame of a running program against gdb, which expands them as C's preprocessor does.</summary>
public sealed class MacroValueTests
{
    private static readonly string[] s_equal =
    [
        "PAGE_SHIFT", "PAGE_SIZE", "PAGE_MASK", "ONE_PLUS", "ONE_PLUS * 2", "2 * ONE_PLUS", "(PAGE_SIZE - 1) & ~PAGE_MASK", "x * PAGE_SIZE", "(long)sizeof(PAGE_SIZE)",
        "(long)sizeof(PAGE_SHIFT)",
        "EMPTY 3", "MAX(1, 2)", "MAX(x, 2) + 1", "MAX(MAX(x, 7), MAX(4, x * 5))", "MAX((1, 2), 1)", "ADD3(1, 2, 3) * 2", "LIST(1, 2, 3)", "TAIL(1, 2, 3)", "JOIN(PAGE_, SIZE)",
        "JOIN(1, 2)", "JOIN(x, ) + 1", "TEXT(a + b)[0]", "TEXT_OF(PAGE_SHIFT)[1]", "(long)sizeof(TEXT(a  +  b))", "(long)sizeof TEXT_OF(ONE_PLUS)", "NOTHING()", "NOTHING ( ) + 1",
        "PICK(1, PICK(2, 3))", "(WORD)0x12345", "(long)sizeof(WORD)", "GLOBAL", "GLOBAL + PAGE_SHIFT", "POINTER->first", "*POINTER", "DEEP", "object.FIELD", "POINTER->FIELD",
        "MASK(12)", "MASK(64)", "MASK(x)", "(long)ARRAY_SIZE(numbers)", "LETTER", "LETTER + 1", "REAL * 2", "MEMBER", "HEADER_SIZE", "TWICE(HEADER_SIZE)",
        "TWICE(TWICE(x))", "inner",
        "PAGE_SHIFT_2", "__SIZEOF_LONG__", "EAGAIN", "UINT8_MAX", "UINT64_C(7)", "INT64_MAX",
    ];

    // What gdb refuses; it is not asked to call functions.
    private static readonly (string Expression, string Gdb, string Ours)[] s_refused =
    [
        // Names that go on for ever stop at themselves, as in C.
        ("SELF", "No symbol \"SELF\"", "'SELF' is neither a register nor a known symbol"),
        ("FIRST", "No symbol \"FIRST\"", "'FIRST' is neither a register nor a known symbol"),
        ("MAX(1)", "Wrong number of arguments to macro `MAX'", "the macro 'MAX' takes 2 arguments, not 1"),
        ("MAX(1, 2", "Malformed argument list for macro `MAX'", "a ')' is missing behind the arguments of the macro 'MAX'"),
        ("MAX", "No symbol \"MAX\"", "'MAX' is a macro with arguments: MAX(a, b)"),
        ("STATEMENT", "A syntax error", "'{' in the macro 'STATEMENT' is not understood here"),
        ("CALL()", "", "work(...) would run the guest: nothing is called here"),
        ("errno + ", "A syntax error", "the expression ends too early"),
    ];

    // gdb does not look at the brackets behind a macro that stands for the name of another: C17 6.10.3.4 does.
    private static readonly (string Expression, ulong Value)[] s_compilers = [("CALLED(3, 4)", 4), ("CALLED(3, CALLED(1, 2)) + 1", 3)];

    // What does not hold where the frame is has a value all the same, if any unit has it: gdb knows no such name.
    private static readonly (string Expression, ulong Value)[] s_elsewhere =
        [("LOCAL_LIMIT", 10), ("AFTER", 77), ("ONLY_THERE", 66), ("AFTER + PAGE_SHIFT", 89)];

    [Theory]
    [InlineData("-gdwarf-5")]
    [InlineData("-gdwarf-4")]
    [InlineData("-gdwarf-4 -gstrict-dwarf")]
    public void Values_are_gdbs(string flags)
    {
        string program = MacroSamples.Get(flags);
        GdbStop stop = GdbStops.Run(program, "halved", "work", [.. s_equal, .. s_refused.Select(one => one.Gdb.Length > 0 ? one.Expression : "0"),
        .. s_elsewhere.Select(one => one.Expression)])[0];
        using ElfImage image = ElfImage.Open(program);
        DwarfInfo info = DwarfInfo.Open(image);
        StopEnvironment environment = StopEnvironment.Of(stop, "work", info, new FrameUnwinder(image));
        var wrong = new List<string>();
        for (int i = 0; i < s_equal.Length; i++)
        {
            string ours = Ours(s_equal[i], environment);
            if (ours != stop.Results[i]) wrong.Add($"{s_equal[i]}: gdb has {stop.Results[i]}, we {ours}");
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        for (int i = 0; i < s_refused.Length; i++)
        {
            string gdb = stop.Results[s_equal.Length + i];
            if (s_refused[i].Gdb.Length > 0) Assert.StartsWith("error " + s_refused[i].Gdb, gdb);
            string message = Assert.Throws<ExpressionException>(() => CompiledExpression.Evaluate(s_refused[i].Expression, environment)).Message;
            Assert.Equal(s_refused[i].Ours, message);
        }
        foreach ((string expression, ulong value) in s_compilers) Assert.Equal(value, CompiledExpression.Parse(expression, environment).Number(environment));
        for (int i = 0; i < s_elsewhere.Length; i++)
        {
            Assert.StartsWith("error No symbol", stop.Results[s_equal.Length + s_refused.Length + i]);
            Assert.Equal(s_elsewhere[i].Value, CompiledExpression.Parse(s_elsewhere[i].Expression, environment).Number(environment));
        }
    }

    [Fact]
    public void Macros_hold_from_line_to_line()
    {
        using ElfImage image = ElfImage.Open(MacroSamples.Get("-gdwarf-5"));
        DwarfInfo info = DwarfInfo.Open(image);
        DebugFunction work = info.FunctionsByName("work")[0];
        SourceFrame frame = info.FramesAt(work.EntryPc)[^1];
        string[] source = System.IO.File.ReadAllLines(frame.Path!);
        uint first = LineOf("int PAGE_SHIFT_2"), second = LineOf("int inner"), last = LineOf("return inner");
        Assert.Equal("10", info.FindMacro("LOCAL_LIMIT", frame with { Line = first })?.Body);
        Assert.Equal("20", info.FindMacro("LOCAL_LIMIT", frame with { Line = second })?.Body);
        Assert.Null(info.FindMacro("LOCAL_LIMIT", frame with { Line = last }));
        Assert.Equal("64", info.FindMacro("HEADER_SIZE", frame with { Line = last })?.Body);
        Assert.Equal("128", info.FindMacro("HEADER_SIZE", frame with { Line = last + 5 })?.Body);
        // Of a header: what holds where it is first included.
        DebugFunction halved = info.FunctionsByName("halved").First(function => function.UnitName == work.UnitName);
        SourceFrame inside = info.FramesAt(halved.EntryPc)[^1];
        Assert.Equal("64", info.FindMacro("HEADER_SIZE", inside)?.Body);
        Assert.Null(info.FindMacro("PAGE_SHIFT", inside));
        Assert.NotNull(info.FindMacro("EAGAIN", inside));

        uint LineOf(string text) => (uint)Array.FindIndex(source, line => line.Contains(text, StringComparison.Ordinal)) + 1;
    }

    [Fact]
    public void Macros_have_an_end()
    {
        var program = new FakeProgram();
        void Define(string text) => program.Macros[MacroDefinition.Read(text, null, 0).Name] = MacroDefinition.Read(text, null, 0);
        Define("D0 1");
        for (int i = 1; i < 40; i++) Define($"D{i} D{i - 1} + D{i - 1}");
        Assert.Equal(16UL, CompiledExpression.Parse("D4", program).Number(program));
        string message = Assert.Throws<ExpressionException>(() => CompiledExpression.Parse("D30", program)).Message;
        Assert.Equal("the expression has more than 512 parts", message);
        for (int i = 0; i < 20; i++) Define($"E{i}(x) E{i + 1}(x x x x)");
        message = Assert.Throws<ExpressionException>(() => CompiledExpression.Parse("E0(1)", program)).Message;
        Assert.EndsWith("comes to more than 8192 words", message);
        Define("F(x) x(x)");
        Assert.Throws<ExpressionException>(() => CompiledExpression.Parse("F(F)", program).Number(program));
        Define("G 'a");
        Assert.Equal("the macro 'G' cannot be read: a ' is missing", Assert.Throws<ExpressionException>(() => CompiledExpression.Parse("G", program)).Message);
        Define("H(a, b) a##b");
        Assert.Equal("the macro 'H' puts '1' and '+' together, which is no word", Assert.Throws<ExpressionException>(() => CompiledExpression.Parse("H(1, +)", program)).Message);
        // The program's own variable is meant by its name, and formats are not names.
        program.Add("own", CTypes.Int, 0x100, BitConverter.GetBytes(5));
        Define("own 6");
        Define("x 7");
        Assert.Equal(5UL, CompiledExpression.Parse("own,x", program).Number(program));
        Assert.Equal(ValueRadix.Hexadecimal, CompiledExpression.Parse("own,x", program).Format.Radix);
    }

    private static string Ours(string expression, StopEnvironment environment)
    {
        try
        {
            TypedValue value = CompiledExpression.Evaluate(expression, environment);
            // Numbers alone have 64 bits here: by C's rules some have less.
            if (value.IsUntyped) value = CompiledExpression.Evaluate($"({expression}) + (char)0", environment);
            return string.Join(' ', Leaves.Of("", value, environment));
        }
        catch (ExpressionException e)
        {
            return e.Message;
        }
    }
}
