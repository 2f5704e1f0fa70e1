using System;
using System.Collections.Generic;
using System.Threading;
using Symbols.Dwarf.Entries;
using Symbols.Dwarf.Functions;
using Symbols.Dwarf.Indexing;
using Symbols.Dwarf.Lines;
using Symbols.Dwarf.Macros;
using Symbols.Dwarf.Types;
using Symbols.Dwarf.Variables;
using Symbols.Elf;
using Symbols.Images;
using Symbols.Types;
using Symbols.Variables;

namespace Symbols.Dwarf;

/// <summary>
/// The debug information of one file: DWARF 2 to 5, source lines, functions and inlined calls. Opening it costs nothing; the list of units
/// is read at the first question, a unit when an answer is in it. What was decoded is dropped when there is much of it.
/// Units split off into .dwo files or a package of them, and supplementary files, are read where <see cref="DebugFiles"/> has found them.
/// Source: DWARF Debugging Information Format, versions 2 to 5, https://dwarfstd.org.
/// </summary>
public sealed class DwarfInfo : ITypeCatalog, IDisposable
{
    /// <summary>Decoded units may take so many bytes until all but the one in use are dropped.</summary>
    private const long DecodedBudgetBytes = 48L << 20;

    private const int SmallUnitCount = 4000;

    private RangeMap? _unitMap;
    private TypeCatalog? _types;
    private MacroIndex? _macros;
    private volatile DebugIndex? _index;

    private DwarfInfo(ElfImage image, DebugFiles? files, UnitSet? same = null)
    {
        Files = files;
        var budget = new DecodedBudget(this, DecodedBudgetBytes);
        UnitSet? supplementary = files?.Supplementary is { } other ? new UnitSet(new DwarfSections(other, image.Diagnostics), budget) : null;
        SplitFiles? splits = files is null ? null : new SplitFiles(files, budget, image.Diagnostics);
        var sections = new DwarfSections(image);
        Set = same is not null ? same.Fork(sections, budget, supplementary, splits) : new UnitSet(sections, budget) { Supplementary = supplementary, Splits = splits };
        if (image.Header.Type == ElfHeader.RelocatableType)
            image.Diagnostics.Add("", 0, "The file is a relocatable object, and its debug information is read without relocation: link it first.");
    }

    /// <summary>The file has compilation units.</summary>
    public bool HasUnits => !Sections.Info.IsEmpty;

    /// <summary>The file has line programs.</summary>
    public bool HasLines => !Sections.Line.IsEmpty;

    /// <summary>How many units there are.</summary>
    public int UnitCount => Units.Count;

    /// <summary>Normalized paths of all source files that a line program names.</summary>
    public IReadOnlyList<string> SourceFiles => Sources.Paths;

    /// <summary>Of the file's class: what its pointers have unless they say otherwise.</summary>
    public int AddressSizeBytes => Sections.Image.Header.AddressSizeBytes;

    /// <summary>The units of the file itself.</summary>
    internal UnitSet Set { get; }

    internal DwarfSections Sections => Set.Sections;

    /// <summary>Those of <c>.debug_info</c>, then the type units of <c>.debug_types</c>.</summary>
    internal IReadOnlyList<DebugUnit> Units => Set.Units;

    internal TypeCatalog Types => _types ??= new TypeCatalog(this);

    private MacroIndex Macros => _macros ??= new MacroIndex(this);

    /// <summary>The index is there: names are found without reading all units.</summary>
    public bool IsIndexed => _index is not null;

    /// <summary>So little debug information that its index is made when first needed; else that is for the user to start.</summary>
    public bool IsSmall => Sections.Info.Length + Sections.Types.Length <= SmallSizeBytes && Units.Count <= SmallUnitCount;

    /// <summary>What is no larger is <see cref="IsSmall"/>: glibc is, a kernel is not.</summary>
    public ulong SmallSizeBytes { get; set; } = 32 << 20;

    /// <summary>
    /// Called for a question that needs the index where it is not there: waits for who makes it, or has it made. May throw what the user's wish to stop is told by.
    /// Null: it is made at once.
    /// </summary>
    public Action? IndexNeeded { get; set; }

