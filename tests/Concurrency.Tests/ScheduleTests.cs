using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using Replay.Exploration;
using Replay.Packages;
using Replay.Recording;
using Vmm;
using Vmm.Platform;
using Vmm.Snapshots;
using Xunit;

namespace Concurrency.Tests;

/// <summary>Turns that are forced, and turns of one instruction; schedules as text and in manifests.</summary>
public sealed class ScheduleTests : ITurnObserver
{
    private readonly List<Turn> _turns = [];

    void ITurnObserver.OnTurn(in Turn turn) => _turns.Add(turn);

    [Fact]
    public void Forced_switches_happen_where_they_are_asked_for()
    {
        ForcedSwitch[] switches = [new(85_000, 3), new(85_001, 1), new(85_100, 1), new(86_000, 0)];
        var guest = new ConcurrencyGuest("tas");
        using Machine machine = guest.Boot(ScheduleShrinker.WithSwitches(guest.Configuration(), switches));
        machine.TurnObserver = this;
        Assert.Equal(RunStop.Ended, machine.Run(5_000_000));
        Assert.Equal(0u, machine.Outcome.Code);
        Assert.Equal(switches, _turns.Where(static one => one.Reason == TurnEndReason.Forced).Select(static one => new ForcedSwitch(one.InstructionCount, one.To)));
        // Nobody else was interrupted.
        Assert.DoesNotContain(_turns, static one => one.Reason == TurnEndReason.Over);
        Assert.Contains(_turns, static one => one.Reason == TurnEndReason.GivenUp);
    }

    [Fact]
    public void A_machine_that_is_restored_goes_on_with_the_same_switches()
    {
        ForcedSwitch[] switches = [.. Enumerable.Range(0, 60).Select(static n => new ForcedSwitch(80_000 + (ulong)n * 37, n % 4))];
        var guest = new ConcurrencyGuest("ticket");
        MachineConfiguration configuration = ScheduleShrinker.WithSwitches(guest.Configuration(), switches);
        foreach (ulong cut in (ulong[])[79_999, 80_000, 80_001, 80_500, 81_000, 82_300])
        {
            using Machine machine = guest.Boot(configuration), other = guest.Boot(configuration);
            machine.Run(cut);
            // Right at a switch: before it, and behind it.
            for (int events = 0; events < 2; events++)
            {
                Copy(machine, other);
                machine.Step();
            }
            machine.Run(ulong.MaxValue);
            other.Run(ulong.MaxValue);
            Assert.Equal(machine.Position, other.Position);
            Assert.Equal(State(machine), State(other));
        }
    }

    [Fact]
    public void Side_by_side_every_turn_is_one_instruction()
    {
        var guest = new ConcurrencyGuest("mcs");
        using Machine machine = guest.Boot(guest.Configuration() with { TurnPolicy = TurnPolicy.SideBySide });
        guest.RunTo(machine, "moment_two_waiters");
        machine.SetBreakpoints([]);
        machine.TurnObserver = this;
        machine.Run(machine.InstructionCount + 400);
        Assert.InRange(_turns.Count, 399, 400);
        for (int i = 1; i < _turns.Count; i++)
        {
            Assert.Equal(_turns[i - 1].InstructionCount + 1, _turns[i].InstructionCount);
            Assert.Equal((_turns[i - 1].To + 1) % 4, _turns[i].To);
        }
    }

    [Fact]
    public void A_schedule_is_text()
    {
        ForcedSwitch[] switches = [new(12, 1), new(123_456_789_012, 0), new(ulong.MaxValue, 7)];
        string text = ScheduleFile.Write(switches, "why", static i => $"comment {i}");
        Assert.Equal("# why\n12 1  # comment 0\n123456789012 0  # comment 1\n18446744073709551615 7  # comment 2\n", text);
        Assert.Equal(switches, ScheduleFile.Parse(text, "x"));
        Assert.Empty(ScheduleFile.Parse("\n  # nothing\r\n", "x"));
    }

    [Theory]
    [InlineData("12", "line 1")]
    [InlineData("\n12 x", "line 2")]
    [InlineData("-1 0", "line 1")]
    [InlineData("1 -1", "line 1")]
    [InlineData("1 0 2", "line 1")]
    [InlineData("5 0\n5 1", "line 2: positions must rise")]
    [InlineData("18446744073709551616 0", "line 1")]
    public void A_wrong_line_is_named(string text, string words) =>
        Assert.Contains(words, Assert.Throws<ScheduleFileException>(() => ScheduleFile.Parse(text, "file")).Message, StringComparison.Ordinal);

    [Fact]
    public void Rubbish_is_refused_with_a_sentence()
    {
        var random = new Random(5);
        for (int i = 0; i < 500; i++)
        {
            byte[] bytes = new byte[random.Next(40)];
            random.NextBytes(bytes);
            for (int k = 0; k < bytes.Length; k++) bytes[k] = "0123456789 \n#x"u8[bytes[k] % 14];
            try
            {
                Assert.True(ForcedSwitch.AreValid(ScheduleFile.Parse(Encoding.ASCII.GetString(bytes), "file"), int.MaxValue));
            }
            catch (ScheduleFileException e)
            {
                Assert.StartsWith("file, line ", e.Message, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void Schedules_that_make_no_sense_are_no_machines()
    {
        var guest = new ConcurrencyGuest("tas");
        MachineConfiguration good = guest.Configuration();
        foreach (MachineConfiguration bad in (MachineConfiguration[])[good with { ForcedSwitches = [new(1, 0)] }, ScheduleShrinker.WithSwitches(good, [new(1, 4)]),
            ScheduleShrinker.WithSwitches(good, [new(2, 0), new(2, 1)]), good with { TurnPolicy = TurnPolicy.SideBySide, ChaosSeed = 1 }])
            Assert.Throws<InvariantException>(() => guest.Boot(bad));
    }

    private static void Copy(Machine from, Machine to)
    {
        for (int page = 0; page < from.Memory.Ram.PageCount; page++) from.Memory.Ram.Page(page).CopyTo(to.Memory.Ram.WritablePage(page));
        to.RestoreState(new StateReader(State(from)));
    }

    private static byte[] State(Machine machine)
    {
        var writer = new StateWriter();
        machine.SaveState(writer);
        return writer.Written.ToArray();
    }
}
