using System;
using System.Collections.Generic;

namespace Symbols.Dwarf.Types;

/// <summary>C's integer types in every order of their words (C17 6.7.2): compilers name them in one, people in another.</summary>
internal static class IntegerSpelling
{
    /// <summary>The names compilers give the type of that name, gcc's first, then clang's; none if it is no integer type of several spellings.</summary>
    internal static IReadOnlyList<string> Names(string name)
    {
        int longs = 0, shorts = 0, ints = 0, chars = 0, signs = 0, unsigns = 0;
        foreach (string word in name.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
        {
            switch (word)
            {
                case "long": longs++; break;
                case "short": shorts++; break;
                case "int": ints++; break;
                case "char": chars++; break;
                case "signed": signs++; break;
                case "unsigned": unsigns++; break;
                default: return [];
            }
        }
        if (longs > 2 || shorts > 1 || ints > 1 || chars > 1 || signs + unsigns > 1) return [];
        if (chars != 0) return longs + shorts + ints != 0 ? [] : [unsigns != 0 ? "unsigned char" : signs != 0 ? "signed char" : "char"];
        if (longs != 0 && shorts != 0) return [];
        string sign = unsigns != 0 ? "unsigned " : "";
        return (longs, shorts) switch
        {
            (0, 0) when ints + signs + unsigns == 0 => [],
            (0, 0) => [$"{sign}int"],
            (0, _) => [$"short {sign}int", $"{sign}short"],
            (1, _) => [$"long {sign}int", $"{sign}long"],
            _ => [$"long long {sign}int", $"{sign}long long"],
        };
    }
}
