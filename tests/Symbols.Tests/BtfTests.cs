using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Symbols.Btf;
using Symbols.Elf;
using Symbols.Types;
using TestKit;
using Xunit;

namespace Symbols.Tests;

/// <summary>BTF that gcc makes against what gdb says of the same source by its DWARF; and what gcc does not make, by hand.</summary>
public sealed class BtfTests
{
    private static readonly string[] s_records = ["struct node", "struct leaf", "struct bits", "union both"];

    [Fact]
    public void Members_are_where_gdb_says()
    {
        BtfTypes types = Compiled();
        HostTool.Require("gdb", "gdb");
        string script = Path.Combine(Samples.Folder(), "fields.py");
        File.WriteAllText(script, """
            import gdb
            for name in ("struct node", "struct leaf", "struct bits", "union both"):
                record = gdb.lookup_type(name)
                print("=", name, record.sizeof)
                for f in record.fields():
                    print("=", f.name or "-", f.bitpos, f.bitsize, f.type.sizeof)
            """);
        ToolResult gdb = HostTool.Run("gdb", ["-nx", "-batch", "-x", script, Compile("-g")], TimeSpan.FromMinutes(1));
        string[] expected = [.. gdb.Output.Split('\n').Where(line => line.StartsWith("= ", StringComparison.Ordinal)).Select(line => line[2..])];
        Assert.True(expected.Length > 30, gdb.Error);
        var actual = new List<string>();
        foreach (string name in s_records)
        {
            var record = Assert.IsType<RecordType>(types.FindType(name.Split(' ')[1], name[0] == 's' ? TypeTag.Struct : TypeTag.Union));
            actual.Add($"{name} {record.SizeBytes}");
            // To gdb an array without an end has no bytes.
            foreach (RecordMember member in record.Members)
                actual.Add($"{member.Name ?? "-"} {member.BitOffset} {member.BitSize} {member.Type.SizeBytes ?? 0}");
        }
        Assert.Equal(expected, actual);
    }

    [Fact]
    public void Types_are_written_as_in_the_source()
    {
        BtfTypes types = Compiled();
        var node = (RecordType)types.FindType("node", TypeTag.Struct)!;
        Dictionary<string, string> members = node.Members.Where(member => member.Name is not null).ToDictionary(member => member.Name!, member => TypeText.Of(member.Type));
        Assert.Equal("struct node *", members["next"]);
        Assert.Equal("struct node **", members["link"]);
        Assert.Equal("handler", members["call"]);
        Assert.Equal("word[4]", members["words"]);
        Assert.Equal("enum colour", members["colour"]);
        Assert.Equal("struct unknown *", members["elsewhere"]);
        Assert.True(((RecordType)((PointerType)node.Members.Single(member => member.Name == "elsewhere").Type).Target).IsDeclaration);
        Assert.Equal("int (*)(const char *, word, ...)", TypeText.Of(((AliasType)types.FindType("handler", TypeTag.Any)!).Target));
        FunctionType function = types.FindFunction("function")!;
        Assert.Equal("int (struct node *, const struct leaf *, enum colour)", TypeText.Of(function));
        Assert.Equal(["node", "leaf", "colour"], function.Parameters.Select(parameter => parameter.Name));
        Assert.Equal("struct node *", TypeText.Of(types.FindVariable("first")!));
        Assert.Equal("struct leaf", TypeText.Of(types.FindVariable("some")!));
        Assert.Equal(BaseEncoding.Boolean, Encoding("yes"));
        Assert.Equal(BaseEncoding.SignedCharacter, Encoding("letter"));
        Assert.Equal(BaseEncoding.UnsignedCharacter, Encoding("byte"));
        Assert.Equal(BaseEncoding.Signed, Encoding("half"));
        Assert.Equal(8UL, types.FindConstant("BLUE")!.Value.Value);
        Assert.Equal("enum colour", TypeText.Of(types.FindConstant("GREEN")!.Value.Type!));
        Assert.Null(types.FindConstant("VIOLET"));
        Assert.Null(types.FindType("no_such", TypeTag.Any));
        Assert.Equal(["leaf", "long double", "long int"], types.TypeNames("l", 3).Order(StringComparer.Ordinal));

        BaseEncoding Encoding(string member) =>
            ((BaseType)((RecordType)types.FindType("leaf", TypeTag.Struct)!).Members.Single(each => each.Name == member).Type).Encoding;
    }

