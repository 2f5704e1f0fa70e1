using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using Introspection.Programs;
using Introspection.Values;
using Symbols.Expressions;
using Symbols.Tests.Expressions;
using Symbols.Types;
using Xunit;
using static Symbols.Tests.Expressions.FakeProgram;

namespace Introspection.Tests.Values;

/// <summary>How values of a small program in memory are shown.</summary>
public sealed class ValueTests
{
    private sealed class Names : ISymbolSource
    {
        public string? NameOf(ulong linear, out ulong offset)
        {
            offset = linear - 0x40_0000;
            return linear is >= 0x40_0000 and < 0x40_0100 ? "work" : null;
        }

        public SourcePosition? LineOf(ulong linear) => null;
        public ulong? AddressOf(string name) => null;
        public ulong? SizeOf(string name) => null;
    }

    private static readonly EnumerationType s_color = new("color", 4, false, () => [new Enumerator("RED", 0), new Enumerator("GREEN", 1), new Enumerator("BLUE", 3)]);
    private static readonly EnumerationType s_mask = new("mask", 4, false, () => [new Enumerator("NONE", 0), new Enumerator("A", 1), new Enumerator("B", 2), new Enumerator("C", 8)]);

    private static FakeProgram Make()
    {
        var program = new FakeProgram();
        RecordType head = program.Structure("list_head", 16);
        head = program.Structure("list_head", 16, Member("next", To(() => program.Named["list_head"]), 0), Member("prev", To(() => program.Named["list_head"]), 8));
        RecordType item = program.Structure("item", 40, Member("id", CTypes.Int, 0), Member("link", head, 8), Member("name", To(CTypes.Char), 24), Member(null,
            program.Union(null, 8, Member("word", CTypes.Long(8), 0), Member("half", CTypes.Int, 0)), 32));
        RecordType owner = program.Structure("owner", 24, Member("items", head, 0), Member("count", new AliasType("atomic_t", () => program.Structure("atomic", 4,
            Member("counter", CTypes.Int, 0))), 16));
        // owner -> 1 -> 2 -> 3 -> owner
        Put(program, 0x1000, 0x2008, 0x2208);
        program.Put(0x1010, BitConverter.GetBytes(7));
        program.Put(0x1014, new byte[4]);
        for (int i = 0; i < 3; i++)
        {
            ulong at = 0x2000 + (ulong)i * 0x100;
            program.Put(at, [.. BitConverter.GetBytes(i + 1), .. new byte[4]]);
            Put(program, at + 8, i == 2 ? 0x1000UL : at + 0x108, i == 0 ? 0x1000UL : at - 0xF8, 0x6000, 5);
        }
        program.Put(0x6000, Encoding.UTF8.GetBytes("ab\"c\n\u00e9\0rest"));
        program.Add("owner", owner, 0x1000);
        program.Add("item", item, 0x2000);
        program.Add("pointer", To(item), 0x3000, BitConverter.GetBytes(0x2000UL));
        program.Add("null", To(item), 0x3010, BitConverter.GetBytes(0UL));
        program.Add("wild", To(item), 0x3020, BitConverter.GetBytes(0xbad0000UL));
        program.Add("work", To(new FunctionType(() => CTypes.Int, () => [], false)), 0x3030, BitConverter.GetBytes(0x40_0010UL));
        program.Add("text", To(CTypes.Char), 0x3040, BitConverter.GetBytes(0x6000UL));
        program.Add("color", s_color, 0x3050, BitConverter.GetBytes(3));
        program.Add("nocolor", s_color, 0x3060, BitConverter.GetBytes(77));
        program.Add("mask", s_mask, 0x3070, BitConverter.GetBytes(0x1A));
        program.Add("number", CTypes.Int, 0x3080, BitConverter.GetBytes(-300));
        program.Add("digit", CTypes.UnsignedLong(8), 0x3090, BitConverter.GetBytes(4UL));
        program.Add("letter", CTypes.Char, 0x30A0, (byte)'x');
        program.Add("truth", CTypes.Bool, 0x30B0, 1);
        program.Add("real", CTypes.Double, 0x30C0, BitConverter.GetBytes(0.1));
        program.Add("extended", CTypes.LongDouble, 0x30D0, [0, 0, 0, 0, 0, 0, 0, 0xC0, 0, 0xC0, 0, 0, 0, 0, 0, 0]);
        program.Add("numbers", FakeProgram.Array(CTypes.Int, 40), 0x4000, [.. Enumerable.Range(0, 40).SelectMany(i => BitConverter.GetBytes(i is > 1 and < 30 ? 5 : i))]);
        program.Add("word", FakeProgram.Array(CTypes.Char, 8), 0x4200, [(byte)'h', (byte)'i', 0, 0, 0, 0, 0, 0]);
        program.Add("bytes", FakeProgram.Array(CTypes.UnsignedChar, 3), 0x4210, 1, 2, 3);
        program.Variables["gone"] = TypedValue.Missing(CTypes.Int, "optimised out");
        program.Variables["lost"] = TypedValue.InMemory(CTypes.Int, 0x99999);
        program.Variables["lostitem"] = TypedValue.InMemory(item, 0x99999);
        program.Add("cpus", program.Structure("cpumask", 8, Member("bits", FakeProgram.Array(CTypes.UnsignedLong(8), 1), 0)), 0x4300, BitConverter.GetBytes(0x8FUL));
        program.Add("str", program.Structure("&str", 16, Member("data_ptr", To(CTypes.UnsignedChar), 0), Member("length", CTypes.UnsignedLong(8), 8)), 0x4400);
        Put(program, 0x4400, 0x6000, 2);
        RecordType some = program.Structure("Some", 8, Member("__0", CTypes.Int, 4)), none = program.Structure("None", 8);
        RecordMember tag = Member(null, CTypes.UnsignedInt, 0);
        var option = new RecordType(RecordKind.Structure, "Option<i32>", 8, false, () => [],
            () => new VariantPart(tag, [new RecordVariant([0], [Member("None", none, 0)]), new RecordVariant([1], [Member("Some", some, 0)])]));
        program.Add("some", option, 0x4500, [1, 0, 0, 0, 9, 0, 0, 0]);
        program.Add("none", option, 0x4510, new byte[8]);
        return program;
    }

