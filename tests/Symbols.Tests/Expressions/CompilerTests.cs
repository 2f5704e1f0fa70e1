using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Text;
using Symbols.Expressions;
using Symbols.Types;
using TestKit;
using Xunit;

namespace Symbols.Tests.Expressions;

/// <summary>C's arithmetic against a C compiler: random expressions over variables of every type, each computed by both.</summary>
public sealed class CompilerTests
{
    private const int Count = 1500;

    // Each with the words C has for it; two variables of each type, one of them small.
    private static readonly (string Name, BaseType Type, string Format)[] s_types =
    [
        ("bool", CTypes.Bool, "1"), ("char", CTypes.Char, "1"), ("unsigned char", CTypes.UnsignedChar, "1"), ("short", CTypes.Short, "2"),
        ("unsigned short", CTypes.UnsignedShort, "2"), ("int", CTypes.Int, "4"), ("unsigned int", CTypes.UnsignedInt, "4"), ("long", CTypes.Long(8), "8"),
        ("unsigned long", CTypes.UnsignedLong(8), "8"), ("long long", CTypes.LongLong, "8"), ("unsigned long long", CTypes.UnsignedLongLong, "8"),
    ];

    private static readonly string[] s_comparisons = ["<", "<=", ">", ">=", "==", "!="];
    private static readonly string[] s_numbers = ["0x80000000", "0xffffffff", "2147483648", "0x7fffffffffffffff", "'A'", "3u", "7L", "9ULL", "0777", "0", "17", "-1", "~0x80"];

    [Theory]
    [InlineData(1)]
    [InlineData(20_26)]
    public void Integers_are_computed_as_a_compiler_does(int seed)
    {
        HostTool.Require("gcc", "gcc");
        var random = new Random(seed);
        var program = new FakeProgram();
        var source = new StringBuilder("#include <stdio.h>\n#include <stdbool.h>\n");
        var names = new List<string>();
        for (int i = 0; i < s_types.Length * 2; i++)
        {
            (string word, BaseType type, _) = s_types[i / 2];
            ulong bits = i % 2 == 0 ? (ulong)random.NextInt64() << 1 : (ulong)random.Next(1, 9);
            if (type == CTypes.Bool) bits &= 1;
            string name = $"v{i}";
            names.Add(name);
            var bytes = new byte[8];
            BinaryPrimitives.WriteUInt64LittleEndian(bytes, bits);
            program.Add(name, type, 0x1000 + (ulong)i * 16, bytes.AsSpan(0, (int)type.SizeBytes!.Value));
            source.Append(CultureInfo.InvariantCulture, $"volatile {word} {name} = ({word})0x{bits:x}ULL;\n");
        }
        // A structure of bit-fields: bits of 3, 7, 31 and 32, signed and not.
        RecordType fields = program.Structure("fields", 16,
            new RecordMember("a", CTypes.Int, 0, 3), new RecordMember("b", CTypes.UnsignedInt, 3, 7), new RecordMember("c", CTypes.Int, 32, 31),
            new RecordMember("d", CTypes.UnsignedInt, 64, 32), new RecordMember("e", CTypes.UnsignedInt, 96, 31));
        byte[] held = new byte[16];
        random.NextBytes(held);
        program.Add("f", fields, 0x9000, held);
        source.Append("struct fields { int a:3; unsigned b:7; int c:31; unsigned d:32; unsigned e:31; };\nunion { unsigned char bytes[16]; struct fields f; } volatile u = {{");
        foreach (byte b in held) source.Append(CultureInfo.InvariantCulture, $"{b},");
        source.Append("}};\n#define f u.f\nint main(void) {\n");
        foreach (string field in (string[])["f.a", "f.b", "f.c", "f.d", "f.e"]) names.Add(field);

        var expressions = new List<string>();
        for (int i = 0; i < Count; i++)
        {
            // A sign before it, as sizeof takes no bit-field.
            string expression = $"+({Make(random, names, 0)})";
            expressions.Add(expression);
            source.Append(CultureInfo.InvariantCulture, $"printf(\"%d %016llx\\n\", (int)sizeof({expression}), (unsigned long long)({expression}));\n");
        }
        source.Append("return 0; }\n");
        string[] expected = Run(source.ToString(), $"random-{seed}");
        Assert.Equal(Count, expected.Length);
        var wrong = new List<string>();
        for (int i = 0; i < Count; i++)
        {
            string found;
            try
            {
                TypedValue value = CompiledExpression.Evaluate($"(unsigned long long)({expressions[i]})", program);
                TypedValue size = CompiledExpression.Evaluate($"sizeof({expressions[i]})", program);
                found = $"{BitConverter.ToUInt64(size.KnownBytes!.Value.Span)} {BitConverter.ToUInt64(value.KnownBytes!.Value.Span):x16}";
            }
            catch (ExpressionException e)
            {
                found = e.Message;
            }
            if (found != expected[i]) wrong.Add($"{expressions[i]}: the compiler has {expected[i]}, we {found}");
        }
        Assert.True(wrong.Count == 0, $"{wrong.Count} differ\n{string.Join('\n', wrong[..Math.Min(20, wrong.Count)])}");
    }

