using System;
using System.Collections.Generic;
using Iced.Intel;
using Introspection.Code;
using Introspection.State;
using Introspection.Unwinding;
using Introspection.Values;
using Replay.Queries;
using Replay.Timelines;
using Symbols.Expressions;
using Xunit;

namespace Introspection.Tests.Values;

/// <summary>
/// A long double that optimized code keeps in a register of the x87 (DW_OP_regx 33), and one that a function returns there: shown at the instructions at which it is there.
/// </summary>
public sealed class LongDoubleTests
{
    // Of the parts in guests/concurrency/x87.c.
    private static readonly double[] s_sums = [1.5, -0.75, 1023.25, 1023.375];

    [Fact]
    public void A_variable_in_a_register_is_shown_while_it_is_there()
    {
        using ConcurrencyGuest guest = ConcurrencyGuest.Record("x87", 0);
        Assert.DoesNotContain("broken", guest.Console, StringComparison.Ordinal);
        Dictionary<Mnemonic, ulong> code = CodeOf(guest, "sum_of");
        guest.Timeline.Seek(guest.Timeline.Start);
        for (int i = 0; i < s_sums.Length; i++)
        {
            // Between the load and the sum it is one register further down, and the compiler has no place for it.
            GoTo(guest, code[Mnemonic.Faddp]);
            TypedValue hidden = Evaluate(guest, "total", out GuestEnvironment environment);
            Assert.False(hidden.TryRead(environment, new byte[16]));
            Assert.Equal(i == 0 ? 0 : s_sums[i - 1], DoubleOf(guest, "$st1"));
            GoTo(guest, code[Mnemonic.Nop]);
            Assert.Equal("long double", Evaluate(guest, "total", out _).Type!.Name);
            Assert.Equal(s_sums[i], DoubleOf(guest, "total"));
            Assert.Equal(s_sums[i], DoubleOf(guest, "$st0"));
            Assert.Equal(i, DoubleOf(guest, "i"));
        }
        // Back to where it was less: what is shown is of the moment.
        Assert.Equal(TimelineStopReason.Hit, guest.Timeline.ReverseContinue([StopCondition.Breakpoint(code[Mnemonic.Nop])]).Reason);
        Assert.Equal(s_sums[^2], DoubleOf(guest, "total"));
    }

    [Fact]
    public void A_result_is_in_the_register_at_the_return()
    {
        using ConcurrencyGuest guest = ConcurrencyGuest.Record("x87", 0);
        Dictionary<Mnemonic, ulong> code = CodeOf(guest, "half_of");
        guest.Timeline.Seek(guest.Timeline.Start);
        GoTo(guest, guest.AddressOf("half_of"));
        GoTo(guest, code[Mnemonic.Ret]);
        Assert.Equal(s_sums[^1] / 2, DoubleOf(guest, "$st0"));
        guest.Timeline.Seek(guest.Timeline.End);
        Assert.Equal(s_sums[^1] / 2, DoubleOf(guest, "result"));
    }

    private static Dictionary<Mnemonic, ulong> CodeOf(ConcurrencyGuest guest, string function)
    {
        guest.Timeline.Seek(guest.Timeline.End);
        var disassembler = new Disassembler(guest.View);
        var code = new Dictionary<Mnemonic, ulong>();
        ulong start = guest.AddressOf(function), size = guest.Symbols.SizeOf(function)!.Value;
        for (ulong at = start; at < start + size;)
        {
            Instruction i = disassembler.Decode(at);
            // What only fills up a line of code has operands, or is behind the function.
            if (i.OpCount == 0 || i.Mnemonic != Mnemonic.Nop) code.TryAdd(i.Mnemonic, at);
            at = i.NextIP;
        }
        return code;
    }

    private static void GoTo(ConcurrencyGuest guest, ulong address) =>
        Assert.Equal(TimelineStopReason.Hit, guest.Timeline.Continue([StopCondition.Breakpoint(address)]).Reason);

    private static TypedValue Evaluate(ConcurrencyGuest guest, string text, out GuestEnvironment environment)
    {
        GuestView view = guest.View;
        environment = new GuestEnvironment(view, guest.Symbols, new FrameVariables(view, guest.Symbols));
        return CompiledExpression.Parse(text, environment).Evaluate(environment);
    }

    private static double DoubleOf(ConcurrencyGuest guest, string text)
    {
        byte[] bytes = new byte[8];
        TypedValue value = Evaluate(guest, $"(double)({text})", out GuestEnvironment environment);
        Assert.True(value.TryRead(environment, bytes), $"{text}: {value.Unavailable}");
        return BitConverter.ToDouble(bytes);
    }
}
