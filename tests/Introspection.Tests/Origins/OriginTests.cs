using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Introspection.Origins;
using Introspection.Programs;
using Replay.Timelines;
using TestKit;
using Vmm.Platform;
using Vmm.Time;
using Xunit;

namespace Introspection.Tests.Origins;

/// <summary>Where values of real guests come from, followed to the end.</summary>
public sealed class OriginTests(Recordings recordings)
{
    [Fact]
    public void A_printed_capital_comes_from_the_byte_that_was_typed()
    {
        using GuestRecording recording = Echo();
        Timeline timeline = recording.Timeline;
        timeline.Seek(timeline.Start);
        Assert.NotNull(timeline.FindConsole("L", reverse: false));
        // The OUT that prints it.
        OriginNode root = Find(timeline, Register("al"));
        Assert.Equal((UInt128)'L', root.Value);
        Assert.Equal(OriginKind.Computed, root.Kind);
        Assert.Contains("0x4c = 0x6c - 0x20", root.Text, StringComparison.Ordinal);
        OriginNode last = root.Chain().Last();
        Assert.Equal(OriginKind.Input, last.Kind);
        Assert.Equal((UInt128)'l', last.Value);
        Assert.Equal(0L, last.InputIndex);
        Assert.Contains("byte 2 of input 0", last.Text, StringComparison.Ordinal);
        Assert.StartsWith("in al", last.Instruction, StringComparison.Ordinal);
    }

