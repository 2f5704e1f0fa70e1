using System;
using System.Collections.Generic;
using System.Text.Json;
using System.Threading;
using Iced.Intel;
using Introspection.Locks.Tasks;
using Introspection.Text;
using Replay.Timelines;
using Vmm.Time;

namespace Introspection.Atomics;

/// <summary>
/// What was done with a word in a part of a recording, as it was seen: who tried again and who was deceived is only known with what was before. So several machines can look at a part
/// each, and one puts them together.
/// </summary>
public sealed class AtomicAccessLog
{
    private const int FieldCount = 14;

    private readonly List<AtomicAccess> _accesses = [];

    private AtomicAccessLog() { }

    internal IReadOnlyList<AtomicAccess> Accesses => _accesses;

    /// <summary>Replays a stretch on all cores. The timeline's cursor stays. A cancelled one throws <see cref="OperationCanceledException"/>.</summary>
    /// <param name="timeline">The recording.</param>
    /// <param name="target">The word.</param>
    /// <param name="tasks">What vCPUs run.</param>
    /// <param name="from">The first position that counts.</param>
    /// <param name="before">The first one that does not.</param>
    /// <param name="progress">Of the replay.</param>
    /// <param name="cancellation">Ends it.</param>
    public static AtomicAccessLog Read(Timeline timeline, AtomicTarget target, ICurrentTask tasks, Position from, Position before, IProgress<TimelineProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        var log = new AtomicAccessLog();
        timeline.Intervals.RunAll<AtomicAccess>(from, before, () => new AtomicVisitor(target, tasks), log._accesses.Add, progress, cancellation);
        return log;
    }

    /// <summary>Writes it as an array of arrays of numbers, those of 64 bits and more as strings.</summary>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartArray();
        foreach (AtomicAccess access in _accesses)
        {
            json.WriteStartArray();
            json.WriteStringValue($"{access.At.InstructionCount:x}");
            json.WriteNumberValue(access.At.EventOrdinal);
            json.WriteNumberValue((byte)access.Kind);
            json.WriteNumberValue(access.CpuIndex);
            json.WriteNumberValue(access.SizeBytes);
            json.WriteNumberValue((int)access.Mnemonic);
            json.WriteBooleanValue(access.IsLocked);
            foreach (ulong value in (ReadOnlySpan<ulong>)[access.Task, access.Code, access.Frame, access.Address]) json.WriteStringValue($"{value:x}");
            foreach (UInt128 value in (ReadOnlySpan<UInt128>)[access.Expected, access.Old, access.New]) json.WriteStringValue($"{value:x}");
            json.WriteEndArray();
        }
        json.WriteEndArray();
    }

    /// <summary>Reads what <see cref="Write"/> has written; null: it is something else.</summary>
    public static AtomicAccessLog? TryRead(JsonElement json)
    {
        var log = new AtomicAccessLog();
        if (json.ValueKind != JsonValueKind.Array) return null;
        foreach (JsonElement one in json.EnumerateArray())
        {
            if (one.ValueKind != JsonValueKind.Array || one.GetArrayLength() != FieldCount || one[6].ValueKind is not (JsonValueKind.True or JsonValueKind.False)) return null;
            for (int i = 1; i <= 5; i++)
                if (one[i].ValueKind != JsonValueKind.Number) return null;
            if (!one[1].TryGetUInt32(out uint ordinal) || !one[2].TryGetByte(out byte kind) || kind > (byte)AtomicKind.Store
                || !one[3].TryGetInt32(out int cpu) || cpu is < -1 or > byte.MaxValue
                || !one[4].TryGetInt32(out int size) || size is < 1 or > AtomicTarget.MaximumBytes || !one[5].TryGetInt32(out int mnemonic)) return null;
            if (!Hexadecimal.TryRead(one[0], out ulong count) || !Hexadecimal.TryRead(one[7], out ulong task) || !Hexadecimal.TryRead(one[8], out ulong code)
                || !Hexadecimal.TryRead(one[9], out ulong frame) || !Hexadecimal.TryRead(one[10], out ulong address)
                || !Hexadecimal.TryRead(one[11], out UInt128 expected) || !Hexadecimal.TryRead(one[12], out UInt128 old) || !Hexadecimal.TryRead(one[13], out UInt128 value)) return null;
            log._accesses.Add(new AtomicAccess
            {
                At = new Position(count, ordinal), Kind = (AtomicKind)kind, CpuIndex = cpu, SizeBytes = size, Mnemonic = (Mnemonic)mnemonic, IsLocked = one[6].GetBoolean(), Task = task,
                Code = code, Frame = frame, Address = address, Expected = expected, Old = old, New = value,
            });
        }
        return log;
    }
}
