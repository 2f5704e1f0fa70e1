using System.Collections.Generic;
using System.Linq;
using Introspection.Calls;
using Introspection.Code;
using Introspection.Layouts;
using Introspection.Programs;
using Introspection.State;
using Symbols;

namespace Introspection.Locks.History;

/// <summary>A function that takes or gives back locks.</summary>
/// <param name="Number">In the table.</param>
/// <param name="Name">As declared.</param>
/// <param name="Entry">Linear address of its first instruction.</param>
/// <param name="TypeName">Of the locks.</param>
/// <param name="Type">The same.</param>
/// <param name="Functions">How it is called.</param>
/// <param name="IsRelease">It gives back.</param>
internal sealed record LockFunction(short Number, string Name, ulong Entry, string TypeName, LockType Type, LockFunctions Functions, bool IsRelease);

/// <summary>
/// The functions of declared locks in a guest, and the instructions at which those that take a lock return: breakpoints at both tell the whole history. Found once; usable on every
/// machine of the recording.
/// </summary>
public sealed class LockFunctionTable
{
    private const int MaximumFunctions = 4096;

    private readonly Dictionary<ulong, LockFunction> _byEntry = [];
    private readonly HashSet<ulong> _exits = [], _panics = [], _breakpoints = [], _interruptsOff = [];
    private readonly List<LockFunction> _functions = [];
    // The functions' code, and that of the functions which they call.
    private readonly List<AddressRange> _code = [];
    private readonly List<string> _problems = [];

    private LockFunctionTable() { }

    /// <summary>What is declared and not there, a sentence each.</summary>
    public IReadOnlyList<string> Problems => _problems;

    /// <summary>None of the declared functions is in the guest, and no lock can be watched without.</summary>
    public bool IsEmpty => _functions.Count == 0 && Words.IsEmpty && Sites.Count == 0;

    /// <summary>The code of all of them was in memory when they were looked for: earlier, nothing is known of where they return.</summary>
    public bool IsLoaded { get; private set; } = true;

    internal IReadOnlyList<LockFunction> Functions => _functions;

    /// <summary>Words of locks whose functions are inlined.</summary>
    internal LockWordTable Words { get; } = new();

    /// <summary>Instructions of inlined functions that access words of locks without a place of their own: the word of a lock at address 0.</summary>
    internal IReadOnlyDictionary<ulong, LockWord> Sites { get; private set; } = new Dictionary<ulong, LockWord>();

    internal IReadOnlySet<ulong> Breakpoints => _breakpoints;

    /// <summary>Whether interrupts that come while a lock is held matter.</summary>
    internal bool WatchesInterrupts { get; private set; }

    internal LockFunction? At(ulong address) => _byEntry.GetValueOrDefault(address);

    /// <summary>Interrupts stay off while that lock is held.</summary>
    internal void KeepInterruptsOff(ulong address)
    {
        _interruptsOff.Add(address);
        WatchesInterrupts = true;
    }

    /// <summary>Interrupts stay off while a lock is held that was taken by a function.</summary>
    internal bool KeepsInterruptsOff(ulong address, LockFunction function) =>
        _interruptsOff.Contains(address) || (function.Functions.InterruptsOff ?? function.Type.InterruptsOff == true);

    /// <summary>The same of a lock that is taken by inlined code.</summary>
    internal bool KeepsInterruptsOff(ulong address, LockType type) => _interruptsOff.Contains(address) || type.InterruptsOff == true;

    internal bool IsPanic(ulong address) => _panics.Contains(address);

    internal bool IsExit(ulong address) => _exits.Contains(address);

    /// <summary>It is code of locks: what it writes to a lock does not make it a new one.</summary>
    internal bool IsLockCode(ulong address)
    {
        if (Sites.ContainsKey(address)) return true;
        foreach (AddressRange range in _code)
            if (range.Contains(address)) return true;
        return false;
    }

    /// <summary>The guest has all functions that a layout requires.</summary>
    internal static bool IsMeant(GuestLayout layout, SymbolSet symbols)
    {
        var finder = new FunctionFinder(symbols, []);
        return layout.Requires?.All(name => finder.Find(name).Count > 0) != false;
    }

