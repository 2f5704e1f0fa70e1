using System;
using System.Collections.Generic;
using Replay.Packages;
using Vmm.Time;

namespace Replay.Log;

/// <summary>The decoded records of one segment.</summary>
/// <param name="BaseSequence">Number of input records before it.</param>
/// <param name="Records">All records, in the order in which they were written.</param>
/// <param name="Inputs">Those that entered the machine, in order.</param>
internal sealed record LogSegment(ulong BaseSequence, LogRecord[] Records, LogRecord[] Inputs)
{
    /// <summary>Decodes a payload. Reading is strict: what a writer cannot have written is damage.</summary>
    /// <exception cref="MessagePackSerializationException">The payload is not what the format says.</exception>
    public static LogSegment Decode(in LogSegmentMeta meta, ReadOnlyMemory<byte> payload)
    {
        var records = new List<LogRecord>(Math.Min(meta.RecordCount, payload.Length));
        var inputs = new List<LogRecord>();
        var reader = new MessagePackReader(payload);
        Position last = meta.Base;
        ulong nanoseconds = meta.BaseNanoseconds;
        int outputCount = 0;
        while (!reader.End)
        {
            DecodeRecord(ref reader, ref last, ref nanoseconds, records, ref outputCount);
        }
        foreach (LogRecord record in records)
            if (record.IsInput) inputs.Add(record);
        if (last > meta.Through) throw Wrong($"a record lies at {last}, behind the segment's end {meta.Through}");
        if (outputCount != meta.OutputByteCount) throw Wrong("the segment has another number of output bytes than its header says");
        return new LogSegment(meta.BaseSequence, records.ToArray(), inputs.ToArray());
    }

    private static void DecodeRecord(ref MessagePackReader reader, ref Position last, ref ulong nanoseconds, List<LogRecord> records,
        ref int outputCount)
    {
        int elementCount = reader.ReadArrayHeader();
        int kindNumber = reader.ReadInt32();
        ulong count = reader.ReadUInt64();
        uint ordinal = reader.ReadUInt32();
        var kind = (LogRecordKind)kindNumber;
        if (kind == LogRecordKind.Digest)
        {
            Expect(elementCount, 5, kind);
            if (!reader.TryReadNil()) throw Wrong("a digest record has a unit");
            ReadOnlyMemory<byte> digest = reader.ReadBinary();
            if (digest.Length != Checkpoints.StateDigest.SizeBytes) throw Wrong("a digest has another length than 32 bytes");
            records.Add(new LogRecord(kind, new Position(count, ordinal), 0, 0, digest));
            return;
        }
        if (count > ulong.MaxValue - last.InstructionCount) throw Wrong("a position overflows");
        var at = new Position(last.InstructionCount + count, ordinal);
        if (at < last) throw Wrong($"a record at {at} follows one at {last}");
        last = at;
        switch (kind)
        {
            case LogRecordKind.TimeInput:
                Expect(elementCount, 4, kind);
                nanoseconds = Later(nanoseconds, reader.ReadUInt64());
                records.Add(new LogRecord(kind, at, 0, nanoseconds, default));
                break;
            case LogRecordKind.TimeRead:
                Expect(elementCount, 6, kind);
                DecodeTimeRun(ref reader, ref last, ref nanoseconds, records);
                break;
            case LogRecordKind.EntropyRead:
                Expect(elementCount, 4, kind);
                records.Add(new LogRecord(kind, at, 0, 0, reader.ReadBinary()));
                break;
            case LogRecordKind.Output:
                Expect(elementCount, 6, kind);
                DecodeOutputRun(ref reader, ref last, records, ref outputCount);
                break;
            case LogRecordKind.Checkpoint:
                Expect(elementCount, 4, kind);
                records.Add(new LogRecord(kind, at, reader.ReadInt32(), 0, default));
                break;
            case LogRecordKind.End:
                Expect(elementCount, 6, kind);
                int outcome = reader.ReadInt32();
                ReadOnlyMemory<byte> detail = reader.ReadBinary();
                records.Add(new LogRecord(kind, at, outcome, reader.ReadUInt32(), detail));
                break;
            default:
                if (kindNumber is < 1 or > 15) throw Wrong($"there is no record of kind {kindNumber}");
                Expect(elementCount, 5, kind);
                int unit = reader.ReadInt32();
                records.Add(new LogRecord(kind, at, unit, 0, reader.ReadBinary()));
                break;
        }
    }

    private static void DecodeTimeRun(ref MessagePackReader reader, ref Position at, ref ulong nanoseconds, List<LogRecord> records)
    {
        if (reader.ReadInt32() != 0) throw Wrong("a time record has a unit");
        var steps = new VarIntReader(reader.ReadBinary().Span);
        var gaps = new VarIntReader(reader.ReadBinary().Span);
        while (steps.TryRead(out ulong step))
        {
            at = NextInRun(ref gaps, at);
            nanoseconds = Later(nanoseconds, step);
            records.Add(new LogRecord(LogRecordKind.TimeRead, at, 0, nanoseconds, default));
        }
        if (!gaps.AtEnd || !steps.AtEnd) throw Wrong("a time record has another number of positions than of readings");
    }

    /// <summary>Adds a record for each group of bytes that went out at once.</summary>
    private static void DecodeOutputRun(ref MessagePackReader reader, ref Position at, List<LogRecord> records, ref int outputCount)
    {
        int channel = reader.ReadInt32();
        ReadOnlyMemory<byte> bytes = reader.ReadBinary();
        var gaps = new VarIntReader(reader.ReadBinary().Span);
        int groupStart = 0;
        for (int i = 0; i < bytes.Length; i++)
        {
            Position next = NextInRun(ref gaps, at);
            if (next != at && i > groupStart)
            {
                records.Add(new LogRecord(LogRecordKind.Output, at, channel, 0, bytes[groupStart..i]));
                groupStart = i;
            }
            at = next;
        }
        if (!gaps.AtEnd || bytes.IsEmpty) throw Wrong("an output record has another number of positions than of bytes");
        outputCount += bytes.Length;
        records.Add(new LogRecord(LogRecordKind.Output, at, channel, 0, bytes[groupStart..]));
    }

    private static Position NextInRun(ref VarIntReader gaps, Position at)
    {
        if (!gaps.TryRead(out ulong gap)) throw Wrong("a record has too few positions");
        ulong step = gap >> 1, ordinal = step != 0 ? 0 : at.EventOrdinal;
        if ((gap & 1) != 0 && !gaps.TryRead(out ordinal)) throw Wrong("a record has too few positions");
        if (ordinal > uint.MaxValue || step > ulong.MaxValue - at.InstructionCount) throw Wrong("a position overflows");
        var next = new Position(at.InstructionCount + step, (uint)ordinal);
        return next >= at ? next : throw Wrong($"{next} follows {at} in a record");
    }

    private static ulong Later(ulong nanoseconds, ulong step) =>
        step <= ulong.MaxValue - nanoseconds ? nanoseconds + step : throw Wrong("a time overflows");

    private static void Expect(int elementCount, int expected, LogRecordKind kind)
    {
        if (elementCount != expected) throw Wrong($"a record of kind {kind} has {elementCount} elements, not {expected}");
    }

    private static MessagePackSerializationException Wrong(string what) => new(what);
}