    private static void Put(FakeProgram program, ulong address, params ReadOnlySpan<ulong> words)
    {
        for (int i = 0; i < words.Length; i++) program.Put(address + (ulong)i * 8, BitConverter.GetBytes(words[i]));
    }

    private static ValueNode Render(string expression, FakeProgram? program = null, PrinterSet? printers = null)
    {
        program ??= Make();
        CompiledExpression compiled = CompiledExpression.Parse(expression, program);
        TypedValue value = program.Variables.TryGetValue(expression, out TypedValue? variable) ? variable : compiled.Evaluate(program);
        return new ValueRenderer(program, new Names(), printers).Render(expression, value, expression, compiled.Format);
    }

    [Theory]
    [InlineData("number", "-300 (0xfffffed4)")]
    [InlineData("number,x", "0xfffffed4")]
    [InlineData("number,d", "-300")]
    [InlineData("digit", "4")]
    [InlineData("digit,b", "0b0000000000000000000000000000000000000000000000000000000000000100")]
    [InlineData("number,o", "037777777324")]
    [InlineData("letter", "120 'x'")]
    [InlineData("letter,x", "0x78")]
    [InlineData("(char)10", "10 '\\n'")]
    [InlineData("truth", "true")]
    [InlineData("real", "0.1")]
    [InlineData("extended", "-3")]
    [InlineData("color", "BLUE")]
    [InlineData("nocolor", "77")]
    [InlineData("mask", "B | C | 0x10")]
    [InlineData("null", "NULL")]
    [InlineData("pointer", "0x2000")]
    [InlineData("wild", "0xbad0000 <no memory there>")]
    [InlineData("work", "0x400010 <work+16>")]
    [InlineData("text", "0x6000 \"ab\\\"c\\n\u00e9\"")]
    [InlineData("text,x", "0x6000")]
    [InlineData("word", "\"hi\"")]
    [InlineData("bytes", "{1, 2, 3}")]
    [InlineData("bytes,x", "{0x1, 0x2, 0x3}")]
    [InlineData("numbers", "{0, 1, 5 <repeats 28 times>, 30 (0x1e), 31 (0x1f), 32 (0x20), 33 (0x21), 34 (0x22), 35 (0x23), 36 (0x24), 37 (0x25), 38 (0x26), 39 (0x27)}")]
    [InlineData("item", "{id = 1, link = at least 4 elements, name = 0x6000 \"ab\\\"c\\n\u00e9\", word = 5, half = 5}")]
    [InlineData("owner", "{items = 3 elements, count = 7}")]
    [InlineData("owner.items", "3 elements")]
    [InlineData("owner.items,r", "{next = 0x2008, prev = 0x2208}")]
    [InlineData("gone", "<optimised out>")]
    [InlineData("lost", "<no memory at 0x99999>")]
    [InlineData("lostitem", "<no memory at 0x99999>")]
    [InlineData("cpus", "{0-3, 7}")]
    [InlineData("str", "\"ab\"")]
    [InlineData("some", "Some(9)")]
    [InlineData("none", "None")]
    [InlineData("pointer,[2]", "{{id = 1, link = 3 elements, name = 0x6000 \"ab\\\"c\\n\u00e9\", word = 5, half = 5}, <no memory at 0x2028>}")]
    public void Lines(string expression, string expected)
    {
        string text = Render(expression).Text;
        // A member of a ring counts the ring's other members, its head among them.
        Assert.Equal(expected.Replace("at least 4 elements", "3 elements", StringComparison.Ordinal), text);
    }