    // Divisors and distances of shifts are kept to what C defines.
    private static string Make(Random random, List<string> names, int depth)
    {
        if (depth > 4 || random.Next(6) == 0) return Leaf(random, names);
        string a = Make(random, names, depth + 1), b = Make(random, names, depth + 1);
        string word = s_types[random.Next(s_types.Length)].Name;
        return random.Next(14) switch
        {
            0 => $"({a} + {b})",
            1 => $"({a} - {b})",
            2 => $"({a} * {b})",
            3 => $"({a} / (({b}) | 1 ? (({b}) & 7) + 3 : 1))",
            4 => $"({a} % ((({b}) & 15) + 5))",
            5 => $"({a} {s_comparisons[random.Next(6)]} {b})",
            6 => $"({a} & {b} ^ {Leaf(random, names)})",
            7 => $"({a} | {b})",
            8 => $"(({a}) << (({b}) & 7))",
            9 => $"(({a}) >> (({b}) & 7))",
            10 => $"({a} ? {b} : {Leaf(random, names)})",
            11 => $"({word})({a})",
            12 => $"({a} {(random.Next(2) == 0 ? "&&" : "||")} {b})",
            _ => $"{"-~!+"[random.Next(4)]}({a})",
        };
    }

    // A number alone has 64 bits in a debugger: here each meets a variable at once, so that C's rules hold for it.
    private static string Leaf(Random random, List<string> names)
    {
        string name = names[random.Next(names.Count)];
        return random.Next(3) switch
        {
            0 => $"({name} {"+-&|^"[random.Next(5)]} {s_numbers[random.Next(s_numbers.Length)]})",
            1 => $"({random.Next(300).ToString(CultureInfo.InvariantCulture)} {s_comparisons[random.Next(6)]} {name})",
            _ => name,
        };
    }

    [Fact]
    public void Floating_point_is_computed_as_a_compiler_does()
    {
        HostTool.Require("gcc", "gcc");
        var program = new FakeProgram();
        program.Add("d", CTypes.Double, 0x100, BitConverter.GetBytes(-3.75));
        program.Add("s", CTypes.Float, 0x110, BitConverter.GetBytes(1.1f));
        program.Add("i", CTypes.Int, 0x120, BitConverter.GetBytes(-7));
        program.Add("u", CTypes.UnsignedLong(8), 0x130, BitConverter.GetBytes(0xFFFF_FFFF_FFFF_FFF0));
        string[] expressions =
        [
            "d + s", "s * s", "s / 3", "d / i", "i / 2", "i / 2.0", "u * 1.0f", "(float)u", "(int)d", "(unsigned char)200.7", "d < i", "d == -3.75", "!d", "d && s", "-s",
            "d ? s : i", "1.5e3 + .5", "1e-2f", "(long)(s * 1000)", "i * s - d", "(double)(float)0.1", "i > s ? 1 : 2.5",
        ];
        var source = new StringBuilder("#include <stdio.h>\nvolatile double d = -3.75; volatile float s = 1.1f;\n");
        source.Append("volatile int i = -7; volatile unsigned long u = 0xfffffffffffffff0;\nint main(void) {\n");
        foreach (string one in expressions) source.Append(CultureInfo.InvariantCulture, $"printf(\"%d %.17g\\n\", (int)sizeof({one}), (double)({one}));\n");
        string[] expected = Run(source.Append("return 0; }\n").ToString(), "floating");
        for (int i = 0; i < expressions.Length; i++)
        {
            double value = BitConverter.ToDouble(CompiledExpression.Evaluate($"(double)({expressions[i]})", program).KnownBytes!.Value.Span);
            ulong size = CompiledExpression.Parse($"sizeof({expressions[i]})", program).Number(program);
            string[] words = expected[i].Split(' ');
            Assert.Equal($"{expressions[i]}: {words[0]} {double.Parse(words[1], CultureInfo.InvariantCulture):R}", $"{expressions[i]}: {size} {value:R}");
        }
    }

    private static string[] Run(string source, string name)
    {
        string path = Path.Combine(Samples.Folder(), name);
        File.WriteAllText(path + ".c", source);
        ToolResult compiled = HostTool.Run("gcc", ["-w", "-O0", "-fwrapv", "-o", path, path + ".c"], TimeSpan.FromMinutes(2));
        Assert.True(compiled.ExitCode == 0, compiled.Error);
        return HostTool.Run(path, [], TimeSpan.FromMinutes(1)).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
