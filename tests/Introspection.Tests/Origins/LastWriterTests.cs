using System;
using System.Collections.Generic;
using System.IO;
using Introspection.Origins;
using TestKit;
using Vmm.Platform;
using Vmm.Time;
using Xunit;

namespace Introspection.Tests.Origins;

/// <summary>The first step of every search is the last writer that brute force finds, for random moments and places.</summary>
public sealed class LastWriterTests
{
    private const int PlacesPerMoment = 8;

    [Theory]
    [InlineData("demo64", 4, 12)]
    [InlineData("demo32", 1, 12)]
    [InlineData("echo", 1, 12)]
    public void The_last_writer_is_the_brute_force_one(string guest, int cpuCount, int moments)
    {
        string file = guest == "demo64" ? GuestImages.PrebuiltDemo64 : GuestImages.Own(guest + ".elf");
        var configuration = new MachineConfiguration
        {
            CpuCount = cpuCount, MemorySizeBytes = 32 << 20, ChaosSeed = cpuCount > 1 ? 5 : null, CommandLine = guest == "demo64" ? "lock=mcs rounds=20" : "",
            Images = [new MachineImage("kernel", guest + ".elf", File.ReadAllBytes(file))],
        };
        using var recording = new GuestRecording(configuration, guest == "echo" ? "expect ends\nsend hello\nsend q\n" : null, instructions: 400_000);
        var random = new Random(20260101);
        using var oracle = new WriterOracle(recording.File);
        ulong end = recording.File.End.InstructionCount;
        var counts = new SortedSet<ulong>();
        while (counts.Count < moments) counts.Add((ulong)random.NextInt64(1, (long)end));
        int found = 0;
        foreach (ulong count in counts)
        {
            while (oracle.Position.InstructionCount < count) oracle.Step();
            var asked = new List<(ValueLocation Location, Position? Writer)>();
            for (int i = 0; i < PlacesPerMoment; i++)
            {
                ValueLocation location = i % 2 == 0 ? RandomRegister(random, oracle.Machine, cpuCount) : RandomMemory(random, oracle);
                asked.Add((location, oracle.LastWriter(location)));
            }
            recording.Timeline.Seek(oracle.Position);
            foreach ((ValueLocation location, Position? writer) in asked)
            {
                OriginNode node = new OriginFinder(recording.Timeline, new OriginOptions { MaximumDepth = 1 }).Find(location);
                Assert.True(node.At == writer, $"{location} at {count}: found {node.At} ({node.Instruction}), brute force {writer}");
                Assert.NotEqual(OriginKind.Unexplained, node.Kind);
                Assert.Equal(oracle.Position, recording.Timeline.Position);
                if (writer is not null) found++;
            }
        }
        Assert.True(found > moments * PlacesPerMoment / 2, $"only {found} had a writer");
    }

    private static ValueLocation RandomRegister(Random random, Machine machine, int cpuCount)
    {
        bool isLong = machine.Vcpus[0].State.IsLongMode;
        (int offset, int size) = random.Next(6) switch { 0 => (0, 4), 1 => (0, 2), 2 => (0, 1), 3 => (1, 1), _ => (0, isLong ? 8 : 4) };
        return ValueLocation.General(random.Next(cpuCount), random.Next(offset == 1 ? 4 : isLong ? 16 : 8), offset, size);
    }

    private static ValueLocation RandomMemory(Random random, WriterOracle oracle)
    {
        int size = 1 << random.Next(4);
        ulong address = oracle.Recent.Count > 0 && random.Next(8) > 0 ? oracle.Recent[random.Next(oracle.Recent.Count)].Address + (ulong)random.Next(4)
            : 0x100000 + (ulong)random.Next(0x30000);
        return ValueLocation.Memory(Math.Min(address, WriterOracle.MemorySizeBytes - 16), size);
    }
}
