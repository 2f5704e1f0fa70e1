using System;
using System.Collections.Generic;
using System.Text.Json;
using System.Threading;
using Introspection.Locks.Tasks;
using Introspection.Text;
using Replay.Timelines;
using Vmm.Time;

namespace Introspection.Locks.History;

/// <summary>
/// What vCPUs do with locks in a part of a recording, as it was seen: what it means is only known with what was before. So several machines can look at a part each, and one puts them
/// together. Numbers of functions are those of the guest's table, which is the same whoever makes it.
/// </summary>
public sealed class LockEventLog
{
    private const int FieldCount = 12;

    private readonly List<LockEvent> _events = [];

    private LockEventLog() { }

    internal IReadOnlyList<LockEvent> Events => _events;

    internal static LockEventLog Read(Timeline timeline, LockFunctionTable table, ICurrentTask tasks, Position from, Position before, IProgress<TimelineProgress>? progress,
        CancellationToken cancellation)
    {
        var log = new LockEventLog();
        if (!table.IsEmpty) timeline.Intervals.RunAll<LockEvent>(from, before, () => new LockVisitor(table, tasks), log._events.Add, progress, cancellation);
        return log;
    }

    /// <summary>Writes it as an array of arrays of numbers, the 64-bit ones as strings.</summary>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartArray();
        foreach (LockEvent e in _events)
        {
            json.WriteStartArray();
            json.WriteStringValue($"{e.Count:x}");
            json.WriteNumberValue(e.Ordinal);
            json.WriteNumberValue((byte)e.Step);
            json.WriteNumberValue(e.CpuIndex);
            json.WriteNumberValue(e.Function);
            json.WriteBooleanValue(e.HasInterruptsOn);
            foreach (ulong value in (ReadOnlySpan<ulong>)[e.Value, e.Frame, e.Task, e.Caller, e.Other, e.Lock]) json.WriteStringValue($"{value:x}");
            json.WriteEndArray();
        }
        json.WriteEndArray();
    }

    /// <summary>Reads what <see cref="Write"/> has written; null: it is something else.</summary>
    /// <param name="json">An array.</param>
    /// <param name="locks">Of the same guest.</param>
    public static LockEventLog? TryRead(JsonElement json, GuestLocks locks)
    {
        var log = new LockEventLog();
        if (json.ValueKind != JsonValueKind.Array) return null;
        foreach (JsonElement one in json.EnumerateArray())
        {
            if (one.ValueKind != JsonValueKind.Array || one.GetArrayLength() != FieldCount || one[5].ValueKind is not (JsonValueKind.True or JsonValueKind.False)) return null;
            bool isGood = Hexadecimal.TryRead(one[0], out ulong count) & Hexadecimal.TryRead(one[6], out ulong value) & Hexadecimal.TryRead(one[7], out ulong frame)
                & Hexadecimal.TryRead(one[8], out ulong task) & Hexadecimal.TryRead(one[9], out ulong caller)
                & Hexadecimal.TryRead(one[10], out ulong other) & Hexadecimal.TryRead(one[11], out ulong address);
            for (int i = 1; i <= 4; i++) isGood &= one[i].ValueKind == JsonValueKind.Number;
            if (!isGood || !one[1].TryGetUInt32(out uint ordinal) || !one[2].TryGetByte(out byte step)
                || !one[3].TryGetByte(out byte cpu) || !one[4].TryGetInt16(out short function)) return null;
            bool hasFunction = (LockStep)step is LockStep.Want or LockStep.Release;
            bool hasWord = (LockStep)step is LockStep.Look or LockStep.Store or LockStep.Swap;
            int known = hasFunction ? locks.Functions.Functions.Count : locks.Functions.Words.Count;
            if (step > (byte)LockStep.Swap || ((hasFunction || hasWord) && (function < 0 || function >= known))) return null;
            log._events.Add(new LockEvent(count, ordinal, (LockStep)step, cpu, function, one[5].GetBoolean(), value, frame, task, caller) { Other = other, Lock = address });
        }
        return log;
    }
}