    /// <summary>Finds them by name.</summary>
    /// <param name="layouts">What is declared.</param>
    /// <param name="symbols">Of the guest.</param>
    /// <param name="view">The guest's code as it is when the locks are used.</param>
    public static LockFunctionTable Find(IEnumerable<GuestLayout> layouts, SymbolSet symbols, in GuestView view)
    {
        var table = new LockFunctionTable();
        var disassembler = new Disassembler(view);
        var exits = new FunctionExits(disassembler);
        var finder = new FunctionFinder(symbols, []);
        var callees = new HashSet<ulong>();
        var inlinedTypes = new List<(string Name, LockType Type)>();
        foreach (GuestLayout layout in layouts)
        {
            foreach (string name in layout.Panics ?? [])
                foreach (CallTarget target in finder.Find(name)) table._panics.Add(target.Entry);
            foreach ((string name, LockType type) in layout.Types)
            {
                bool isTaken = table.TryAdd(name, type, type.Acquire ?? [], false, finder, exits, callees);
                bool isGivenBack = table.TryAdd(name, type, type.Release ?? [], true, finder, exits, callees);
                bool isInlined = IsInlined(type, symbols);
                bool isWatched = (!(isTaken && isGivenBack) || isInlined || type.Inlined == true) && table.Words.TryAdd(layout, name, type, symbols);
                if (isInlined && LockWordTable.IsWatchable(type)) inlinedTypes.Add((name, type));
                if (isWatched && type.InterruptsOff == true) table.WatchesInterrupts = true;
                // A built-in layout knows more functions than any guest has.
                if (type.Acquire is { Count: > 0 } && !isTaken && layout.Requires is null)
                {
                    string all = string.Join(", ", NamesOf(type.Acquire));
                    table._problems.Add($"Type '{name}': none of the functions that take it is in the guest ({all}): they are inlined, or have other names"
                        + (isWatched ? ". The declared locks' words are watched instead." : "."));
                }
            }
        }
        table.FindSites(inlinedTypes, new LockSites(symbols, disassembler), symbols);
        if (table.Words.IsCut) table._problems.Add("There are more locks with inlined functions than can be watched: some have no past.");
        // What waits is a function or two further in.
        var inner = new HashSet<ulong>();
        foreach (ulong callee in callees) exits.TryAdd(callee, [], inner);
        callees.UnionWith(inner);
        foreach (ulong callee in callees) table.AddCode(finder.At(callee));
        foreach (ulong entry in table._byEntry.Keys) table.IsLoaded &= view.ReadNumber(entry, 1) is not null;
        table._breakpoints.UnionWith(table._byEntry.Keys);
        table._breakpoints.UnionWith(table._exits);
        table._breakpoints.UnionWith(table.Sites.Keys);
        table._breakpoints.UnionWith(table._panics);
        return table;
    }

    // True: the guest has some of them, which another layout may have named already.
    private bool TryAdd(string typeName, LockType type, IReadOnlyList<LockFunctions> all, bool isRelease, FunctionFinder finder, FunctionExits exits, HashSet<ulong> callees)
    {
        bool isThere = false;
        foreach (LockFunctions functions in all)
        {
            foreach (string name in functions.Functions)
            {
                foreach (CallTarget target in finder.Find(name))
                {
                    ulong entry = target.Entry;
                    isThere = true;
                    if (_functions.Count >= MaximumFunctions || _byEntry.ContainsKey(entry)) continue;
                    var function = new LockFunction((short)_functions.Count, name, entry, typeName, type, functions, isRelease);
                    _byEntry[entry] = function;
                    _functions.Add(function);
                    if (type.InterruptsOff == true || functions.InterruptsOff == true) WatchesInterrupts = true;
                    AddCode(target);
                    bool isFound = exits.TryAdd(entry, isRelease ? [] : _exits, callees);
                    if (!isFound && !isRelease) _problems.Add($"Where {name} returns is not found: its code is not in memory, or too long.");
                }
            }
        }
        return isThere;
    }

    // There are copies of its functions where they were called, by the debug information.
    private static bool IsInlined(LockType type, SymbolSet symbols) =>
        NamesOf([.. type.Acquire ?? [], .. type.Release ?? []]).Any(name => symbols.Files.Any(file => file.Dwarf.FunctionsWithCopiesOf(name).Count > 0));

    private void FindSites(List<(string Name, LockType Type)> types, LockSites sites, SymbolSet symbols)
    {
        foreach ((string name, LockType type) in types)
        {
            // MCS nodes have to be declared anyway.
            if (type.InterruptsOff == true) WatchesInterrupts = true;
            (int unknown, int all) = sites.Add(type, Words.AddModel(name, type, symbols), _byEntry.ContainsKey);
            if (unknown > 0 && !Words.Has(name))
                _problems.Add($"Type '{name}': of {all} inlined copies of its functions, {unknown} cannot be followed, as the debug information does not say there where the lock is.");
        }
        Sites = sites.Words;
    }

    private void AddCode(CallTarget target)
    {
        if (target.SizeBytes > 0) _code.Add(new AddressRange(target.Entry, target.Entry + target.SizeBytes));
    }

    private static IEnumerable<string> NamesOf(IReadOnlyList<LockFunctions> all)
    {
        foreach (LockFunctions functions in all)
            foreach (string name in functions.Functions) yield return name;
    }
}
