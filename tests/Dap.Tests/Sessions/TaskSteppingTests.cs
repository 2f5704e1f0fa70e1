using System;
using System.Collections.Generic;
using Dap.Tests.Oracles;
using Introspection.Programs;
using Vmm.Time;
using Xunit;

namespace Dap.Tests.Sessions;

/// <summary>Steps stay in their task: on two vCPUs, through system calls, preemption and moves, they lead where single instructions of the whole recording say.</summary>
public sealed class TaskSteppingTests
{
    private const int PositionCount = 100, MovedCount = 20, MoveDistance = 20;

    [Theory]
    [InlineData("O0", "next", "line")]
    [InlineData("O0", "stepIn", "line")]
    [InlineData("O0", "stepOut", "line")]
    [InlineData("O0", "stepBack", "line")]
    [InlineData("O0", "ttvm/reverseStepOut", "line")]
    [InlineData("O2", "next", "line")]
    [InlineData("O2", "stepIn", "line")]
    [InlineData("O2", "stepOut", "line")]
    [InlineData("O2", "stepBack", "line")]
    [InlineData("O2", "ttvm/reverseStepOut", "line")]
    [InlineData("O0", "next", "statement")]
    [InlineData("O0", "stepIn", "statement")]
    [InlineData("O0", "stepBack", "statement")]
    [InlineData("O2", "next", "statement")]
    [InlineData("O2", "stepIn", "statement")]
    [InlineData("O2", "stepBack", "statement")]
    public void Steps_lead_where_brute_force_says(string optimization, string command, string granularity)
    {
        using var guest = new TasksGuest(optimization, chaosSeed: 7);
        using GuestPrograms programs = TasksGuest.ProgramsOf(guest.Recording);
        SymbolSet symbols = programs.AsLinked;
        List<Moment> moments = new CallOracle(guest.Recording).Moments;
        var oracle = new StepOracle(moments, symbols, granularity == "statement");
        Func<int, int> expectedOf = command switch
        {
            "next" => oracle.Over, "stepIn" => oracle.Into, "stepOut" => oracle.Out, "stepBack" => oracle.BackOver, _ => oracle.BackOut,
        };
        using TestClient client = TestClient.Launched(guest.Recording, steppingGranularity: granularity);
        var random = new Random(5);
        int first = moments.FindIndex(moment => moment.CpuIndex == 1 && moment.Frame.Depth > 1), compared = 0, moved = 0;
        List<int> moves = Moves(moments);
        var failures = new List<string>();
        for (int tries = 0; (compared < PositionCount || moved < MovedCount) && tries < 100 * PositionCount; tries++)
        {
            // Anywhere; then where tasks are about to move, or have just moved.
            int index = compared < PositionCount ? random.Next(first, moments.Count)
                : Math.Clamp(moves[random.Next(moves.Count)] + random.Next(-MoveDistance, MoveDistance), first, moments.Count - 1);
            Moment from = moments[index];
            int expected = oracle.HasLine(index) && !from.IsDelivery ? oracle.Settled(expectedOf(index)) : -1;
            if (expected < 0 || (compared >= PositionCount && moments[expected].CpuIndex == from.CpuIndex)) continue;
            client.Body("ttvm/seek", $$"""{"position":"{{from.At}}"}""");
            client.TakeStopped();
            var stop = client.Move(command, $$"""{"threadId":{{from.CpuIndex + 1}}}""");
            Moment wanted = moments[expected];
            Position position = PositionSyntaxOf(client.Position());
            int reached = oracle.IndexOf(position, (int)stop["threadId"]! - 1);
            if (reached != expected)
            {
                string where = reached < 0 ? "nowhere" : Describe(symbols, moments[reached]);
                failures.Add($"{Describe(symbols, from)}: {stop["reason"]} {where} instead of {Describe(symbols, wanted)}");
            }
            compared++;
            if (wanted.CpuIndex != from.CpuIndex) moved++;
        }
        Assert.True(failures.Count == 0, $"{failures.Count} of {compared}:\n{string.Join('\n', failures)}");
        Assert.True(compared >= PositionCount && moved >= MovedCount, $"only {compared} steps, of which {moved} go from one vCPU to another");
    }

    // The last moment of a frame on one vCPU, and its first one on another.
    private static List<int> Moves(List<Moment> moments)
    {
        var last = new Dictionary<Activation, int>();
        var moves = new List<int>();
        for (int i = 0; i < moments.Count; i++)
        {
            if (last.TryGetValue(moments[i].Frame, out int before) && moments[before].CpuIndex != moments[i].CpuIndex) moves.AddRange([before, i]);
            last[moments[i].Frame] = i;
        }
        return moves;
    }

    private static Position PositionSyntaxOf(string text) => Replay.Timelines.PositionSyntax.Parse(text, new Position(ulong.MaxValue));

    private static string Describe(SymbolSet symbols, Moment moment) => $"{moment.At} cpu {moment.CpuIndex} {symbols.NameOf(moment.Code, out ulong offset)}+{offset:x} "
        + $"line {symbols.PlaceOf(moment.Code).Line} depth {moment.Frame.Depth} rsp {moment.Stack:x}";
}
