using System;
using System.Text;
using Symbols.Expressions;
using Symbols.Types;
using Xunit;
using static Symbols.Tests.Expressions.FakeProgram;

namespace Symbols.Tests.Expressions;

/// <summary>Expressions over a small program in memory, and over registers and memory without types.</summary>
public sealed class ExpressionTests
{
    private static FakeProgram Make()
    {
        var program = new FakeProgram();
        RecordType? node = null;
        node = program.Structure("node", 40,
            Member("next", To(() => node!), 0), Member("value", CTypes.Int, 8), new RecordMember("low", CTypes.UnsignedInt, 96, 3), new RecordMember("high", CTypes.Int, 99, 5),
            Member(null, program.Union(null, 8, Member("number", CTypes.Long(8), 0), Member("letters", FakeProgram.Array(CTypes.Char, 8), 0)), 16), Member("link", CTypes.LongLong, 24),
            Member("small", FakeProgram.Array(CTypes.Short, 4), 32));
        var color = new EnumerationType("color", 4, false, () => [new Enumerator("RED", 1), new Enumerator("GREEN", 2)]);
        program.Named["color"] = color;
        program.Constants["RED"] = new Constant(1, color);
        program.Constants["GREEN"] = new Constant(2, color);
        program.Constants["LIMIT"] = new Constant(100, null);
        program.Named["node_t"] = new AliasType("node_t", () => node);
        program.Add("first", node, 0x1000, [.. BitConverter.GetBytes(0x2000UL), .. BitConverter.GetBytes(-5), 0x8D, 0, 0, 0, .. Encoding.ASCII.GetBytes("abc\0defg"),
            .. BitConverter.GetBytes(77L), 1, 0, 0xFF, 0xFF, 3, 0, 4, 0]);
        program.Put(0x2000, [.. BitConverter.GetBytes(0UL), .. BitConverter.GetBytes(9), .. new byte[28]]);
        program.Add("head", To(node), 0x3000, BitConverter.GetBytes(0x1000UL));
        program.Add("numbers", FakeProgram.Array(CTypes.Int, 6), 0x4000, [.. BitConverter.GetBytes(10), .. BitConverter.GetBytes(11), .. BitConverter.GetBytes(12),
            .. BitConverter.GetBytes(13), .. BitConverter.GetBytes(14), .. BitConverter.GetBytes(15)]);
        program.Add("rbx", CTypes.Int, 0x5000, BitConverter.GetBytes(1234));
        program.Add("name", To(CTypes.Char), 0x5010, BitConverter.GetBytes(0x1010UL));
        program.Add("paint", color, 0x5020, BitConverter.GetBytes(2));
        program.Add("file.c::hidden", CTypes.Int, 0x5030, BitConverter.GetBytes(31));
        program.Add("counter::calls", CTypes.Int, 0x5040, BitConverter.GetBytes(32));
        program.Add("reference", new PointerType(PointerKind.Reference, 8, () => CTypes.Int), 0x5050, BitConverter.GetBytes(0x1008UL));
        program.Add("bad", To(node), 0x5060, BitConverter.GetBytes(0xdead0000UL));
        program.Add("extended", CTypes.LongDouble, 0x5070, [0, 0, 0, 0, 0, 0, 0, 0xC0, 0, 0xC0, 0, 0, 0, 0, 0, 0]);
        program.Variables["gone"] = TypedValue.Missing(CTypes.Int, "optimised out");
        program.Variables["work"] = TypedValue.InMemory(new FunctionType(() => CTypes.Int, () => [], false), 0x40_1000);
        program.Registers["rax"] = new RegisterValue(0x1000, 8);
        program.Registers["rbx"] = new RegisterValue(0xB, 8);
        program.Registers["eax"] = new RegisterValue(0xFFFF_FFFF, 4);
        program.SymbolAddresses["start"] = 0x4000;
        return program;
    }

