using System;
using System.Collections.Generic;
using System.Linq;
using Symbols.Dwarf;
using Symbols.Dwarf.Entries;
using Symbols.Elf;
using Symbols.Types;
using Xunit;

namespace Symbols.Tests.Types;

/// <summary>Types by name against gdb: sizes, members with bit offsets and types, enumerators. The same programs in every version of DWARF.</summary>
public sealed class TypeTests
{
    public static TheoryData<string> Programs =>
        ["types-c-dwarf2", "types-c-dwarf3", "types-c-dwarf4", "types-c-dwarf5", "types-c-O2", "types-c-units", "types-c++-dwarf4", "types-c++-dwarf5", "libc", "busybox"];

    [Theory]
    [MemberData(nameof(Programs))]
    public void Types_are_what_gdb_says(string sample)
    {
        string path = TypeSamples.Get(sample);
        using ElfImage image = ElfImage.Open(path);
        DwarfInfo info = DwarfInfo.Open(image);
        string[] names = [.. info.TypeNames("", 4000)];
        Assert.True(names.Length > 20, $"only {names.Length} types");
        var asked = new Dictionary<string, DebugType>();
        foreach (string name in names)
        {
            foreach (TypeTag tag in Enum.GetValues<TypeTag>())
            {
                // gdb has no type for a name that is only declared, no size for functions, and its own word for decltype(nullptr).
                if (info.FindType(name, tag) is not { } type || type.Stripped is RecordType { IsDeclaration: true } or FunctionType or UnspecifiedType or VoidType) continue;
                string word = tag switch { TypeTag.Struct => "struct ", TypeTag.Union => "union ", TypeTag.Enum => "enum ", _ => "" };
                asked[word + GdbTypes.Standard(name)] = type;
            }
        }
        Dictionary<string, string> theirs = GdbTypes.Describe(path, asked.Keys);
        string[] wrong = [.. asked.Where(pair => GdbTypes.Describe(pair.Value) != theirs[pair.Key]
            && !IsOneOfSeveral(info, pair.Key, theirs[pair.Key])).Take(20)
            .Select(pair => $"{pair.Key}\n  ours {GdbTypes.Describe(pair.Value)}\n  gdb  {theirs[pair.Key]}")];
        Assert.True(wrong.Length == 0, $"of {asked.Count} types:\n{string.Join('\n', wrong)}");
        TestContext.Current.TestOutputHelper?.WriteLine($"{sample}: {asked.Count} types");
    }

    // glibc has several different types of one name in different units, as struct char_buffer: gdb takes another one than the first.
    private static bool IsOneOfSeveral(DwarfInfo info, string name, string theirs)
    {
        string simple = name[(name.LastIndexOf(' ') + 1)..];
        foreach (DebugUnit unit in info.Units)
        {
            DieCursor cursor = unit.FirstCursor();
            for (bool isThere = cursor.MoveNext() && cursor.MoveNext(); isThere; isThere = cursor.MoveNextSibling())
            {
                if (unit.StringOf(cursor.Attribute(DwAt.Name)) != simple || cursor.Tag is DwTag.Variable or DwTag.Subprogram) continue;
                DebugType type = info.Types.Reader.At(new DieReference(unit, unit.Header.Offset + (ulong)cursor.Position));
                if (GdbTypes.Describe(type) == theirs) return true;
            }
        }
        return false;
    }
}