    [Fact]
    public void What_is_opened_can_be_evaluated_again()
    {
        FakeProgram program = Make();
        var open = new Queue<(ValueNode Node, int Depth)>();
        foreach (string name in (string[])["owner", "item", "pointer", "numbers", "word", "bytes", "some"]) open.Enqueue((Render(name, program), 0));
        int seen = 0;
        while (open.TryDequeue(out (ValueNode Node, int Depth) next) && seen < 2000)
        {
            foreach (ValueNode child in next.Node.Children())
            {
                if (child.EvaluateName is { } name)
                {
                    seen++;
                    TypedValue again = CompiledExpression.Evaluate(name, program);
                    Assert.True(again.Address == child.Value!.Address, $"{name} is elsewhere");
                    Assert.Equal(child.TypeText, TypeText.Of(again.Type!));
                }
                if (next.Depth < 3) open.Enqueue((child, next.Depth + 1));
            }
        }
        Assert.True(seen > 60, $"only {seen}");
    }

    [Fact]
    public void Arrays_are_read_in_parts()
    {
        ValueNode node = Render("numbers");
        Assert.Equal(40, node.IndexedCount);
        Assert.Equal(["[30]", "[31]"], [.. node.Children(30, 2).Select(child => child.Name)]);
        Assert.Equal("numbers[31]", node.Children(31, 1)[0].EvaluateName);
        Assert.Empty(node.Children(40, 2));
    }

    [Fact]
    public void Members_of_anonymous_ones_stand_among_the_others()
    {
        ValueNode node = Render("pointer");
        Assert.Equal(["id", "link", "name", "word", "half"], [.. node.Children().Select(child => child.Name)]);
        Assert.Equal("pointer->half", node.Children()[4].EvaluateName);
    }

