using System;
using System.Collections.Generic;
using System.Linq;
using Iced.Intel;
using Introspection.Code;
using Introspection.Linux;
using Introspection.Locks.Tasks;
using Introspection.Programs;
using Introspection.Rcu;
using Introspection.State;
using Introspection.Tests.Linux;
using Replay.Timelines;
using Vmm.Time;
using Xunit;

namespace Introspection.Tests.Rcu;

/// <summary>
/// Tree RCU of Debian's kernel: what its memory says against what its functions do, and where its fields are against the kernel's own code, which has their offsets in its instructions.
/// </summary>
[Trait("Category", "Slow")]
public sealed class LinuxRcuTests(SlidingLinux linux) : IClassFixture<SlidingLinux>
{
    private (GuestPrograms Programs, SymbolSet Symbols, GuestRcu Rcu) Find()
    {
        linux.AtEnd();
        GuestPrograms programs = SymbolLoader.Load(linux.File, null, null, static _ => { });
        SymbolSet symbols = programs.At(linux.View);
        GuestRcu? rcu = GuestRcu.Find([], new LinuxCurrentTask(symbols.Kernel!), symbols, linux.View);
        Assert.NotNull(rcu);
        Assert.True(rcu is { IsLinux: true, IsHeldByTask: true, HasReaders: true });
        Assert.Empty(rcu.Problems);
        return (programs, symbols, rcu);
    }

    [Fact]
    public void Fields_are_where_the_kernels_code_has_them()
    {
        (GuestPrograms programs, SymbolSet symbols, _) = Find();
        using (programs)
        {
            LinuxKernel kernel = symbols.Kernel!;
            // READ_ONCE(current->rcu_read_lock_nesting) + 1, and return READ_ONCE(rcu_state.gp_seq).
            Instruction nesting = FirstWithMemory(symbols, "__rcu_read_lock", static i => i.MemoryBase is not (Register.None or Register.RIP));
            Assert.Equal(nesting.MemoryDisplacement64, kernel.Layout!.Offset("task_struct", "rcu_read_lock_nesting"));
            Instruction sequence = FirstWithMemory(symbols, "rcu_get_gp_seq", static i => i.MemoryBase is Register.None or Register.RIP);
            Assert.Equal(sequence.MemoryDisplacement64, symbols.AddressOf("rcu_state") + kernel.Layout.Offset("rcu_state", "gp_seq"));
        }
    }

    private Instruction FirstWithMemory(SymbolSet symbols, string function, Func<Instruction, bool> isWanted)
    {
        var disassembler = new Disassembler(linux.View);
        ulong at = symbols.AddressOf(function) ?? throw new InvalidOperationException($"no {function}");
        for (int i = 0; i < 20; i++)
        {
            Instruction instruction = disassembler.Decode(at);
            bool hasMemory = instruction.Mnemonic != Mnemonic.Nop && Enumerable.Range(0, instruction.OpCount).Any(n => instruction.GetOpKind(n) == OpKind.Memory);
            if (hasMemory && isWanted(instruction)) return instruction;
            at = instruction.NextIP;
        }
        throw new InvalidOperationException($"{function} uses no memory");
    }