    [Theory]
    // Without types, as it always was: 64 bits, unsigned.
    [InlineData("rax", 0x1000)]
    [InlineData("$rax", 0x1000)]
    [InlineData("RAX", 0x1000)]
    [InlineData("eax + 1", 0x1_0000_0000)]
    [InlineData("-1", -1)]
    [InlineData("-1 / 2", 0x7FFF_FFFF_FFFF_FFFF)]
    [InlineData("1 << 40", 0x100_0000_0000)]
    [InlineData("1_000", 1000)]
    [InlineData("[rax]", 0x2000)]
    [InlineData("*rax", 0x2000)]
    [InlineData("dword[rax+8]", 0xFFFF_FFFB)]
    [InlineData("byte [ 0x1010 ]", 'a')]
    [InlineData("word[0x1010] & 0xff00", 0x6200)]
    [InlineData("qword[rax] + --5", 0x2005)]
    [InlineData("start", 0x4000)]
    [InlineData("dword[start+4]", 11)]
    [InlineData("(1 + 2) * 3 == 9 && !0", 1)]
    [InlineData("1 || [0x99999999]", 1)]
    [InlineData("0x10 + 010 + 0b11", 27)]
    // A variable hides a register of its name, but not behind a dollar sign.
    [InlineData("rbx", 1234)]
    [InlineData("$rbx", 0xB)]
    // Members, pointers, arrays.
    [InlineData("first.value", -5)]
    [InlineData("head->value", -5)]
    [InlineData("head.value", -5)]
    [InlineData("head->next->value", 9)]
    [InlineData("(*head).next->next == 0", 1)]
    [InlineData("first.low", 5)]
    [InlineData("first.high", -15)]
    [InlineData("first.letters[1]", 'b')]
    [InlineData("first.number & 0xff", 'a')]
    [InlineData("first.small[1]", -1)]
    [InlineData("numbers[2]", 12)]
    [InlineData("2[numbers]", 12)]
    [InlineData("*(numbers + 3)", 13)]
    [InlineData("&numbers[4] - numbers", 4)]
    [InlineData("&numbers[4] - &numbers[5]", -1)]
    [InlineData("numbers", 0x4000)]
    [InlineData("&head->link", 0x1018)]
    [InlineData("head + 1", 0x1028)]
    [InlineData("(long)head + 1", 0x1001)]
    [InlineData("numbers[1..3][2]", 12)]
    [InlineData("(*numbers@4)[3]", 13)]
    [InlineData("sizeof(numbers[1..3])", 8)]
    [InlineData("sizeof first", 40)]
    [InlineData("sizeof(struct node)", 40)]
    [InlineData("sizeof(node_t *)", 8)]
    [InlineData("sizeof(int (*)[4])", 8)]
    [InlineData("sizeof(int [4])", 16)]
    [InlineData("sizeof(unsigned long long int)", 8)]
    [InlineData("sizeof bad->small", 8)]
    [InlineData("sizeof 'a' + sizeof 1 + sizeof 1L", 13)]
    [InlineData("_Alignof(struct node)", 8)]
    [InlineData("offsetof(struct node, link)", 24)]
    [InlineData("offsetof(struct node, letters[3])", 19)]
    [InlineData("container_of(&first.link, struct node, link)->value", -5)]
    [InlineData("((struct node *)rax)->value", -5)]
    [InlineData("((node_t *)0x2000)->value", 9)]
    [InlineData("*(int *)0x4004", 11)]
    [InlineData("*(u16 *)(start + 8)", 12)]
    [InlineData("(unsigned char)-1", 255)]
    [InlineData("(int)3000000000", -1294967296)]
    [InlineData("first.value < 0", 1)]
    [InlineData("first.value < 0u", 0)]
    [InlineData("first.value / 2", -2)]
    [InlineData("first.value >> 1", -3)]
    [InlineData("first.value == -5", 1)]
    [InlineData("paint == GREEN", 1)]
    [InlineData("paint == RED + 1", 1)]
    [InlineData("color::GREEN", 2)]
    [InlineData("LIMIT * 2", 200)]
    [InlineData("'file.c'::hidden", 31)]
    [InlineData("counter::calls", 32)]
    [InlineData("reference", -5)]
    [InlineData("&reference", 0x1008)]
    [InlineData("name == \"abc\"", 1)]
    [InlineData("name != \"ab\"", 1)]
    [InlineData("first.letters == \"abc\"", 1)]
    [InlineData("\"x\" == name", 0)]
    [InlineData("work == 0x401000", 1)]
    [InlineData("*work == &work", 1)]
    [InlineData("extended == -3.0", 1)]
    [InlineData("extended * 2 < -5", 1)]
    [InlineData("head ? head->value : bad->value", -5)]
    [InlineData("first.value,x", -5)]
    public void Values(string expression, long expected)
    {
        FakeProgram program = Make();
        CompiledExpression compiled = CompiledExpression.Parse(expression, program);
        Assert.Equal((ulong)expected, compiled.Number(program));
        Assert.Equal((ulong)expected, compiled.Number(program));
    }