    [Fact]
    public void A_byte_in_a_buffer_comes_from_the_port_and_the_input()
    {
        using GuestRecording recording = Echo();
        Timeline timeline = recording.Timeline;
        timeline.Seek(timeline.End);
        ulong buffer = AddressOf(recording, "buffer");
        const string typed = "hello";
        for (int i = 0; i < typed.Length; i++)
        {
            OriginNode root = Find(timeline, ValueLocation.Memory(buffer + (ulong)i, 1));
            Assert.Equal([OriginKind.Copy, OriginKind.Input], root.Chain().Select(static node => node.Kind));
            Assert.Equal((UInt128)typed[i], root.Value);
            Assert.Contains($"byte {i} of input 0", root.Next!.Text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_counter_in_memory_comes_from_zero_by_increments()
    {
        using GuestRecording recording = Echo();
        recording.Timeline.Seek(recording.Timeline.End);
        OriginNode root = Find(recording.Timeline, ValueLocation.Memory(AddressOf(recording, "received"), 4));
        Assert.Equal((UInt128)5, root.Value);
        Assert.Equal(5, root.Chain().Count(static node => node.Instruction == "inc edi"));
        Assert.Equal(OriginKind.PowerOn, root.Chain().Last().Kind);
        Assert.Contains(root.Chain(), static node => node.Text == "0x3 = 0x2 + 1");
    }

    [Fact]
    public void Text_of_the_kernel_comes_from_its_file()
    {
        using GuestRecording recording = Echo();
        Timeline timeline = recording.Timeline;
        timeline.Seek(timeline.Start);
        Assert.NotNull(timeline.FindConsole("echo", reverse: false));
        OriginNode root = Find(timeline, Register("al"));
        Assert.Equal((UInt128)'o', root.Value);
        OriginNode last = root.Chain().Last();
        Assert.Equal(OriginKind.Image, last.Kind);
        byte[] image = File.ReadAllBytes(GuestImages.Own("echo.elf"));
        int offset = image.AsSpan().IndexOf("echo: type"u8) + 3;
        Assert.Contains($"file offset 0x{offset:x}", last.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Sectors_that_the_processor_read_from_the_disk_are_named()
    {
        byte[] disk = File.ReadAllBytes(GuestImages.Own("bootsector.img"));
        var configuration = new MachineConfiguration { Boot = BootKind.BootSector, MemorySizeBytes = 32 << 20, Images = [new MachineImage("disk0", "disk.img", disk)] };
        using var recording = new GuestRecording(configuration);
        Timeline timeline = recording.Timeline;
        timeline.Seek(timeline.End);
        // The second stage, by the BIOS, and the header of the kernel, by programmed I/O of the loader.
        OriginNode stage = Find(timeline, ValueLocation.Memory(0x7E00 + 512, 2)), header = Find(timeline, ValueLocation.Memory(0x10000 + 4, 4));
        Assert.Equal(OriginKind.Disk, stage.Kind);
        Assert.Contains("byte 0 of sector 2 of disk 0, as in its image", stage.Text, StringComparison.Ordinal);
        Assert.Equal(OriginKind.Disk, header.Kind);
        Assert.Contains("byte 4 of sector 64 of disk 0, as in its image", header.Text, StringComparison.Ordinal);
        Assert.Equal(BitConverter.ToUInt32(disk, 64 * 512 + 4), (uint)header.Value);
        OriginNode loaded = Find(timeline, ValueLocation.Memory(0x7C02, 1));
        Assert.Equal(OriginKind.Disk, loaded.Kind);
        Assert.Contains("byte 2 of sector 0 of disk 0", loaded.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_word_of_which_a_byte_was_written_has_parts()
    {
        using GuestRecording recording = Echo();
        recording.Timeline.Seek(recording.Timeline.End);
        OriginNode root = Find(recording.Timeline, Register("eax"));
        Assert.Equal(OriginKind.Parts, root.Kind);
        Assert.Equal(2, root.Inputs.Count);
        Assert.Equal(OriginKind.Constant, root.Next!.Kind);
        Assert.Equal((UInt128)0x10, root.Next.Value);
        Assert.Equal(OriginKind.PowerOn, root.Inputs[1].Node.Kind);
    }

    [Fact]
    public void Nothing_is_unexplained_and_copies_are_equal_at_both_ends()
    {
        using var timeline = new Timeline(recordings.File);
        var random = new Random(7);
        var kinds = new HashSet<OriginKind>();
        ulong end = recordings.File.End.InstructionCount;
        for (int i = 0; i < 12; i++)
        {
            timeline.Seek(new Position((ulong)random.NextInt64((long)end / 4, (long)end)));
            ValueLocation location = ValueLocation.General(random.Next(4), random.Next(16), 0, 8);
            OriginNode root = new OriginFinder(timeline, new OriginOptions { MaximumDepth = 40, MaximumNodes = 40, FollowsAddresses = i % 3 == 0 }).Find(location);
            foreach (OriginNode node in new OriginGraph(root).Nodes)
            {
                Assert.True(node.Kind != OriginKind.Unexplained, $"{node.Location} before {node.Before}: {node.Text} ({node.Instruction})");
                if (node.At is { } at) Assert.True(at < node.Before);
                kinds.Add(node.Kind);
                foreach (OriginInput input in node.Inputs) CheckInput(node, input);
            }
        }
        Assert.Contains(OriginKind.Copy, kinds);
        Assert.Contains(OriginKind.Computed, kinds);
        Assert.Contains(OriginKind.Constant, kinds);
    }

    [Fact]
    public void Limits_are_told_and_cancelling_leaves_the_cursor()
    {
        using GuestRecording recording = Echo();
        Timeline timeline = recording.Timeline;
        timeline.Seek(timeline.End);
        OriginNode root = new OriginFinder(timeline, new OriginOptions { MaximumDepth = 3 }).Find(Register("edi"));
        Assert.Equal(4, root.Chain().Count());
        Assert.Equal(OriginKind.NotFollowed, root.Chain().Last().Kind);
        Assert.Contains("3 steps", root.Chain().Last().Text, StringComparison.Ordinal);
        Assert.Equal(timeline.End, timeline.Position);
        using var cancelled = new System.Threading.CancellationTokenSource();
        cancelled.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => new OriginFinder(timeline).Find(Register("edi"), null, cancelled.Token));
        Assert.Equal(timeline.End, timeline.Position);
    }

    // A later value is never older than what it is made of, and a plain copy is the same bytes.
    private static void CheckInput(OriginNode node, OriginInput input)
    {
        Assert.True(input.Node.Before <= node.Before);
        if (node.Kind == OriginKind.Copy && input.IsMain && node.Inputs.Count(static one => one.Role == OriginRole.Value) == 1)
        {
            int bytes = Math.Min(node.Location.SizeBytes, input.Node.Location.SizeBytes);
            UInt128 mask = bytes >= 16 ? UInt128.MaxValue : ((UInt128)1 << bytes * 8) - 1;
            Assert.Equal(input.Node.Value & mask, node.Value & mask);
        }
    }

    private static OriginNode Find(Timeline timeline, ValueLocation location) => new OriginFinder(timeline).Find(location);

    private static ValueLocation Register(string name) => ValueLocation.Register(0, name)!.Value;

    private static ulong AddressOf(GuestRecording recording, string symbol)
    {
        using GuestPrograms programs = SymbolLoader.Load(recording.File, null, null, static _ => { });
        return programs.AsLinked.AddressOf(symbol)!.Value;
    }

    private static GuestRecording Echo()
    {
        var configuration = new MachineConfiguration { MemorySizeBytes = 16 << 20, Images = [new MachineImage("kernel", "echo.elf", File.ReadAllBytes(GuestImages.Own("echo.elf")))] };
        return new GuestRecording(configuration, "expect ends\nsend hello\nsend q\n");
    }
}
