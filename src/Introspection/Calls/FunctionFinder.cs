using System;
using System.Collections.Generic;
using Introspection.Programs;
using Symbols.Dwarf.Functions;
using Symbols.Elf;
using Symbols.Types;

namespace Introspection.Calls;

/// <summary>Finds functions by name, and names that may have been meant.</summary>
/// <param name="symbols">Symbol files and other sources of names.</param>
/// <param name="prototypes">The best first.</param>
public sealed class FunctionFinder(SymbolSet symbols, IReadOnlyList<IPrototypeSource> prototypes)
{
    private const int MaximumNames = 1 << 20, MaximumNameLength = 256, PrefixLength = 3, PrefixLimit = 2000;

    /// <summary>Every function of a name: several where files have static functions of one name. Empty: there is none.</summary>
    public IReadOnlyList<CallTarget> Find(string name)
    {
        var targets = new List<CallTarget>();
        foreach (LoadedFile file in symbols.Files)
        {
            foreach (DebugFunction function in file.Dwarf.FunctionsByName(name)) Add(targets, function.EntryPc + file.Bias, name, SizeOf(function));
            foreach (ElfSymbol symbol in file.File.Image.Symbols.ByName(name))
                if (symbol.HasAddress && IsCode(file, symbol)) Add(targets, symbol.Address + file.Bias, name, symbol.SizeBytes);
        }
        if (targets.Count > 0) return targets;
        foreach (INameSource names in symbols.Names)
        {
            foreach (ulong address in names.AddressesOf(name)) Add(targets, address, name, names.SizeOf(name) ?? 0);
            if (targets.Count > 0) break;
        }
        if (targets.Count == 0 && symbols.AddressOf(name) is { } guess && symbols.NameOf(guess, out _) is { } guessed && GuessedFunctions.IsGuess(guessed))
            Add(targets, guess, guessed, symbols.SizeOf(guessed) ?? 0);
        return targets;
    }

    /// <summary>What begins at an address, whether it has a name or not.</summary>
    public CallTarget At(ulong address)
    {
        string? name = symbols.NameOf(address, out ulong offset);
        if (offset != 0) name = null;
        ulong size = 0;
        if (symbols.PlaceOf(address) is { Function: { } function, File: { } file } && function.EntryPc + file.Bias == address) size = SizeOf(function);
        if (size == 0 && name is not null) size = symbols.SizeOf(name) ?? 0;
        return new CallTarget(address, name, size, name is null ? null : PrototypeOf(name, address));
    }

    /// <summary>Names of functions that are spelled like one that there is not, the likest first.</summary>
    public IReadOnlyList<string> Similar(string name, int limit)
    {
        var best = new SortedSet<(int Distance, string Name)>(Comparer<(int Distance, string Name)>.Create(static (a, b) =>
            a.Distance != b.Distance ? a.Distance.CompareTo(b.Distance) : string.CompareOrdinal(a.Name, b.Name)));
        int count = 0;
        foreach (string candidate in Candidates(name))
        {
            if (count++ >= MaximumNames) break;
            int distance = Distance(name, candidate);
            // More than half of it wrong is another name.
            if (distance > Math.Max(1, name.Length / 2) || candidate.Length == 0) continue;
            best.Add((distance, candidate));
            if (best.Count > limit) best.Remove(best.Max);
        }
        var names = new List<string>();
        foreach ((_, string found) in best) names.Add(found);
        return names;
    }

    private IEnumerable<string> Candidates(string name)
    {
        foreach (LoadedFile file in symbols.Files)
            foreach (ElfSymbol symbol in file.File.Image.Symbols.Symbols)
                if (symbol.HasAddress && IsCode(file, symbol)) yield return file.File.Image.Symbols.NameOf(symbol);
        foreach (INameSource names in symbols.Names)
            foreach (string one in names.NamesFrom(name[..Math.Min(PrefixLength, name.Length)], PrefixLimit)) yield return one;
    }

    private void Add(List<CallTarget> targets, ulong entry, string name, ulong size)
    {
        foreach (CallTarget known in targets)
            if (known.Entry == entry) return;
        targets.Add(new CallTarget(entry, name, size, PrototypeOf(name, entry)));
    }

    private FunctionType? PrototypeOf(string name, ulong address)
    {
        foreach (IPrototypeSource source in prototypes)
            if (source.PrototypeOf(name, address) is { } prototype) return prototype;
        return null;
    }

    private static ulong SizeOf(DebugFunction function)
    {
        foreach (Symbols.AddressRange range in function.Ranges)
            if (range.Contains(function.EntryPc)) return range.End - function.EntryPc;
        return 0;
    }

    private static bool IsCode(LoadedFile file, in ElfSymbol symbol) =>
        symbol.IsFunction || (symbol.Type == ElfSymbolType.None && file.File.Image.Symbols.FindFunction(symbol.Address) is not null);

    // Levenshtein's: how many letters have to be added, taken away or changed.
    private static int Distance(string a, string b)
    {
        if (a.Length > MaximumNameLength || b.Length > MaximumNameLength) return int.MaxValue;
        if (Math.Abs(a.Length - b.Length) > a.Length / 2 + 1) return int.MaxValue;
        Span<int> row = stackalloc int[b.Length + 1];
        for (int j = 0; j <= b.Length; j++) row[j] = j;
        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int above = row[j];
                int changed = diagonal + (char.ToLowerInvariant(a[i - 1]) == char.ToLowerInvariant(b[j - 1]) ? 0 : 1);
                row[j] = Math.Min(Math.Min(row[j - 1], above) + 1, changed);
                diagonal = above;
            }
        }
        return row[b.Length];
    }
}