    [Fact]
    public void A_variable_that_the_compiler_did_not_keep_has_no_number()
    {
        FakeProgram program = Make();
        var e = Assert.Throws<ExpressionException>(() => CompiledExpression.Evaluate("gone + 1", program));
        Assert.Equal(ExpressionProblem.NotAvailable, e.Problem);
        Assert.Equal("'gone' is not known: optimised out", e.Message);
        Assert.Equal("optimised out", CompiledExpression.Evaluate("gone", program).Unavailable);
    }

    [Theory]
    [InlineData("first.value", "int")]
    [InlineData("&first", "struct node *")]
    [InlineData("numbers[1..3]", "int[2]")]
    [InlineData("*numbers@4", "int[4]")]
    [InlineData("(const char *)0", "const char *")]
    [InlineData("(int (*)(void *, int))0", "int (*)(void *, int)")]
    [InlineData("(struct node *(*)[4])0", "struct node *(*)[4]")]
    [InlineData("first.value + 1L", "long")]
    [InlineData("first.value + 1", "int")]
    [InlineData("first.low + 1", "int")]
    [InlineData("first.value + 1.0f", "float")]
    [InlineData("first.small[0]", "short")]
    [InlineData("+first.small[0]", "int")]
    [InlineData("head + 1", "struct node *")]
    [InlineData("head - head", "long")]
    [InlineData("head < head", "int")]
    [InlineData("paint", "enum color")]
    [InlineData("work", "int (void)")]
    [InlineData("&work", "int (*)(void)")]
    public void Types(string expression, string expected) => Assert.Equal(expected, TypeText.Of(CompiledExpression.Evaluate(expression, Make()).Type!));

    [Theory]
    [InlineData("nothing", "'nothing' is neither a register nor a known symbol", 0)]
    [InlineData("1 + ", "the expression ends too early", 4)]
    [InlineData("1 + )", "')' is not understood here", 4)]
    [InlineData("(1 2)", "a ')' is missing", 3)]
    [InlineData("1 2", "'2' is not understood here", 2)]
    [InlineData("1 / 0", "division by zero", 2)]
    [InlineData("first.value % 0", "division by zero", 12)]
    [InlineData("[0x99999999]", "no memory can be read at 0x99999999", 0)]
    [InlineData("bad->value", "no memory can be read at 0xdead0008", 3)]
    [InlineData("0xfffffffffffffffff", "'0xfffffffffffffffff' is not a number of at most 64 bits", 0)]
    [InlineData("dword", "'dword' needs an address in brackets: dword[rsp]", 0)]
    [InlineData("first.nothing", "'struct node' has no member 'nothing'", 5)]
    [InlineData("(struct none *)0", "there is no type 'struct none'", 1)]
    [InlineData("rax->next", "'rax' has no type: cast it first, as in ((struct foo *)p)->next", 3)]
    [InlineData("first + 1", "'first' is a 'struct node', not a number", 0)]
    [InlineData("&first.low", "'low' is a bit-field: it has no address", 0)]
    [InlineData("&rax", "'rax' is in the register rax: it has no address", 0)]
    [InlineData("*(void *)rax", "what a void * points to is not known: cast it first, as in *(int *)p", 0)]
    [InlineData("work(1)", "work(...) would run the guest: nothing is called here", 4)]
    [InlineData("first.value = 3", "nothing is changed by an expression here: '==' compares", 12)]
    [InlineData("head + head", "two pointers cannot be added", 5)]
    [InlineData("$nothing", "there is no register 'nothing'", 0)]
    [InlineData("1,q", "',q' is no way to show a value: ,x ,d ,o ,b ,c ,s ,r or ,[COUNT]", 2)]
    [InlineData("09", "'09' is not an octal number of at most 64 bits, as which a 0 before digits is read", 0)]
    public void Mistakes(string expression, string message, int position)
    {
        var e = Assert.Throws<ExpressionException>(() => CompiledExpression.Evaluate(expression, Make()));
        Assert.Equal(message, e.Message);
        Assert.Equal(position, e.Position);
    }

