using System.Collections.Generic;
using System.Globalization;
using System.Threading;
using System;
using Dap.Handles;
using Dap.Protocol;
using Dap.Sessions;
using Introspection.Programs;
using Introspection.Unwinding;
using Replay.Queries;
using Symbols.Dwarf.Lines;
using Symbols.Expressions;
using Vmm.Platform;

namespace Dap.Requests;

/// <summary>Breakpoints of every kind. All are exact in both directions: a run stops just before what they name.</summary>
internal sealed class BreakpointRequests
{
    private const string NoSource = "there are no symbols for this recording, so that source lines have no addresses: set a breakpoint in the disassembly, or at an address";
    private readonly Session _session;

    public BreakpointRequests(Session session, RequestTable requests)
    {
        _session = session;
        requests.Add<SetBreakpointsArguments>(Commands.SetBreakpoints, SetSource);
        requests.Add<SetFunctionBreakpointsArguments>(Commands.SetFunctionBreakpoints, SetFunctions);
        requests.Add<SetInstructionBreakpointsArguments>(Commands.SetInstructionBreakpoints, SetInstructions);
        requests.Add<DataBreakpointInfoArguments>(Commands.DataBreakpointInfo, DataInfo);
        requests.Add<SetDataBreakpointsArguments>(Commands.SetDataBreakpoints, SetData);
        requests.Add<SetExceptionBreakpointsArguments>(Commands.SetExceptionBreakpoints, SetExceptions);
    }

    private Answer SetSource(SetBreakpointsArguments arguments)
    {
        var entries = new List<BreakpointEntry>();
        var answers = new List<Breakpoint>();
        foreach (SourceBreakpoint wanted in arguments.Breakpoints ?? []) answers.Add(SetLine(entries, arguments.Source, wanted));
        if (arguments.Breakpoints is null)
            foreach (long line in arguments.Lines ?? []) answers.Add(SetLine(entries, arguments.Source, new SourceBreakpoint { Line = line }));
        _session.Breakpoints.Replace($"{Commands.SetBreakpoints} {arguments.Source.Path ?? arguments.Source.Name}", entries);
        return Answer.Of(new SetBreakpointsResponseBody { Breakpoints = [.. answers] });
    }

    private Breakpoint SetLine(List<BreakpointEntry> entries, Source source, SourceBreakpoint wanted)
    {
        string path = source.Path ?? source.Name ?? "";
        IReadOnlyList<LineAddress> PlacesIn(SymbolSet set) => wanted.Line is > 0 and <= uint.MaxValue ? set.BreakpointAddresses(path, (uint)wanted.Line) : [];
        List<ulong> AddressesIn(SymbolSet set)
        {
            var addresses = new List<ulong>();
            foreach (LineAddress place in PlacesIn(set)) addresses.Add(place.Address);
            return addresses;
        }
        long? LineIn(SymbolSet set) => PlacesIn(set) is [var first, ..] ? first.Line : null;
        List<ulong> now = Now(AddressesIn);
        if (now.Count == 0 && !_session.Programs.MayLoadPrograms) return Refused(WhyNoCode(path), wanted.Line);
        long line = LineIn(_session.Symbols) ?? LineIn(_session.Programs.AsLinked) ?? wanted.Line;
        var entry = new BreakpointEntry(0, "breakpoint", $"{SourcePath.FileName(path)}:{line}", Conditions(now))
        {
            Source = source, Line = line, PlacesIn = AddressesIn, LineIn = LineIn,
            AsSet = new TtvmSavedBreakpoint
            {
                Kind = "source", Path = path, Line = wanted.Line, Condition = wanted.Condition, HitCondition = wanted.HitCondition, LogMessage = wanted.LogMessage,
            },
        };
        string why = _session.Programs.AsLinked.KnowsSource(path) ? $"the program with {SourcePath.FileName(path)} is not mapped now" : WhyNoCode(path);
        return WaitingUnlessKnown(Accept(entries, entry, wanted.Condition, wanted.HitCondition, wanted.LogMessage, now.Count > 0 ? now[0] : null), entries, why);
    }