    [Fact]
    public void A_modules_types_go_on_where_the_kernels_end()
    {
        var kernel = new BtfWriter();
        uint number = kernel.Add("int", 1, 0, 4, 32 | (1u << 24));
        uint tag = kernel.Add("user", 18, 0, number);
        uint wide = kernel.Add("wide", 19, 2, 8, kernel.Text("SMALL"), 5, 0, kernel.Text("LARGE"), 0, 3);
        uint signed = kernel.Add("signed", 6 | 0x80, 1, 4, kernel.Text("NEGATIVE"), 0xfffffffe);
        kernel.Add("box", 4 | 0x80, 2, 8, kernel.Text("low"), number, 3 << 24, kernel.Text("high"), tag, (4 << 24) | 3);
        // gcc 12 has the dimensions of arrays of arrays the wrong way round.
        uint row = kernel.Add("", 3, 0, 0, number, number, 2);
        kernel.Add("matrix", 8, 0, kernel.Add("", 3, 0, 0, row, number, 4));
        BtfTypes types = BtfTypes.TryOpen(kernel.Bytes())!;
        Assert.Equal("int[4][2]", TypeText.Of(((AliasType)types.FindType("matrix", TypeTag.Any)!).Target));
        var module = new BtfWriter(kernel);
        uint pointer = module.Add("", 2, 0, tag);
        module.Add("own", 4, 1, 8, module.Text("boxed"), pointer, 0);
        module.Add("work", 12, 0, module.Add("", 13, 1, wide, module.Text("which"), signed));
        BtfTypes own = BtfTypes.TryOpen(module.Bytes(), types)!;

        Assert.Equal(types.EndId, own.FirstId);
        Assert.Equal(0x3_0000_0000UL, types.FindConstant("LARGE")!.Value.Value);
        Assert.Equal(unchecked((ulong)-2), own.FindConstant("NEGATIVE")!.Value.Value);
        var box = (RecordType)own.FindType("box", TypeTag.Struct)!;
        Assert.Equal([(0UL, 3u), (3UL, 4u)], box.Members.Select(member => (member.BitOffset, member.BitSize)));
        Assert.Equal("int", TypeText.Of(box.Members[1].Type));
        Assert.Equal("int *", TypeText.Of(((RecordType)own.FindType("own", TypeTag.Struct)!).Members[0].Type));
        Assert.Equal("enum wide (enum signed)", TypeText.Of(own.FindFunction("work")!));
        Assert.Null(types.FindType("own", TypeTag.Struct));
        Assert.Equal(["box"], own.TypeNames("b", 10));
    }

    [Fact]
    public void Damage_gives_diagnostics_or_nothing()
    {
        byte[] good = Section().ToArray();
        int noticed = 0;
        for (int seed = 0; seed < 3000; seed++)
        {
            byte[] bytes = [.. good];
            var random = new Random(seed);
            for (int i = random.Next(1, 8); i > 0; i--)
            {
                int at = random.Next(3) == 0 ? random.Next(24) : random.Next(bytes.Length);
                bytes[at] = random.Next(3) switch { 0 => 0xff, 1 => (byte)random.Next(256), _ => (byte)(bytes[at] ^ (1 << random.Next(8))) };
            }
            if (seed % 5 == 0) bytes = bytes[..random.Next(bytes.Length)];
            if (BtfTypes.TryOpen(bytes) is not { } types) noticed++;
            else
            {
                LookAtAll(types);
                if (types.Diagnostics.Count > 0) noticed++;
            }
        }
        Assert.True(noticed > 300, $"only {noticed} cases were noticed: the fuzzer does not damage anything");
    }