    private static PrinterSet Printers(string json)
    {
        string path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid()}.printers.json");
        File.WriteAllText(path, json);
        try
        {
            return PrinterSet.Read([path]);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private const string Items = """
        { "printers": [
            { "member": "struct owner.items", "list": { "first": "next", "next": "node->next", "until": "node == &self", "element": "*container_of(node, struct item, link)" } },
            { "type": "struct item", "text": "#{id} {name,s} {id > 1 ? \"big\" : \"small\"}", "children": [ { "name": "next", "expression": "link.next" },
                { "name": "bad", "expression": "nothing" } ] },
            { "type": "int", "variable": "number", "flags": { "names": { "LOW": 4, "HIGH": 0x10 } } },
        ] }
        """;

    [Fact]
    public void A_users_printers_come_first()
    {
        PrinterSet printers = Printers(Items.Replace("0x10", "16", StringComparison.Ordinal));
        ValueNode list = Render("owner", null, printers).Children()[0];
        Assert.Equal("3 elements", list.Text);
        Assert.Equal(["[0] #1 0x6000 \"ab\\\"c\\n\u00e9\" small", "[1] #2 0x6000 \"ab\\\"c\\n\u00e9\" big", "[2] #3 0x6000 \"ab\\\"c\\n\u00e9\" big"],
            [.. list.Children().Select(child => $"{child.Name} {child.Text}")]);
        ValueNode item = list.Children(1, 1)[0];
        Assert.Equal(["next", "bad"], [.. item.Children().Select(child => child.Name)]);
        Assert.Equal("<'nothing' is neither a register nor a known symbol>", item.Children()[1].Text);
        Assert.StartsWith("LOW | HIGH | 0xfffffec0", Render("number", null, printers).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Damaged_lists_end()
    {
        FakeProgram program = Make();
        // The second comes again behind the third.
        Put(program, 0x2208, 0x2108);
        ValueNode list = Render("owner.items", program);
        Assert.Equal("3 elements, a cycle: behind element 2 comes element 1 again", list.Text);
        Assert.Equal("<a cycle: behind element 2 comes element 1 again>", list.Children()[3].Text);
        Put(program, 0x2208, 0xbad0000);
        Assert.Equal("4 elements, broken behind element 3: no memory can be read at 0xbad0000", Render("owner.items", program).Text);
        Put(program, 0x1000, 0);
        Assert.Equal("<a NULL pointer in a list that has no such end>", Render("owner.items", program).Text);
    }

    [Theory]
    [InlineData("{ \"printers\": [ { \"type\": \"struct a\" } ] }", "printer 1 ('struct a'): it says nothing")]
    [InlineData("{ \"printers\": [ { \"type\": \"a\", \"texts\": \"b\" } ] }", "line 1: The JSON property 'texts' could not be mapped")]
    [InlineData("{ \"printers\": [\n { \"text\": \"b\" } ] }", "printer 1: it lacks 'type', 'member' or 'variable'")]
    [InlineData("{ \"printers\": [\n", "line 2: ")]
    [InlineData("null", "declares nothing")]
    [InlineData("{ \"printers\": [ { \"type\": \"a\", \"text\": \"{}\" } ] }", "'text' has empty braces")]
    [InlineData("{ \"printers\": [ { \"member\": \"a\", \"text\": \"b\" } ] }", "'member' is 'a', not TYPE.NAME")]
    public void Mistakes_in_printers_are_told_with_their_place(string json, string expected) =>
        Assert.Contains(expected, Assert.Throws<PrinterException>(() => PrinterSet.Parse(Encoding.UTF8.GetBytes(json), "x.json")).Message, StringComparison.Ordinal);

    [Fact]
    public void Random_memory_harms_nobody()
    {
        var random = new Random(3);
        for (int i = 0; i < 200; i++)
        {
            FakeProgram program = Make();
            for (int n = 0; n < 40; n++) program.Put((ulong)random.Next(0x1000, 0x4600), (byte)random.Next(256));
            foreach (string name in program.Variables.Keys)
            {
                ValueNode node = Render(name, program);
                Assert.True(node.Text.Length < 2000, $"{name}: {node.Text.Length} characters");
                foreach (ValueNode child in node.Children())
                    foreach (ValueNode grandchild in child.Children(0, 10)) Assert.NotNull(grandchild.Text);
            }
        }
    }
}
