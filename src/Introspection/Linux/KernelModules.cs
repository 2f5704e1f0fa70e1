using System;
using System.Collections.Generic;
using Symbols;
using Symbols.Btf;
using Symbols.Kallsyms;

namespace Introspection.Linux;

/// <summary>The modules that are loaded at one moment (the kernel's list <c>modules</c>), with the names of what is in them.</summary>
public sealed class KernelModules
{
    private const int MaximumModules = 4096;
    private const int MaximumSymbols = 1 << 17;
    private const int MaximumNames = 8 << 20;
    private const int MaximumTypesBytes = 16 << 20;

    // Elf64_Sym: name, info, other, section, value, size (ELF-64 object file format).
    private const int SymbolBytes = 24;

    private readonly List<KernelModule> _modules;

    private KernelModules(List<KernelModule> modules) => _modules = modules;

    /// <summary>In the order of the kernel's list: the last one loaded first.</summary>
    public IReadOnlyList<KernelModule> All => _modules;

    /// <summary>What one module is known by: as long as this is the same, so are its symbols.</summary>
    internal readonly record struct Key(ulong Address, string Name, ulong Base, ulong SymbolTable, ulong SymbolCount);

    internal static KernelModules Read(LinuxKernel kernel)
    {
        var modules = new List<KernelModule>();
        if (kernel.Layout is not { } layout || kernel.Image.Symbols.AddressOf("modules") is not { } head) return new KernelModules(modules);
        foreach (ulong address in layout.List(kernel.Memory, head, "module", "list", MaximumModules))
        {
            if (layout.Text(kernel.Memory, address, "module", "name") is not { Length: > 0 } name) break;
            if (Module(kernel, layout, address, name) is { } module) modules.Add(module);
        }
        return new KernelModules(modules);
    }

    internal KernelModule? Find(ulong linear)
    {
        if (linear >> 63 == 0) return null;
        foreach (KernelModule module in _modules)
            if (module.Contains(linear)) return module;
        return null;
    }

    internal string? NameOf(ulong linear, out ulong offset)
    {
        offset = 0;
        return Find(linear)?.Find(linear, out offset)?.Name;
    }

    internal IEnumerable<ulong> AddressesOf(string name)
    {
        foreach ((_, KernelSymbol symbol) in Named(name)) yield return symbol.Address;
    }

    internal ulong? SizeOf(string name)
    {
        foreach ((KernelModule module, KernelSymbol symbol) in Named(name)) return module.SizeOf(symbol);
        return null;
    }

    internal IEnumerable<string> NamesFrom(string prefix, int limit)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (KernelModule module in _modules)
        {
            foreach (KernelSymbol symbol in module.Symbols)
            {
                if (seen.Count >= limit) yield break;
                if (symbol.Name.StartsWith(prefix, StringComparison.Ordinal) && seen.Add(symbol.Name)) yield return symbol.Name;
            }
        }
    }

    private IEnumerable<(KernelModule Module, KernelSymbol Symbol)> Named(string name)
    {
        foreach (KernelModule module in _modules)
            foreach (KernelSymbol symbol in module.Symbols)
                if (symbol.Name == name) yield return (module, symbol);
    }

    private static KernelModule? Module(LinuxKernel kernel, KernelLayout layout, ulong address, string name)
    {
        AddressSpaceReader memory = kernel.Memory;
        List<AddressRange> ranges = RangesOf(memory, layout, address);
        if (ranges.Count == 0) return null;
        ulong? table = layout.Pointer(memory, address, "module", "kallsyms");
        ulong? symbols = table is { } at ? layout.Pointer(memory, at, "mod_kallsyms", "symtab") : null;
        ulong count = table is { } counted ? layout.Number(memory, counted, "mod_kallsyms", "num_symtab") ?? 0 : 0;
        var key = new Key(address, name, ranges[0].Start, symbols ?? 0, count);
        if (kernel.Image.Modules.TryGetValue(key, out KernelModule? known)) return known;
        KernelSymbol[] read = symbols is { } start && count <= MaximumSymbols ? SymbolsOf(memory, layout, table!.Value, start, (int)count) : [];
        if (kernel.Image.Modules.Count >= MaximumModules) kernel.Image.Modules.Clear();
        return kernel.Image.Modules[key] = new KernelModule(name, ranges, read, TypesOf(kernel, layout, address));
    }

    // Since 6.4 a module's memory is of several kinds, code first; before, one part that stays and one for its initialisation.
    private static List<AddressRange> RangesOf(AddressSpaceReader memory, KernelLayout layout, ulong address)
    {
        var ranges = new List<AddressRange>();
        if (layout.Field("module", "mem") is { } kinds && layout.SizeOf("module_memory") is { } size)
        {
            for (int i = 0; i < Math.Min(kinds.Count, 16); i++) Add(address + kinds.Offset + ((ulong)i * size), "module_memory", "");
        }
        else
        {
            Add(address, "module", "core_layout.");
            Add(address, "module", "init_layout.");
        }
        return ranges;

        void Add(ulong at, string structure, string prefix)
        {
            if (layout.Pointer(memory, at, structure, prefix + "base") is { } start && layout.Number(memory, at, structure, prefix + "size") is { } bytes and not 0)
                ranges.Add(AddressRange.FromSize(start, bytes));
        }
    }

    private static KernelSymbol[] SymbolsOf(AddressSpaceReader memory, KernelLayout layout, ulong table, ulong start, int count)
    {
        if (layout.Pointer(memory, table, "mod_kallsyms", "strtab") is not { } names) return [];
        ulong? types = layout.Pointer(memory, table, "mod_kallsyms", "typetab");
        byte[] entries = new byte[count * SymbolBytes], letters = new byte[count];
        if (memory.Read(start, entries) != entries.Length) return [];
        if (types is not { } at || memory.Read(at, letters) != count) letters = [];
        int namesLength = 0;
        for (int i = 0; i < count; i++) namesLength = (int)Math.Max((uint)namesLength, Math.Min(BitConverter.ToUInt32(entries, i * SymbolBytes), MaximumNames));
        // The last name ends somewhere behind where it begins.
        byte[] text = new byte[namesLength + 512];
        Span<byte> readable = text.AsSpan(0, memory.Read(names, text));
        var symbols = new List<KernelSymbol>(count);
        for (int i = 0; i < count; i++)
        {
            uint name = BitConverter.ToUInt32(entries, i * SymbolBytes);
            if (name >= readable.Length || BitConverter.ToUInt16(entries, (i * SymbolBytes) + 6) == 0) continue;
            ReadOnlySpan<byte> rest = readable[(int)name..];
            int end = rest[..Math.Min(rest.Length, 512)].IndexOf((byte)0);
            if (end <= 0) continue;
            char letter = letters.Length > 0 ? (char)letters[i] : '?';
            symbols.Add(new KernelSymbol(System.Text.Encoding.UTF8.GetString(rest[..end]), letter, BitConverter.ToUInt64(entries, (i * SymbolBytes) + 8)));
        }
        return [.. symbols];
    }

    private static KernelModule.BtfData? TypesOf(LinuxKernel kernel, KernelLayout layout, ulong address)
    {
        if (kernel.Image.Types is not { } types || layout.Pointer(kernel.Memory, address, "module", "btf_data") is not { } data) return null;
        if (layout.Number(kernel.Memory, address, "module", "btf_data_size") is not (> 0 and <= MaximumTypesBytes and { } size)) return null;
        byte[] bytes = new byte[size];
        return kernel.Memory.Read(data, bytes) == bytes.Length ? new KernelModule.BtfData(bytes, types) : null;
    }
}