    /// <summary>
    /// The index of all names. One that is not there yet is made now: for a file that is not <see cref="IsSmall"/> that takes seconds.
    /// </summary>
    internal DebugIndex Index
    {
        get
        {
            if (_index is null) IndexNeeded?.Invoke();
            if (_index is null) PrepareIndex(null).Run(null, CancellationToken.None);
            return _index!;
        }
    }

    internal DebugFiles? Files { get; }

    private IndexedSources Sources => Index.Sources;

    /// <summary>For an image; never fails: a file without debug information answers with nothing.</summary>
    public static DwarfInfo Open(ElfImage image) => new(image, null);

    /// <summary>
    /// For a program whose debug information may be in other files, <see cref="DebugFileFinder"/>'s: addresses are the same in all of them.
    /// </summary>
    public static DwarfInfo Open(DebugFiles files) => new(files.Debug, files);

    /// <summary>Takes the index out of the cache; false: it has none of this program that can be used.</summary>
    public bool LoadIndex(DebugIndexCache cache)
    {
        if (_index is not null) return true;
        if (cache.Load(Identity()) is { } file) UseIndex(file, new IndexJobs(this));
        return _index is not null;
    }

    /// <summary>Makes what makes the index: on another thread, if <see cref="DebugIndexBuilder.Run"/> is called there, while this goes on without it.</summary>
    /// <param name="cache">Where it is to be kept; null: nowhere.</param>
    public DebugIndexBuilder PrepareIndex(DebugIndexCache? cache) => new(this, cache, Identity());

    /// <summary>Makes what has the code of look-ups compiled: on another thread, if <see cref="LookupRehearsal.Run"/> is called there.</summary>
    public LookupRehearsal PrepareRehearsal()
    {
        Sections.Prepare();
        Set.Supplementary?.Sections.Prepare();
        _index?.Prepare();
        return new LookupRehearsal(this, Fork());
    }

    /// <summary>Finds which unit is where, for another view of the same files, too.</summary>
    internal void MapUnitsFor(DwarfInfo other) => Interlocked.CompareExchange(ref other._unitMap, _unitMap ??= MapUnits(), null);

    /// <summary>Shares the index of another view of the same files, if that has one.</summary>
    internal bool UseIndexOf(DwarfInfo other)
    {
        if (other._index is { } index) _index = index.Fork(this);
        return IsIndexed;
    }

    internal void UseIndex(IndexFile file, IndexJobs jobs) => _index = new DebugIndex(file, jobs);

    /// <summary>What finds the rows of a unit's line program, out of the index; null: that does not have it, or is not there.</summary>
    internal LinePoints? IndexedLines(DebugUnit unit, ulong offset) => unit.Set == Set && _index is { } index ? index.Lines(unit, offset) : null;

    /// <summary>Closes the index. The program's files belong to others.</summary>
    public void Dispose() => _index?.Dispose();

    /// <summary>The same files for another thread.</summary>
    internal DwarfInfo Fork()
    {
        // What is compressed is decompressed once, here.
        _ = (Sections.Info, Sections.Types, Sections.Abbreviations, Sections.Line, Sections.LineStrings, Sections.Strings, Sections.StringOffsets);
        _ = (Sections.Addresses, Sections.Ranges, Sections.RangeLists);
        if (Set.Supplementary?.Sections is { } other) _ = (other.Info, other.Abbreviations, other.Line, other.LineStrings, other.Strings);
        if (Files is null) return new DwarfInfo(Sections.Image.Fork(), null, Set);
        DebugFiles files = Files.Fork();
        return new DwarfInfo(files.Debug, files, Set);
    }

    /// <summary>All functions with code of one unit, 0 to <see cref="UnitCount"/> - 1.</summary>
    public IReadOnlyList<DebugFunction> FunctionsOf(int unit) => Units[unit].Functions;

    /// <summary>The source location of the instruction at the address; null if unknown.</summary>
    public SourceLocation? FindLine(ulong address)
    {
        if (UnitAt(address)?.Lines is not { } table || table.Find(address, out AddressRange range) is not { } row) return null;
        return new SourceLocation(table.FilePath(row.File), row.Line, row.Column, range, row.Flags);
    }

