using System;
using System.Collections.Generic;
using Dap.Protocol;
using Dap.Sessions;
using Dap.Views;
using Introspection.Paging;
using Vmm.Paging;
using Vmm.Platform;
using Vmm.Time;

namespace Dap.Requests;

/// <summary>Requests of our own about page tables, the guest's and the shadow's: one table, one translation, all ranges, what changed.</summary>
internal sealed class PagingRequests
{
    private const int MaximumRanges = 10_000, MaximumChanges = 2_000;

    private readonly Session _session;
    // The ranges of a large address space cost more than a page of them: they are kept while the machine stands.
    private (Machine? Machine, Position At, PagingControls Controls, PageFilter Filter) _rangesKey;
    private List<MappedRange> _ranges = [];

    public PagingRequests(Session session, RequestTable requests)
    {
        _session = session;
        requests.Add<TtvmPageTableArguments>("ttvm/pageTable", Table);
        requests.Add<TtvmTranslateArguments>("ttvm/translate", Translate);
        requests.Add<TtvmRangesArguments>("ttvm/ranges", Ranges);
        requests.Add<TtvmTableChangesArguments>("ttvm/tableChanges", a => Answer.Of(Changes(session, a)));
    }

    /// <exception cref="RequestException">A position is none, or a movement was asked for in a diversion.</exception>
    public static TtvmTableChanges Changes(Session session, TtvmTableChangesArguments arguments)
    {
        int cpu = session.CpuOf(arguments.ThreadId);
        Position from = session.ParsePosition(arguments.From);
        bool isHere = arguments.To is null;
        Position to = isHere ? session.Machine.Position : session.ParsePosition(arguments.To!);
        session.Activity.Title("Comparing page tables");
        Machine before = session.MachineAt(from, 0);
        Machine after = isHere || (to == session.Machine.Position && !session.IsDiverted) ? session.Machine : session.MachineAt(to, 1);
        List<TtvmTableChange> changes = new PageTableAnswers(after, cpu).Changes(before, MaximumChanges, out bool isCut);
        return new TtvmTableChanges { From = from.ToString(), To = to.ToString(), Changes = changes, IsCut = isCut };
    }

    private Answer Table(TtvmPageTableArguments arguments)
    {
        PageFilter filter = FilterOf(arguments.Filters);
        Machine? then = null;
        if (arguments.ComparedTo is { } position)
        {
            _session.Activity.Title("Comparing page tables");
            then = _session.MachineAt(_session.ParsePosition(position), 0);
        }
        TtvmPageTable table = new PageTableAnswers(_session.Machine, _session.CpuOf(arguments.ThreadId)).Table(arguments.Path, filter, then, arguments.IncludeAbsent == true)
            ?? throw new RequestException($"there is no page table at '{arguments.Path}' here: read the tables again from the root");
        return Answer.Of(table);
    }

    private Answer Translate(TtvmTranslateArguments arguments)
    {
        int cpu = _session.CpuOf(arguments.ThreadId);
        ulong linear = EvaluationRequests.NumberOf(arguments.Address, _session.ViewOf(cpu), _session.Symbols);
        return Answer.Of(new PageTableAnswers(_session.Machine, cpu).Translate(linear));
    }

    private Answer Ranges(TtvmRangesArguments arguments)
    {
        List<MappedRange> ranges = RangesOf(_session.CpuOf(arguments.ThreadId), FilterOf(arguments.Filters));
        int start = (int)Math.Clamp(arguments.Start ?? 0, 0, ranges.Count);
        int count = (int)Math.Clamp(arguments.Count ?? MaximumRanges, 0, Math.Min(MaximumRanges, ranges.Count - start));
        var answer = new List<TtvmRange>(count);
        for (int i = start; i < start + count; i++) answer.Add(PageTableAnswers.RangeOf(ranges[i]));
        return Answer.Of(new TtvmRanges { Total = ranges.Count, Ranges = answer });
    }

    private List<MappedRange> RangesOf(int cpu, PageFilter filter)
    {
        PagingControls controls = _session.ViewOf(cpu).Paging;
        var key = (_session.Machine, _session.Machine.Position, controls, filter);
        // In a diversion memory is written without a position passing.
        if (_session.IsDiverted || _rangesKey != key)
        {
            _ranges = new PageTree(_session.Machine, controls).Collect(filter);
            _rangesKey = key;
        }
        return _ranges;
    }

    private static PageFilter FilterOf(IReadOnlyList<string>? names)
    {
        PageFilter filter = PageFilter.None;
        foreach (string name in names ?? [])
            filter |= PageTableAnswers.ParseFilter(name) ?? throw new RequestException($"'{name}' is not a filter: writable, user, executable, global, dirty or accessed");
        return filter;
    }
}