    [Fact]
    public void Readers_by_memory_are_readers_by_calls()
    {
        (GuestPrograms programs, SymbolSet symbols, GuestRcu rcu) = Find();
        using (programs)
        {
            Timeline timeline = linux.Timeline;
            // Wide enough to have whole sections, and from where nobody is inside.
            ulong end = timeline.Position.InstructionCount, from = end - 150_000_000;
            RcuHistory history = RcuHistory.Read(timeline, rcu, new Position(from), new Position(end));
            Assert.True(history.SectionCount > 1_000, $"{history.SectionCount} sections");
            RcuSection[] longest = [.. history.Sections.Where(static one => one.End is not null).OrderByDescending(static one => one.Instructions).Take(12)];
            int checks = 0;
            foreach (RcuSection section in longest)
            {
                // Behind its begin, and behind its end.
                timeline.Seek(new Position((section.Begin.InstructionCount + section.End!.Value.InstructionCount) / 2));
                RcuView inside = RcuReadout.ReadWithBegins(timeline, rcu, linux.View, symbols.KernelAt(linux.View));
                RcuReader? reader = inside.Readers.SingleOrDefault(one => one.Task == section.Task);
                Assert.True(reader is not null, $"no reader {section.Task:x} at {timeline.Position}, in the section from {section.Begin} to {section.End}");
                Assert.Equal(section.Begin, reader.Since);
                Assert.Equal(section.Caller, reader.Caller);
                Assert.True(reader.Nesting >= 1);
                Assert.NotNull(reader.TaskName);
                foreach (RcuReader other in inside.Readers)
                {
                    checks++;
                    Assert.Contains(history.Sections, one => one.Task == other.Task && one.Begin < timeline.Position && !(one.End < timeline.Position));
                }
            }
            Assert.True(checks >= longest.Length);
        }
    }

    [Fact]
    public void Grace_periods_by_writes_are_those_that_memory_counts()
    {
        (GuestPrograms programs, SymbolSet symbols, GuestRcu rcu) = Find();
        using (programs)
        {
            Timeline timeline = linux.Timeline;
            ulong end = timeline.Position.InstructionCount, from = end / 2;
            RcuHistory history = RcuHistory.Read(timeline, rcu, new Position(from), new Position(end));
            long before = Completed(symbols, from), after = Completed(symbols, end);
            Assert.True(after > before);
            Assert.Equal(after - before, history.GracePeriods.Count(static one => one.End is not null) + (history.GracePeriods[0].Number == before + 1 ? 0 : 1));
            RcuGracePeriod[] whole = [.. history.GracePeriods.Where(static one => one.End is not null)];
            for (int i = 1; i < whole.Length; i++) Assert.Equal(whole[i - 1].Number + 1, whole[i].Number);
            foreach (RcuGracePeriod one in whole.Take(6))
            {
                timeline.Seek(new Position((one.Begin.InstructionCount + one.End!.Value.InstructionCount) / 2));
                RcuView view = RcuReadout.Read(rcu, linux.View, symbols.KernelAt(linux.View));
                Assert.True(view.GracePeriod.IsInProgress);
                Assert.Equal(one.Number, view.GracePeriod.Current);
                timeline.Seek(new Position(one.End.Value.InstructionCount + 1));
                Assert.Equal(one.Number, RcuReadout.Read(rcu, linux.View, symbols.KernelAt(linux.View)).GracePeriod.Completed);
            }
        }
    }

    private long Completed(SymbolSet symbols, ulong at)
    {
        linux.Timeline.Seek(new Position(at));
        LinuxKernel kernel = symbols.KernelAt(linux.View)!;
        return (long)kernel.Memory.ReadNumber(symbols.AddressOf("rcu_state")!.Value + kernel.Layout!.Offset("rcu_state", "gp_seq")!.Value, 8)!.Value >> 2;
    }

    [Fact]
    public void Callbacks_in_the_lists_are_as_many_as_the_kernel_counts()
    {
        (GuestPrograms programs, SymbolSet symbols, GuestRcu rcu) = Find();
        using (programs)
        {
            Timeline timeline = linux.Timeline;
            ulong end = timeline.Position.InstructionCount;
            var counts = new List<ulong>();
            for (int i = 1; i <= 60; i++)
            {
                timeline.Seek(new Position(end / 100 * (ulong)(40 + i)));
                RcuView view = RcuReadout.Read(rcu, linux.View, symbols.KernelAt(linux.View));
                Assert.Empty(view.Problems);
                Assert.Equal(2, view.Callbacks.Count);
                foreach (RcuCallbacks one in view.Callbacks)
                {
                    Assert.NotNull(one.Count);
                    counts.Add(one.Count.Value);
                    // While a CPU works on its list, they are told apart for a moment.
                    ulong listed = one.Segments.Aggregate(0UL, static (sum, segment) => sum + segment.Count);
                    Assert.True(listed <= one.Count, $"{listed} in segments of {one.Count} at {timeline.Position}");
                    if (listed == one.Count && listed <= 15) Assert.Equal((int)listed, one.First.Count);
                    Assert.All(one.First, callback => Assert.NotNull(symbols.NameOf(callback.Function, out _)));
                }
            }
            Assert.Contains(counts, static count => count > 0);
        }
    }