    /// <summary>The function that contains the address; null if unknown.</summary>
    public DebugFunction? FindFunction(ulong address)
    {
        if (UnitAt(address) is not { } unit) return null;
        return _index is { } index ? index.FunctionAt(unit, address) : unit.FunctionAt(address);
    }

    /// <summary>
    /// The functions that the address is in, the innermost inlined one first; empty if neither its line nor its function is known.
    /// </summary>
    public IReadOnlyList<SourceFrame> FramesAt(ulong address)
    {
        SourceLocation? location = FindLine(address);
        DebugFunction? function = FindFunction(address);
        var frames = new List<SourceFrame>();
        if (function is null)
        {
            if (location is { } alone) frames.Add(new SourceFrame(null, null, alone.Path, alone.Line, alone.Column, false, null, null));
            return frames;
        }
        string? path = location?.Path;
        uint line = location?.Line ?? 0;
        uint column = location?.Column ?? 0;
        IReadOnlyList<InlinedCall> calls = function.CallsAt(address);
        for (int i = calls.Count - 1; i >= 0; i--)
        {
            InlinedCall call = calls[i];
            frames.Add(new SourceFrame(call.Name, call.LinkageName, path, line, column, true, function, call));
            (path, line, column) = (call.CallFile, call.CallLine, call.CallColumn);
        }
        frames.Add(new SourceFrame(function.Name, function.LinkageName, path, line, column, false, function, null));
        return frames;
    }

    /// <summary>
    /// Everything that a line was compiled to, by address. The path may be any ending of the compiler's, or the compiler's of it.
    /// </summary>
    public IReadOnlyList<LineAddress> FindAddresses(string path, uint line) => line == 0 ? [] : Sources.Rows(path, line);

    /// <summary>The lines of a file that have statements, in order: where a breakpoint can be.</summary>
    public IReadOnlyList<uint> StatementLines(string path)
    {
        var lines = new SortedSet<uint>();
        foreach (LineAddress row in Sources.Rows(path, 0))
            if (row.IsStatement) lines.Add(row.Line);
        return [.. lines];
    }

    /// <summary>
    /// Where a breakpoint on a line goes: the first statement of it in every function and inlined copy that has it, behind the prologue where
    /// it is a function's entry. A line without code gives the next one that has some; empty if there is none.
    /// </summary>
    public IReadOnlyList<LineAddress> BreakpointAddresses(string path, uint line)
    {
        uint actual = Sources.NextStatementLine(path, Math.Max(line, 1));
        var chosen = new List<LineAddress>();
        if (actual == 0) return chosen;
        List<LineAddress> rows = Sources.Rows(path, actual);
        rows.RemoveAll(static row => !row.IsStatement);
        // A row without an instruction of its own counts only where the line has no other.
        if (rows.Exists(static row => row.HasCode)) rows.RemoveAll(static row => !row.HasCode);
        var seen = new HashSet<(object?, ulong)>();
        foreach (LineAddress row in rows)
        {
            DebugFunction? function = FindFunction(row.Address);
            IReadOnlyList<InlinedCall> calls = function?.CallsAt(row.Address) ?? [];
            ulong place = calls.Count > 0 ? calls[^1].DieOffset : function?.DieOffset ?? row.Address;
            if (!seen.Add((function?.Unit, place))) continue;
            bool isEntry = function is not null && calls.Count == 0 && function.EntryPc == row.Address;
            chosen.Add(isEntry ? row with { Address = AfterPrologue(function!) } : row);
        }
        return chosen;
    }

    /// <summary>
    /// The first address behind a function's prologue: where the row says so, else the second statement, as compilers that do not mark it
    /// (GCC) write one row for the prologue. The entry itself if there is no such row.
    /// </summary>
    public ulong AfterPrologue(DebugFunction function)
    {
        ulong second = 0;
        ulong address = function.EntryPc;
        while (function.Contains(address) && FindLine(address) is { } location)
        {
            bool isFirst = location.Range.Contains(function.EntryPc);
            if ((location.Flags & LineRowFlags.PrologueEnd) != 0) return Math.Max(address, function.EntryPc);
            if (!isFirst && second == 0 && location.IsStatement && location.Line != 0) second = address;
            address = location.Range.End;
        }
        return second != 0 ? second : function.EntryPc;
    }

