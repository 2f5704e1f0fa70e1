using System;
using System.Collections.Generic;
using System.Globalization;
using Dap.Expressions;
using Dap.Inspection;
using Dap.Protocol;
using Replay.Queries;

namespace Dap.Sessions;

/// <summary>Breakpoints of every kind. All are exact in both directions: a run stops just before what they name.</summary>
internal sealed class BreakpointRequests
{
    private const string NoHitCounts = "hit counts are not supported: use a condition";
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
        int count = arguments.Breakpoints?.Length ?? arguments.Lines?.Length ?? 0;
        var answers = new Breakpoint[count];
        for (int i = 0; i < count; i++) answers[i] = Refused(NoSource, arguments.Breakpoints?[i].Line ?? arguments.Lines![i]);
        return Answer.Of(new SetBreakpointsResponseBody { Breakpoints = answers });
    }

    private Answer SetFunctions(SetFunctionBreakpointsArguments arguments)
    {
        var entries = new List<BreakpointEntry>();
        var answers = new List<Breakpoint>();
        foreach (FunctionBreakpoint wanted in arguments.Breakpoints)
        {
            // An address will do where a name is asked for.
            ulong? address = _session.Symbols.AddressOf(wanted.Name) ?? MemoryPlace.TryParse(wanted.Name)?.Address;
            if (address is { } known) answers.Add(Accept(entries, "function breakpoint", wanted.Name, [StopCondition.Breakpoint(known)], wanted.Condition, wanted.HitCondition, known));
            else answers.Add(Refused($"'{wanted.Name}' is not a known symbol: write an address, such as 0xffffffff81000000"));
        }
        _session.Breakpoints.Replace(Commands.SetFunctionBreakpoints, entries);
        return Answer.Of(new SetFunctionBreakpointsResponseBody { Breakpoints = [.. answers] });
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
            answers.Add(Accept(entries, "instruction breakpoint", new MemoryPlace(address, place.IsPhysical).ToString(), [condition], wanted.Condition, wanted.HitCondition, address));
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
        try
        {
            GuestView view = arguments.FrameId is { } frame ? _session.ViewOf(_session.FrameOf(frame).CpuIndex) : _session.View;
            ExpressionValue value = Expression.Evaluate(arguments.Name, view, _session.Symbols);
            return (value.Place, arguments.Bytes ?? value.SizeBytes, value.Place is null ? $"'{arguments.Name}' is not in memory: watch an address, or [{arguments.Name}]" : null);
        }
        catch (ExpressionException)
        {
            return (null, 0, $"'{arguments.Name}' has no address in memory that could be watched");
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
            answers.Add(Accept(entries, "data breakpoint", $"{wanted.AccessType ?? "write"} of {watch.Label}", [condition], wanted.Condition, wanted.HitCondition));
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
            (string label, IReadOnlyList<StopCondition> conditions) = ExceptionFilters.ConditionsOf(filter, condition);
            answers.Add(Accept(entries, "exception", label, conditions, null, null));
        }
        catch (RequestException e)
        {
            answers.Add(Refused(e.Message));
        }
    }

    // ----

    private Breakpoint Accept(List<BreakpointEntry> entries, string reason, string label, IReadOnlyList<StopCondition> conditions, string? expression, string? hitCondition,
        ulong? address = null)
    {
        if (!string.IsNullOrWhiteSpace(hitCondition)) return Refused(NoHitCounts);
        string? condition = string.IsNullOrWhiteSpace(expression) ? null : expression;
        if (condition is not null && Check(condition) is { } problem) return Refused($"its condition: {problem}");
        long id = _session.Breakpoints.NextId();
        entries.Add(new BreakpointEntry(id, reason, label, conditions, condition));
        return new Breakpoint { Id = id, Verified = true, InstructionReference = address is { } known ? new MemoryPlace(known).ToString() : null };
    }

    // A condition that reads memory may fail here and be good where it counts; one that is not an expression never is.
    private string? Check(string expression)
    {
        if (!_session.IsLaunched) return null;
        try
        {
            Expression.Evaluate(expression, _session.View, _session.Symbols);
            return null;
        }
        catch (ExpressionException e)
        {
            return e.Message.StartsWith("no memory", StringComparison.Ordinal) ? null : e.Message;
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