    [Fact]
    public void Huge_numbers_give_diagnostics_or_nothing()
    {
        byte[] good = Section().ToArray();
        int noticed = 0;
        foreach ((byte[] bytes, string what) in HugeNumbers.In(good, 0, good.Length, 1500))
        {
            noticed += FuzzTests.Survive(() =>
            {
                if (BtfTypes.TryOpen(bytes) is not { } types) return true;
                LookAtAll(types);
                return types.Diagnostics.Count > 0;
            }, what) ? 1 : 0;
        }
        Assert.True(noticed > 300, $"only {noticed} cases were noticed");
    }

    [Fact]
    public void Types_of_themselves_end()
    {
        var writer = new BtfWriter();
        foreach (uint kind in (uint[])[2, 8, 9, 10, 11, 12, 14, 18]) writer.Add("self", kind, 0, writer.NextId, kind == 14 ? [0] : []);
        writer.Add("", 3, 0, 0, writer.NextId, writer.NextId, 4);
        uint array = writer.NextId;
        writer.Add("", 3, 0, 0, array + 1, array + 1, 4);
        writer.Add("loop", 8, 0, array);
        writer.Add("outer", 4, 1, 8, writer.Text("inner"), writer.NextId, 0);
        LookAtAll(BtfTypes.TryOpen(writer.Bytes())!);
    }

    private static void LookAtAll(BtfTypes types)
    {
        for (uint id = types.FirstId; id < types.EndId; id++)
        {
            DebugType type = types.TypeOf(id);
            _ = TypeText.Of(type);
            _ = type.SizeBytes;
            _ = type.Stripped;
            if (type is RecordType record)
                foreach (RecordMember member in record.Members) _ = member.Type.SizeBytes + (ulong)(member.Name?.Length ?? 0);
            if (type is EnumerationType enumeration) _ = enumeration.Enumerators.Count;
            if (type is FunctionType function) _ = function.Parameters.Count;
        }
        foreach (string name in types.TypeNames("", 1000)) Assert.NotNull(types.FindType(name, TypeTag.Any));
        _ = types.FindFunction("function");
        _ = types.FindVariable("first");
        _ = types.FindConstant("RED");
    }

    private static BtfTypes Compiled() => BtfTypes.TryOpen(Section())!;

    private static ReadOnlyMemory<byte> Section()
    {
        using ElfImage image = ElfImage.Open(Compile("-gbtf"));
        return image.Data(".BTF").All();
    }

    private static string Compile(string format)
    {
        HostTool.Require("gcc", "gcc");
        string output = Path.Combine(Samples.Folder(), $"btf{format}.o");
        ToolResult result = HostTool.Run("gcc", ["-c", "-O0", format, "-o", output, Repository.PathOf("tests/Symbols.Tests/samples/btf.c")], TimeSpan.FromMinutes(1));
        Assert.True(result.ExitCode == 0, result.Error);
        return output;
    }

    /// <summary>Makes BTF record by record.</summary>
    private sealed class BtfWriter(BtfWriter? kernel = null)
    {
        private readonly List<byte> _types = [], _strings = kernel is null ? [0] : [];

        internal uint NextId { get; private set; } = kernel?.NextId ?? 1;

        private uint FirstString => kernel is null ? 0 : (uint)kernel._strings.Count;

        internal uint Text(string text)
        {
            uint offset = FirstString + (uint)_strings.Count;
            _strings.AddRange(System.Text.Encoding.UTF8.GetBytes(text + "\0"));
            return offset;
        }

        internal uint Add(string name, uint kind, uint count, uint sizeOrType, params uint[] extra)
        {
            uint text = name.Length == 0 ? 0 : Text(name);
            foreach (uint number in (uint[])[text, (kind << 24) | count, sizeOrType, .. extra]) _types.AddRange(BitConverter.GetBytes(number));
            return NextId++;
        }

        internal byte[] Bytes()
        {
            var header = new List<byte>(BitConverter.GetBytes((ushort)0xeb9f)) { 1, 0 };
            foreach (uint number in (uint[])[24, 0, (uint)_types.Count, (uint)_types.Count, (uint)_strings.Count]) header.AddRange(BitConverter.GetBytes(number));
            return [.. header, .. _types, .. _strings];
        }
    }
}