    /// <summary>
    /// All functions with code of that name, mangled, qualified or neither. In a large file without an index that nobody makes, those that have a symbol of that name.
    /// </summary>
    public IReadOnlyList<DebugFunction> FunctionsByName(string name)
    {
        var found = new List<DebugFunction>();
        if (IsIndexed || IsSmall || IndexNeeded is not null)
        {
            foreach (NamedEntry entry in Index.Find(name, NamedKinds.Function))
                if ((entry.Unit.Skeleton ?? entry.Unit).FunctionOf(entry.DieOffset, isKnown: true) is { } function) found.Add(function);
            return found;
        }
        foreach (ElfSymbol symbol in Sections.Image.Symbols.ByName(name))
            if (symbol.HasAddress && FindFunction(symbol.Address) is { } function && function.EntryPc == symbol.Address && !found.Contains(function)) found.Add(function);
        return found;
    }

    /// <summary>The functions that have inlined copies of one, by its name as in <see cref="FunctionsByName"/>.</summary>
    public IReadOnlyList<DebugFunction> FunctionsWithCopiesOf(string name)
    {
        var found = new List<DebugFunction>();
        if (!HasUnits) return found;
        foreach (NamedEntry entry in Index.Find(name, NamedKinds.Inlined))
            if ((entry.Unit.Skeleton ?? entry.Unit).FunctionOf(entry.DieOffset, isKnown: true) is { } function) found.Add(function);
        return found;
    }

    /// <summary>As <see cref="ITypeCatalog.FindType"/>; a type that is declared within a function where there is no other.</summary>
    public DebugType? FindType(string name, TypeTag tag) => Types.Find(name, tag);

    public Constant? FindConstant(string name) => Types.FindConstant(name);

    /// <summary>The macro of that name in whichever unit has one (<c>-g3</c>); null: there is none.</summary>
    public MacroDefinition? FindMacro(string name) => Macros.Find(name);

    /// <summary>The macro of that name as it holds at a line of a frame's function; null: the name is no macro there.</summary>
    public MacroDefinition? FindMacro(string name, SourceFrame frame) =>
        frame.Function is { } function ? Macros.Of(function.Unit).Find(name, frame.Path, frame.Line) : null;

    /// <summary>All definitions of macros of one unit, 0 to <see cref="UnitCount"/> - 1, in the order of the source.</summary>
    public IEnumerable<MacroDefinition> MacrosOf(int unit) => Macros.Of(Units[unit]).Definitions();

    public IEnumerable<string> TypeNames(string prefix, int limit) => HasUnits ? Index.Names(prefix, NamedKinds.AnyType, limit) : [];

    /// <summary>
    /// What can be seen at an address in one of its frames, the innermost block's variables first; those of an outer block that an inner one hides are marked.
    /// </summary>
    /// <param name="frame">One of <see cref="FramesAt"/>.</param>
    /// <param name="pc">The address as the file has it; for a frame that made a call, inside of the call's instruction.</param>
    public IReadOnlyList<DebugVariable> VariablesOf(SourceFrame frame, ulong pc)
    {
        if (frame.Function is not { } function) return [];
        var place = new DieReference(function.Unit, function.DieOffset);
        return ScopeVariables.At(place with { Offset = frame.Call?.DieOffset ?? function.DieOffset }, place, pc);
    }

    /// <summary>
    /// What a caller put into a register for a call, as far as its call site says so (DWARF 5, 3.4): a register's value when the called function was entered.
    /// </summary>
    /// <param name="returnAddress">Behind the call, as the file has it.</param>
    /// <param name="register">DWARF's number.</param>
    /// <param name="caller">The caller's frame.</param>
    /// <param name="value">The value; 0 if it is not known.</param>
    public bool TryCallSiteValue(ulong returnAddress, int register, ILocationContext caller, out ulong value)
    {
        value = 0;
        return FindFunction(returnAddress - 1) is { } function && CallSites.TryValue(function, returnAddress, register, caller, out value);
    }

    /// <summary>Variables outside of functions with that qualified name: definitions, several where static ones share it; only declarations if there is no definition.</summary>
    public IReadOnlyList<DebugVariable> FindGlobals(string name)
    {
        var definitions = new List<DebugVariable>();
        var declarations = new List<DebugVariable>();
        if (!HasUnits) return definitions;
        foreach (NamedEntry entry in Index.Find(name, NamedKinds.Variable))
            (entry.IsDeclaration ? declarations : definitions).Add(new DebugVariable(entry.Place, null));
        return definitions.Count > 0 ? definitions : declarations;
    }