    /// <summary>Each callback is in the segment that the counts say it is in, and those that wait do so for a grace period that has not ended.</summary>
    [Fact]
    public void Callbacks_are_in_their_segments()
    {
        (GuestPrograms programs, SymbolSet symbols, GuestRcu rcu) = Find();
        using (programs)
        {
            Timeline timeline = linux.Timeline;
            ulong end = timeline.Position.InstructionCount;
            int whole = 0, waiting = 0;
            for (int i = 1; i <= 120; i++)
            {
                timeline.Seek(new Position(end / 200 * (ulong)(80 + i)));
                RcuView view = RcuReadout.Read(rcu, linux.View, symbols.KernelAt(linux.View));
                foreach (RcuCallbacks one in view.Callbacks)
                {
                    ulong listed = one.Segments.Aggregate(0UL, static (sum, segment) => sum + segment.Count);
                    if (listed != one.Count || listed is 0 or > 15) continue;
                    whole++;
                    Assert.Equal(one.Segments.SelectMany(static segment => Enumerable.Repeat(segment.Name, (int)segment.Count)), one.First.Select(static callback => callback.Segment));
                    foreach (RcuSegment segment in one.Segments.Where(static segment => segment.Period is not null))
                    {
                        waiting++;
                        // It may have ended a moment ago, and the CPU has not looked yet.
                        Assert.InRange(segment.Period!.Value, view.GracePeriod.Completed!.Value - 1, view.GracePeriod.Completed.Value + 2);
                    }
                    Assert.All(one.First, callback => Assert.DoesNotContain("0x", callback.Text(symbols).Split('+')[0], StringComparison.Ordinal));
                }
            }
            Assert.True(whole >= 10 && waiting >= 5, $"{whole} lists, {waiting} segments that wait");
        }
    }

    /// <summary>Expedited grace periods and sleepable RCU, against the bytes where the kernel's symbols and types have them.</summary>
    [Fact]
    public void Variants_are_what_memory_says()
    {
        (GuestPrograms programs, SymbolSet symbols, GuestRcu rcu) = Find();
        using (programs)
        {
            LinuxKernel kernel = symbols.KernelAt(linux.View)!;
            ulong at = symbols.AddressOf("rcu_state")!.Value + kernel.Layout!.Offset("rcu_state", "expedited_sequence")!.Value;
            ulong sequence = kernel.Memory.ReadNumber(at, 8)!.Value;
            RcuView view = RcuReadout.Read(rcu, linux.View, kernel);
            string idle = $"no expedited grace period is in progress, {sequence >> 2} have been", busy = $"expedited grace period {(sequence >> 2) + 1} is in progress";
            Assert.Contains(view.Others, line => line.StartsWith((sequence & 3) == 0 ? idle : busy, StringComparison.Ordinal));
            Assert.Contains(rcu.SleepableOf(kernel), static one => one.Name == "tracepoint_srcu");
            Assert.Contains(view.Others, line => line.StartsWith($"sleepable RCU: {rcu.SleepableOf(kernel).Count} srcu_struct", StringComparison.Ordinal)
                && line.Contains("not looked at", StringComparison.Ordinal));
            Assert.All(rcu.SleepableOf(kernel), one =>
            {
                Assert.EndsWith("_srcu", kernel.NameOf(one.Address, out ulong offset), StringComparison.Ordinal);
                Assert.Equal(0UL, offset);
            });
        }
    }
}
