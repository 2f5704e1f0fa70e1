using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using Replay.Checkpoints;
using Replay.Log;
using Replay.Packages;
using Replay.Queries;
using Replay.Replaying;
using Vmm.Inputs;
using Vmm.Platform;
using Vmm.Time;
using Xunit;

namespace Replay.Tests.Log;

/// <summary>What is logged comes back, at its position; a log that was cut or damaged reads up to its last whole segment.</summary>
public sealed class EventLogTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ttvm-log").FullName;

    private string LogPath => Path.Combine(_folder, "log");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Records_come_back_in_order()
    {
        var digest = new StateDigest(new byte[32]);
        using (var frames = new FrameWriter(LogPath))
        {
            var log = new EventLogWriter(frames);
            log.WriteCheckpoint(Position.Start, 0);
            log.WriteInput(new Position(10, 2), new InputEvent(InputKind.Serial, 1, "abc"u8.ToArray()));
            log.WriteTimeRead(new Position(10, 2), 5000);
            log.WriteTimeRead(new Position(11), 5000);
            log.WriteEntropy(new Position(20), [1, 2, 3]);
            log.WriteOutput(new Position(30), OutputChannel.Serial0, "x"u8);
            log.WriteOutput(new Position(30), OutputChannel.Serial0, "y"u8);
            log.WriteOutput(new Position(31, 4), OutputChannel.Serial0, "z"u8);
            log.WriteOutput(new Position(31, 5), OutputChannel.DebugConsole, "q"u8);
            log.WriteDigest(Position.Start, digest);
            log.Flush(new Position(40));
            log.WriteInput(new Position(50), new InputEvent(InputKind.Time, 0, BitConverter.GetBytes(9000UL)));
            log.WriteInput(new Position(60), new InputEvent(InputKind.PowerButton, 0, default));
            log.WriteEnd(new Position(70), new Outcome(OutcomeKind.DebugExit, 7, "bye"));
        }
        Read(reader =>
        {
            Assert.Equal(new Position(70), reader.Through);
            LogRecord[] expected =
            [
                new(LogRecordKind.Checkpoint, Position.Start, 0, 0, default),
                new((LogRecordKind)InputKind.Serial, new Position(10, 2), 1, 0, "abc"u8.ToArray()),
                new(LogRecordKind.TimeRead, new Position(10, 2), 0, 5000, default),
                new(LogRecordKind.TimeRead, new Position(11), 0, 5000, default),
                new(LogRecordKind.EntropyRead, new Position(20), 0, 0, new byte[] { 1, 2, 3 }),
                new(LogRecordKind.Output, new Position(30), 0, 0, "xy"u8.ToArray()),
                new(LogRecordKind.Output, new Position(31, 4), 0, 0, "z"u8.ToArray()),
                new(LogRecordKind.Output, new Position(31, 5), 2, 0, "q"u8.ToArray()),
                new(LogRecordKind.Digest, Position.Start, 0, 0, new byte[32]),
                new(LogRecordKind.TimeInput, new Position(50), 0, 9000, default),
                new((LogRecordKind)InputKind.PowerButton, new Position(60), 0, 0, default),
                new(LogRecordKind.End, new Position(70), (int)OutcomeKind.DebugExit, 7, "bye"u8.ToArray()),
            ];
            var got = new List<LogRecord>(reader.ReadAll());
            Assert.Equal(expected.Length, got.Count);
            for (int i = 0; i < expected.Length; i++)
            {
                Assert.Equal(expected[i] with { Data = default }, got[i] with { Data = default });
                Assert.Equal(expected[i].Data.ToArray(), got[i].Data.ToArray());
            }
        });
    }

    [Fact]
    public void A_cut_or_damaged_log_reads_up_to_its_last_whole_segment()
    {
        WriteLong(segments: 20);
        byte[] whole = File.ReadAllBytes(LogPath);
        var random = new Random(3);
        for (int round = 0; round < 200; round++)
        {
            byte[] bytes = whole[..random.Next(whole.Length + 1)];
            if (round % 2 == 1 && bytes.Length > 0) bytes[random.Next(bytes.Length)] ^= (byte)(1 + random.Next(255));
            File.WriteAllBytes(LogPath, bytes);
            Read(reader =>
            {
                Assert.InRange(reader.SegmentCount, 0, 20);
                ulong n = 0;
                foreach (LogRecord record in reader.ReadAll()) Assert.Equal(n++ * 3, record.At.InstructionCount);
                Assert.Equal(100UL * (ulong)reader.SegmentCount, n);
            });
        }
    }

    [Fact]
    public void Replay_hands_out_what_was_logged_from_any_sequence_number()
    {
        var expected = new List<(LogRecordKind Kind, Position At)>();
        using (var frames = new FrameWriter(LogPath))
        {
            var log = new EventLogWriter(frames);
            var random = new Random(5);
            var at = Position.Start;
            for (int i = 0; i < 2000; i++)
            {
                // Now and then a segment without any input.
                if (random.Next(40) == 0) log.Flush(at);
                if (random.Next(40) == 0) log.Flush(at);
                at = random.Next(3) == 0
                    ? at with { EventOrdinal = at.EventOrdinal + 1 } : new Position(at.InstructionCount + (ulong)random.Next(1, 1000));
                if (random.Next(5) == 0)
                {
                    log.WriteInput(at, new InputEvent(InputKind.Keyboard, 0, new byte[] { (byte)i }));
                    expected.Add(((LogRecordKind)InputKind.Keyboard, at));
                }
                else
                {
                    log.WriteTimeRead(at, (ulong)i * 17);
                    expected.Add((LogRecordKind.TimeRead, at));
                }
            }
            log.Flush(at);
        }
        Read(reader =>
        {
            var random = new Random(6);
            for (int round = 0; round < 50; round++)
            {
                int start = random.Next(expected.Count);
                var source = new ReplayInputSource(reader);
                source.Seek((ulong)start);
                for (int i = start; i < Math.Min(expected.Count, start + 300); i++)
                {
                    (LogRecordKind kind, Position at) = expected[i];
                    if (kind == LogRecordKind.TimeRead)
                    {
                        Assert.False(source.TryTake(at, out _));
                        source.ReadTime(at);
                        continue;
                    }
                    Assert.True(source.NextArrival <= at.InstructionCount);
                    Assert.True(source.TryTake(at, out InputEvent input));
                    Assert.Equal(InputKind.Keyboard, input.Kind);
                }
            }
        });
    }

    [Fact]
    public void A_machine_that_asks_for_something_else_diverges()
    {
        using (var frames = new FrameWriter(LogPath))
        {
            var log = new EventLogWriter(frames);
            log.WriteTimeRead(new Position(100), 5);
            log.WriteInput(new Position(200), new InputEvent(InputKind.Serial, 0, "a"u8.ToArray()));
            log.Flush(new Position(300));
        }
        Read(reader =>
        {
            var source = new ReplayInputSource(reader);
            var e = Assert.Throws<ReplayDivergenceException>(() => source.ReadTime(new Position(99)));
            Assert.Equal("the replay diverges from the recording at 99: expected a reading of the time at 100, got a reading of the time", e.Message);
            e = Assert.Throws<ReplayDivergenceException>(() => source.FillEntropy(new Position(100), new byte[4]));
            Assert.Contains("got a request for entropy", e.Message, StringComparison.Ordinal);
            source.ReadTime(new Position(100));
            e = Assert.Throws<ReplayDivergenceException>(() => source.TryTake(new Position(201), out _));
            Assert.Contains("at 200: expected input Serial of 1 bytes to be taken", e.Message, StringComparison.Ordinal);
        });
    }

    [Fact]
    public void The_console_is_read_and_searched_without_a_machine()
    {
        using (var frames = new FrameWriter(LogPath))
        {
            var log = new EventLogWriter(frames);
            byte[] text = Encoding.ASCII.GetBytes("login: a login: b");
            for (int i = 0; i < text.Length; i++)
            {
                log.WriteOutput(new Position((ulong)(100 * i)), OutputChannel.Serial0, [text[i]]);
                log.WriteOutput(new Position((ulong)(100 * i + 50)), OutputChannel.DebugConsole, "."u8);
                if (i % 5 == 4) log.Flush(new Position((ulong)(100 * i + 60)));
            }
            log.Flush(new Position(10_000));
        }
        Read(reader =>
        {
            var console = new ConsoleLog(reader);
            Assert.Equal("login: a login: b", Encoding.ASCII.GetString(console.ReadBytes(new Position(10_000))));
            Assert.Equal("login", Encoding.ASCII.GetString(console.ReadBytes(new Position(401))));
            Assert.Equal("logi", Encoding.ASCII.GetString(console.ReadBytes(new Position(400))));
            Assert.Equal(new Position(500), console.Find("login:", Position.Start, reverse: false)!.Value.At);
            Assert.Equal(new Position(1400), console.Find("login:", new Position(500), reverse: false)!.Value.At);
            Assert.Null(console.Find("login:", new Position(1400), reverse: false));
            Assert.Equal(new Position(1400), console.Find("login:", new Position(10_000), reverse: true)!.Value.At);
            Assert.Equal(new Position(500), console.Find("login:", new Position(1400), reverse: true)!.Value.At);
            Assert.Null(console.Find("login:", new Position(500), reverse: true));
            Assert.Equal(new Position(150), console.Find("..", Position.Start, reverse: false)!.Value.At);
        });
    }

    [Fact]
    public void Time_readings_take_a_few_bytes_each()
    {
        const int count = 100_000;
        using (var frames = new FrameWriter(LogPath))
        {
            var log = new EventLogWriter(frames);
            var random = new Random(9);
            ulong instructions = 0, nanoseconds = 0;
            for (int i = 0; i < count; i++)
                log.WriteTimeRead(new Position(instructions += (ulong)random.Next(100, 20_000)), nanoseconds += (ulong)random.Next(100,
                    200_000));
            log.Flush(new Position(instructions));
        }
        Assert.InRange(new FileInfo(LogPath).Length, 0, 6 * count);
    }

    private void WriteLong(int segments)
    {
        using var frames = new FrameWriter(LogPath);
        var log = new EventLogWriter(frames);
        ulong count = 0;
        for (int s = 0; s < segments; s++)
        {
            for (int i = 0; i < 100; i++, count += 3) log.WriteEntropy(new Position(count),
                BitConverter.GetBytes(count * 0x9E3779B97F4A7C15));
            log.Flush(new Position(count - 1));
        }
    }

    private void Read(Action<EventLogReader> use)
    {
        using FileStream file = File.OpenRead(LogPath);
        use(new EventLogReader(FrameTable.Scan(new PartReader(file.SafeFileHandle, LogPath, "log", file.Length))));
    }
}