    /// <summary>
    /// Where something is now. Before a Linux kernel is there, a program's addresses mean nothing; the kernel's are as linked, unless it puts itself elsewhere.
    /// </summary>
    private List<ulong> Now(Func<SymbolSet, IReadOnlyList<ulong>> placesIn)
    {
        var addresses = new List<ulong>();
        SymbolSet symbols = _session.Symbols;
        bool isAsLinked = _session.Programs.MayLoadPrograms && _session.Programs.Kernel is null;
        foreach (ulong address in placesIn(symbols))
            if (!isAsLinked || address >> 63 != 0) addresses.Add(address);
        return addresses;
    }

    private static List<StopCondition> Conditions(List<ulong> addresses)
    {
        var conditions = new List<StopCondition>();
        foreach (ulong address in addresses) conditions.Add(StopCondition.Breakpoint(address));
        return conditions;
    }

    private static Breakpoint WaitingUnlessKnown(Breakpoint answer, List<BreakpointEntry> entries, string why) => !answer.Verified || entries[^1].Conditions.Count > 0 ? answer
        : answer with { Verified = false, Reason = "pending", Message = $"{why}: the breakpoint waits for a program that has it" };

    private string WhyNoCode(string path)
    {
        if (_session.Symbols.IsEmpty) return NoSource;
        return _session.Symbols.KnowsSource(path) ? "there is no code at this line or below it"
            : $"no symbol file has lines of {path}: name the ELF file that was compiled from it under \"symbols\" in launch.json";
    }

    private Answer SetFunctions(SetFunctionBreakpointsArguments arguments)
    {
        var entries = new List<BreakpointEntry>();
        var answers = new List<Breakpoint>();
        foreach (FunctionBreakpoint wanted in arguments.Breakpoints)
        {
            var asSet = new TtvmSavedBreakpoint { Kind = "function", Name = wanted.Name, Condition = wanted.Condition, HitCondition = wanted.HitCondition };
            if (WatchOf(wanted.Name) is { } watched)
            {
                StopCondition condition = StopCondition.Watch(watched.Watch.Place.Address, watched.Watch.SizeBytes, watched.Access, watched.Watch.Place.IsPhysical);
                var data = new BreakpointEntry(0, "data breakpoint", wanted.Name, [condition]) { AsSet = asSet };
                answers.Add(Accept(entries, data, wanted.Condition, wanted.HitCondition, null, null));
                continue;
            }
            // An address will do where a name is asked for.
            MemoryPlace? place = MemoryPlace.TryParse(wanted.Name);
            List<ulong> addresses = Now(set => set.FunctionAddresses(wanted.Name));
            if (addresses.Count == 0 && place is { } at) addresses = [at.Address];
            if (addresses.Count == 0 && !_session.Programs.MayLoadPrograms)
            {
                answers.Add(Refused($"'{wanted.Name}' is not a known symbol: write an address, such as 0xffffffff81000000"));
                continue;
            }
            var entry = new BreakpointEntry(0, "function breakpoint", wanted.Name, Conditions(addresses)) { AsSet = asSet };
            if (place is null) entry = entry with { PlacesIn = set => set.FunctionAddresses(wanted.Name) };
            Breakpoint answer = Accept(entries, entry, wanted.Condition, wanted.HitCondition, null, addresses.Count > 0 ? addresses[0] : null);
            answers.Add(WaitingUnlessKnown(answer, entries, $"'{wanted.Name}' is not a symbol that is known now"));
        }
        _session.Breakpoints.Replace(Commands.SetFunctionBreakpoints, entries);
        return Answer.Of(new SetFunctionBreakpointsResponseBody { Breakpoints = [.. answers] });
    }

