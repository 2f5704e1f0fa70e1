using System;
using System.Collections.Generic;
using Dap.Protocol;
using Dap.Sessions;
using Introspection.Consoles;
using Introspection.History;
using Vmm.Cpu;
using Vmm.Inputs;
using Vmm.Time;

namespace Dap.Views;

/// <summary>What has a name on the timeline: bookmarks, console lines, inputs and, when they are few, single events.</summary>
internal sealed class TimelineMarkers(Session session)
{
    /// <summary>More console lines than this and those of a bucket become one marker.</summary>
    private const int MaximumLines = 300;

    public static string NameOf(HistoryEventKind kind) => kind switch
    {
        HistoryEventKind.Exception => "exception",
        HistoryEventKind.Interrupt => "interrupt",
        HistoryEventKind.SystemCall => "systemCall",
        HistoryEventKind.ContextSwitch => "contextSwitch",
        HistoryEventKind.Schedule => "schedule",
        _ => "input",
    };

    /// <summary>What an event was, in words.</summary>
    public static string Describe(in HistoryEvent one) => one.Kind switch
    {
        HistoryEventKind.Exception => $"exception {one.Number} ({(Vector)one.Number})",
        HistoryEventKind.Interrupt => $"interrupt 0x{one.Number:x2}",
        HistoryEventKind.SystemCall => "system call",
        HistoryEventKind.ContextSwitch => "another address space",
        HistoryEventKind.Schedule => $"vCPU {one.Number} gets its turn",
        _ => $"{(InputKind)one.Number} input",
    };

    public List<TtvmTimelineMarker> Between(ulong from, ulong to, int bucketCount, IReadOnlyList<HistoryEvent> events)
    {
        var markers = new List<TtvmTimelineMarker>();
        AddBookmarks(from, to, markers);
        AddConsole(from, to, bucketCount, markers);
        foreach (HistoryEvent one in events)
        {
            markers.Add(new TtvmTimelineMarker
            {
                Kind = NameOf(one.Kind), Position = one.At.ToString(), Count = 1, Text = Describe(one),
                ThreadId = one.Kind == HistoryEventKind.Input ? null : Session.ThreadOfCpu(one.Kind == HistoryEventKind.Schedule ? one.Number : one.CpuIndex),
            });
        }
        return markers;
    }

    private void AddBookmarks(ulong from, ulong to, List<TtvmTimelineMarker> markers)
    {
        List<TtvmBookmark> bookmarks;
        try
        {
            bookmarks = session.Bookmarks.Read();
        }
        catch (RequestException)
        {
            // ttvm/bookmarks says what is wrong with them.
            return;
        }
        foreach (TtvmBookmark bookmark in bookmarks)
        {
            if (!session.TryParsePosition(bookmark.Position, out Position at) || at.InstructionCount < from || at.InstructionCount > to) continue;
            markers.Add(new TtvmTimelineMarker { Kind = "bookmark", Position = bookmark.Position, Count = 1, Text = bookmark.Name });
        }
    }

    private void AddConsole(ulong from, ulong to, int bucketCount, List<TtvmTimelineMarker> markers)
    {
        foreach (OutputChannel channel in Enum.GetValues<OutputChannel>())
        {
            IReadOnlyList<ConsoleLine> lines = session.ConsoleOf(channel).Between(new Position(from), new Position(to));
            if (lines.Count <= MaximumLines)
            {
                foreach (ConsoleLine line in lines) markers.Add(Marker(line, 1));
                continue;
            }
            ulong width = Math.Max(1, (to - from) / (ulong)bucketCount);
            for (int i = 0; i < lines.Count;)
            {
                int first = i;
                ulong bucket = (lines[i].At.InstructionCount - from) / width;
                while (i < lines.Count && (lines[i].At.InstructionCount - from) / width == bucket) i++;
                markers.Add(Marker(lines[first], i - first));
            }
        }
    }

    private static TtvmTimelineMarker Marker(in ConsoleLine line, int count) =>
        new() { Kind = "consoleLine", Position = line.At.ToString(), Count = count, Text = line.Text };
}