    [Theory]
    [InlineData("first.value = 3", "first.value", 3)]
    [InlineData("first.value += 7", "first.value", 2)]
    [InlineData("first.low = 2", "first.low", 2)]
    [InlineData("first.low = 2", "first.high", -15)]
    [InlineData("first.high = 9", "first.high", 9)]
    [InlineData("numbers[5] = numbers[0] = 8", "numbers[5] * numbers[0]", 64)]
    [InlineData("head = head->next", "head->value", 9)]
    [InlineData("first.small[0] = 0x12345", "first.small[0]", 0x2345)]
    [InlineData("extended = 2.5", "extended * 2 == 5", 1)]
    [InlineData("byte[0x4001] = 0x7ff", "numbers[0]", 0xFF0A)]
    [InlineData("rax = 5", "rax", 5)]
    [InlineData("reference = 6", "first.value", 6)]
    [InlineData("*head = *head->next", "first.value", 9)]
    [InlineData("paint = RED", "paint", 1)]
    [InlineData("work(first.value, head)", "1", 1)]
    public void Assignments(string assignment, string afterwards, long expected)
    {
        FakeProgram program = Make();
        program.CanWrite = program.CanCall = true;
        CompiledExpression.Evaluate(assignment, program);
        Assert.Equal((ulong)expected, CompiledExpression.Parse(afterwards, program).Number(program));
        if (program.LastArguments.Count > 0) Assert.Equal(["int", "struct node *"], [TypeText.Of(program.LastArguments[0].Type!), TypeText.Of(program.LastArguments[1].Type!)]);
    }

    [Theory]
    [InlineData("rax,x", ValueRadix.Hexadecimal, null)]
    [InlineData("rax,d", ValueRadix.Decimal, null)]
    [InlineData("head,[3]", ValueRadix.Natural, 3)]
    [InlineData("head,5,x", ValueRadix.Hexadecimal, 5)]
    public void Formats(string expression, ValueRadix radix, int? count)
    {
        ValueFormat format = CompiledExpression.Parse(expression, Make()).Format;
        Assert.Equal(radix, format.Radix);
        Assert.Equal((ulong?)count, format.Count);
    }

    [Fact]
    public void Whatever_is_typed_only_mistakes_come_of_it()
    {
        FakeProgram program = Make();
        program.CanWrite = true;
        var random = new Random(7);
        string[] words =
        [
            "first", "head", "numbers", "rax", "[", "]", "(", ")", "->", ".", "value", "next", "*", "&", "-", "+", "/", "%", "<<", "?", ":", "sizeof", "struct", "node", "int", "unsigned",
            "1", "0x", "'a'", "\"s\"", "'", "\"", ",", "..", "@", "=", "+=", "::", "dword", "phys", "offsetof", "container_of", "gone", "$", "1e9", "9999999999", "{",
            "\\", "é", "color", "!", "~",
            "work", "extended", "reference", "0", "bad", "name", "small", "letters", "void", "const",
        ];
        int values = 0;
        for (int i = 0; i < 60_000; i++)
        {
            var text = new StringBuilder();
            for (int n = random.Next(1, 14); n > 0; n--)
            {
                text.Append(words[random.Next(words.Length)]);
                if (random.Next(3) == 0) text.Append(' ');
                if (random.Next(40) == 0) text.Append((char)random.Next(1, 0x300));
            }
            try
            {
                CompiledExpression.Parse(text.ToString(), program).Number(program);
                values++;
            }
            catch (ExpressionException e)
            {
                Assert.NotEqual("", e.Message);
            }
        }
        Assert.True(values > 100, $"only {values} expressions had a value");
    }

    [Fact]
    public void Depth_and_length_are_bounded()
    {
        FakeProgram program = Make();
        foreach (string deep in (string[])[new('(', 4000), new('-', 4000), new('[', 4000), new('!', 4000), string.Concat(System.Linq.Enumerable.Repeat("1?", 2000)),
            "1" + new string('+', 3000) + "1", string.Join('+', new string[2000]) + "1", string.Concat(System.Linq.Enumerable.Repeat("1+", 2000)) + "1",
            "(int" + new string('*', 3000) + ")0",
            "(int (" + string.Concat(System.Linq.Enumerable.Repeat("*(", 1500)), "head" + string.Concat(System.Linq.Enumerable.Repeat("->next", 600)), new string('1', 5000),
            string.Concat(System.Linq.Enumerable.Repeat("head=", 800)) + "0", string.Concat(System.Linq.Enumerable.Repeat("work(", 800))])
            Assert.Throws<ExpressionException>(() => CompiledExpression.Evaluate(deep, program));
    }
}