    /// <summary>The variables with storage of one unit, 0 to <see cref="UnitCount"/> - 1, that are outside of functions.</summary>
    public IReadOnlyList<DebugVariable> GlobalsOf(int unit) => UnitVariables.Read(Units[unit]);

    /// <summary>The same of the unit that a function belongs to.</summary>
    public IReadOnlyList<DebugVariable> GlobalsOf(DebugFunction function) => UnitVariables.Read(function.Unit);

    internal DebugType? FindDefinition(string name, DwTag tag) => Types.FindDefinition(name, tag);

    /// <summary>Every program of <c>.debug_line</c>, decoded one by one in the section's order.</summary>
    public IEnumerable<LineTable> LineTables()
    {
        var directories = new Dictionary<ulong, DebugUnit>();
        foreach (DebugUnit unit in Units)
            if (unit.Attributes.LineOffset is { } line) directories.TryAdd(line, unit);
        for (ulong offset = 0; offset < Sections.Line.Length;)
        {
            DebugUnit? unit = directories.GetValueOrDefault(offset);
            int addressSize = unit?.Header.AddressSizeBytes ?? Sections.Image.Header.AddressSizeBytes;
            LineTable? table = LineProgram.Read(Sections, offset, addressSize, unit?.CompileDirectory ?? "", out ulong size);
            if (table is not null) yield return table;
            if (size == 0) yield break;
            offset += size;
        }
    }

    internal DebugUnit? UnitContaining(ulong offset) => Set.UnitContaining(offset);

    private DebugUnit? UnitAt(ulong address)
    {
        _unitMap ??= MapUnits();
        return _unitMap.TryFind(address, out int index) ? Units[index] : null;
    }

    // .debug_aranges spares opening the units; those that it leaves out (as Clang does all) are asked themselves.
    private RangeMap MapUnits()
    {
        var entries = new List<RangeMap.Entry>();
        var isCovered = new bool[Units.Count];
        foreach ((ulong unitOffset, AddressRange range) in AddressRangeTable.Read(Sections.AddressRanges, Sections.Diagnostics))
        {
            if (UnitContaining(unitOffset) is not { } unit || unit.Header.Offset != unitOffset) continue;
            isCovered[unit.Index] = true;
            AddMapped(entries, range, unit.Index);
        }
        foreach (DebugUnit unit in Units)
        {
            if (isCovered[unit.Index] || unit.Header.Type is not (DwUnitType.Compile or DwUnitType.Skeleton)) continue;
            if (unit.Attributes.Ranges.Count > 0)
            {
                foreach (AddressRange range in unit.Attributes.Ranges) AddMapped(entries, range, unit.Index);
                continue;
            }
            foreach (DebugFunction function in unit.Functions)
                foreach (AddressRange range in function.Ranges) AddMapped(entries, range, unit.Index);
        }
        return new RangeMap(entries);
    }

    // The linker leaves the functions that it dropped at address 0 or at the last ones.
    private void AddMapped(List<RangeMap.Entry> entries, AddressRange range, int unit)
    {
        if (Sections.Image.IsMapped(range.Start)) entries.Add(new RangeMap.Entry(range, unit));
    }

    // What tells one program's debug information from every other's, and from other versions of its files: build ID first, then sizes.
    // Empty without a build ID: nothing is kept of such a file.
    internal byte[] Identity()
    {
        ReadOnlySpan<byte> id = Sections.Image.BuildId.Span;
        if (id.IsEmpty) return [];
        var writer = new ByteWriter();
        writer.Bytes(id);
        foreach (SectionData section in (SectionData[])[Sections.Info, Sections.Types, Sections.Line, Sections.Strings, Sections.Abbreviations]) writer.U64(section.Length);
        if (Set.Supplementary is not { } other) return writer.Written.ToArray();
        writer.Bytes(Files!.Supplementary!.BuildId.Span);
        writer.U64(other.Sections.Info.Length);
        return writer.Written.ToArray();
    }
}