    /// <summary>
    /// "write 0x1000 8", "read phys:0x2000", "access 0x1000 4": a breakpoint on data by a name. Extensions of editors can set breakpoints on functions, but none on data.
    /// </summary>
    private static (DataWatch Watch, WatchAccess Access)? WatchOf(string name)
    {
        string[] words = name.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words.Length is < 2 or > 3 || MemoryPlace.TryParse(words[1]) is not { } place) return null;
        WatchAccess? access = words[0] switch { "write" => WatchAccess.Write, "read" => WatchAccess.Read, "access" => WatchAccess.Access, _ => null };
        int size = 1;
        if (access is null || (words.Length == 3 && !int.TryParse(words[2], NumberStyles.None, CultureInfo.InvariantCulture, out size))) return null;
        return size is < 1 or > DataWatch.MaximumSizeBytes ? null : (new DataWatch(place, size), access.Value);
    }

    private Answer SetInstructions(SetInstructionBreakpointsArguments arguments)
    {
        var entries = new List<BreakpointEntry>();
        var answers = new List<Breakpoint>();
        foreach (InstructionBreakpoint wanted in arguments.Breakpoints)
        {
            if (MemoryPlace.TryParse(wanted.InstructionReference) is not { } place)
            {
                answers.Add(Refused($"'{wanted.InstructionReference}' is not an address"));
                continue;
            }
            ulong address = place.Address + (ulong)(wanted.Offset ?? 0);
            StopCondition condition = place.IsPhysical ? StopCondition.PhysicalBreakpoint(address) : StopCondition.Breakpoint(address);
            string label = new MemoryPlace(address, place.IsPhysical).ToString();
            var entry = new BreakpointEntry(0, BreakpointEntry.OfInstruction, label, [condition])
            {
                AsSet = new TtvmSavedBreakpoint { Kind = "instruction", Address = label, Condition = wanted.Condition, HitCondition = wanted.HitCondition },
            };
            answers.Add(Accept(entries, entry, wanted.Condition, wanted.HitCondition, null, address));
        }
        _session.Breakpoints.Replace(Commands.SetInstructionBreakpoints, entries);
        return Answer.Of(new SetInstructionBreakpointsResponseBody { Breakpoints = [.. answers] });
    }

    // ---- Data. The protocol does not repeat the length when it sets one, so that it is part of the id.

    private Answer DataInfo(DataBreakpointInfoArguments arguments)
    {
        MemoryPlace? place;
        long size;
        string? problem = null;
        if (arguments.AsAddress == true)
        {
            place = MemoryPlace.TryParse(arguments.Name);
            size = arguments.Bytes ?? 1;
            if (place is null) problem = $"'{arguments.Name}' is not an address";
        }
        else (place, size, problem) = PlaceOf(arguments);
        if (place is not null && size is < 1 or > DataWatch.MaximumSizeBytes) problem = $"{size} bytes cannot be watched: from 1 to {DataWatch.MaximumSizeBytes}";
        if (place is not { } known || problem is not null)
            return Answer.Of(new DataBreakpointInfoResponseBody { DataId = null, Description = problem ?? "it has no address in memory" });
        var watch = new DataWatch(known, (int)size);
        return Answer.Of(new DataBreakpointInfoResponseBody
        {
            DataId = watch.ToString(), Description = watch.Label, AccessTypes = ["read", "write", "readWrite"], CanPersist = true,
        });
    }

    private (MemoryPlace? Place, long Size, string? Problem) PlaceOf(DataBreakpointInfoArguments arguments)
    {
        if (MemoryPlace.TryParse(arguments.Name) is { } address) return (address, arguments.Bytes ?? 8, null);
        VariableSource? source = arguments.VariablesReference is { } reference ? _session.Variables.Find(reference) : null;
        string expression = source?.EvaluateNameOf?.Invoke(arguments.Name) ?? arguments.Name;
        FrameHandle? frame = arguments.FrameId is { } id ? _session.FrameOf(id) : null;
        GuestView view = source is not null ? _session.ViewOf(source.CpuIndex) : frame is not null ? _session.ViewOf(frame.CpuIndex) : _session.View;
        try
        {
            TypedValue value = CompiledExpression.Evaluate(expression, _session.EnvironmentOf(view, source?.Level ?? frame?.Level));
            if (value.Address is { } at) return (new MemoryPlace(at, value.IsPhysical), arguments.Bytes ?? value.SizeBytes, null);
            // A symbol without a type is its address: the object there is meant.
            if (value is { IsUntyped: true, Register: null } && _session.Symbols.AddressOf(expression) is { } symbol)
                return (new MemoryPlace(symbol), arguments.Bytes ?? (long)Math.Min(_session.Symbols.SizeOf(expression) ?? 8, long.MaxValue), null);
            string where = value.Register is { } register ? $" but in the register {register}" : "";
            return (null, 0, $"'{expression}' is not in memory{where}: watch an address, or [{expression}]");
        }
        catch (ExpressionException)
        {
            return (null, 0, $"'{expression}' has no address in memory that could be watched");
        }
    }

    private Answer SetData(SetDataBreakpointsArguments arguments)
    {
        var entries = new List<BreakpointEntry>();
        var answers = new List<Breakpoint>();
        foreach (DataBreakpoint wanted in arguments.Breakpoints)
        {
            if (DataWatch.TryParse(wanted.DataId) is not { } watch)
            {
                answers.Add(Refused($"'{wanted.DataId}' is not an id that dataBreakpointInfo gives"));
                continue;
            }
            WatchAccess access = wanted.AccessType switch { "read" => WatchAccess.Read, "readWrite" => WatchAccess.Access, _ => WatchAccess.Write };
            StopCondition condition = StopCondition.Watch(watch.Place.Address, watch.SizeBytes, access, watch.Place.IsPhysical);
            string type = wanted.AccessType ?? "write";
            var entry = new BreakpointEntry(0, "data breakpoint", $"{type} of {watch.Label}", [condition])
            {
                AsSet = new TtvmSavedBreakpoint { Kind = "data", DataId = watch.ToString(), AccessType = type, Condition = wanted.Condition, HitCondition = wanted.HitCondition },
            };
            answers.Add(Accept(entries, entry, wanted.Condition, wanted.HitCondition, null, null));
        }
        _session.Breakpoints.Replace(Commands.SetDataBreakpoints, entries);
        return Answer.Of(new SetDataBreakpointsResponseBody { Breakpoints = [.. answers] });
    }

    private Answer SetExceptions(SetExceptionBreakpointsArguments arguments)
    {
        var entries = new List<BreakpointEntry>();
        var answers = new List<Breakpoint>();
        foreach (string filter in arguments.Filters) AddFilter(entries, answers, filter, null);
        foreach (ExceptionFilterOptions option in arguments.FilterOptions ?? []) AddFilter(entries, answers, option.FilterId, option.Condition);
        _session.Breakpoints.Replace(Commands.SetExceptionBreakpoints, entries);
        return Answer.Of(new SetExceptionBreakpointsResponseBody { Breakpoints = [.. answers] });
    }

    private void AddFilter(List<BreakpointEntry> entries, List<Breakpoint> answers, string filter, string? condition)
    {
        try
        {
            (string? what, string? expression) = ExceptionFilters.Split(filter, condition);
            (string label, IReadOnlyList<StopCondition> conditions) = ExceptionFilters.ConditionsOf(filter, what);
            answers.Add(Accept(entries, new BreakpointEntry(0, "exception", label, conditions), expression, null, null, null));
        }
        catch (RequestException e)
        {
            answers.Add(Refused(e.Message));
        }
    }

    // ----

    private Breakpoint Accept(List<BreakpointEntry> entries, BreakpointEntry entry, string? expression, string? hitCondition, string? logMessage, ulong? address)
    {
        Condition? condition = string.IsNullOrWhiteSpace(expression) ? null : new Condition(expression);
        bool isWaiting = entry is { PlacesIn: not null, Conditions.Count: 0 };
        if (condition is not null && Check(condition.Text, address, isWaiting) is { } problem) return Refused($"its condition: {problem}", entry.Line);
        LogMessage? log = string.IsNullOrEmpty(logMessage) ? null : LogMessage.Parse(logMessage);
        foreach (string part in log?.Expressions ?? [])
            if (Check(part, address, isWaiting) is { } wrong) return Refused($"its message: {wrong}", entry.Line);
        HitCondition? hits = null;
        if (!string.IsNullOrWhiteSpace(hitCondition))
        {
            try
            {
                hits = HitCondition.Parse(hitCondition);
            }
            catch (RequestException e)
            {
                return Refused(e.Message, entry.Line);
            }
        }
        long id = _session.Breakpoints.NextId();
        entry = entry with
        {
            Id = id, Expression = condition, Hits = hits, Log = log, Conditions = Filtered(entry.Conditions, condition),
            FilterFor = condition is null || entry.PlacesIn is null ? null : set => FilterOf(condition, set),
        };
        entries.Add(_session.ProgramBreakpoints.WithKnown(entry));
        return new Breakpoint
        {
            Id = id, Verified = true, InstructionReference = address is { } known ? new MemoryPlace(known).ToString() : null, Source = entry.Source, Line = entry.Line,
        };
    }

    // Conditions of breakpoints are looked at where they are hit: a false one then costs next to nothing.
    private IReadOnlyList<StopCondition> Filtered(IReadOnlyList<StopCondition> conditions, Condition? expression)
    {
        if (expression is null) return conditions;
        Func<Machine, int, bool> filter = FilterOf(expression, _session.Symbols);
        var filtered = new List<StopCondition>();
        foreach (StopCondition condition in conditions)
        {
            bool isBreakpoint = condition.Kind is StopConditionKind.Breakpoint or StopConditionKind.PhysicalBreakpoint;
            filtered.Add(isBreakpoint ? condition with { Filter = filter } : condition);
        }
        return filtered;
    }

    private static Func<Machine, int, bool> FilterOf(Condition expression, SymbolSet symbols)
    {
        var gate = new Lock();
        return (machine, cpuIndex) =>
        {
            // Symbol files are read as they are needed, by one thread at a time.
            lock (gate) return HitCounter.IsTrue(expression, new GuestView(machine, machine.Vcpus[cpuIndex]), symbols);
        };
    }

    // A condition that reads memory may fail here and be good where it counts; one that is not an expression never is.
    // What its names are shows only where its program is.
    private string? Check(string expression, ulong? address, bool isWaiting)
    {
        if (!_session.IsLaunched || isWaiting) return null;
        try
        {
            StackLevel? level = address is { } known ? CallStack.At(known, _session.Symbols) : null;
            CompiledExpression.Evaluate(expression, _session.EnvironmentOf(_session.View, level));
            return null;
        }
        catch (ExpressionException e)
        {
            return e.Problem == ExpressionProblem.NotAvailable ? null : e.Message;
        }
    }

    private Breakpoint Refused(string why, long? line = null) => new() { Id = _session.Breakpoints.NextId(), Verified = false, Message = why, Line = line, Reason = "failed" };
}

/// <summary>A watched range, written as the id of a data breakpoint: "0xffffffff80001000:8", "phys:0x1000:8".</summary>
internal readonly record struct DataWatch(MemoryPlace Place, int SizeBytes)
{
    public const int MaximumSizeBytes = 1 << 20;

    public string Label => $"{SizeBytes.ToString("N0", CultureInfo.InvariantCulture)} byte{(SizeBytes == 1 ? "" : "s")} at {Place}";

    public override string ToString() => $"{Place}:{SizeBytes}";

    public static DataWatch? TryParse(string id)
    {
        int colon = id.LastIndexOf(':');
        if (colon < 0 || MemoryPlace.TryParse(id[..colon]) is not { } place) return null;
        return int.TryParse(id.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int size) && size is >= 1 and <= MaximumSizeBytes
            ? new DataWatch(place, size) : null;
    }
}
