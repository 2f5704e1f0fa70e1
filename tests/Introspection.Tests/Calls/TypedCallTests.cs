using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Introspection.Calls;
using Introspection.Programs;
using Replay.Packages;
using Replay.Timelines;
using Symbols.Expressions;
using Xunit;

namespace Introspection.Tests.Calls;

/// <summary>Arguments and results by their types, and conditions on them: as guest/calls.c passes and computes them.</summary>
public sealed class TypedCallTests : IDisposable
{
    // Names in angle brackets stand for addresses.
    private static readonly string[] s_both =
    [
        @"integers(a=-3 '\xfd', b=65535, c=-70000, d=4000000000, e=-5, f=20015998343868, g=-7, h=200 '\xc8') = -4",
        "floats(a=1.5, b=-2.25, c=42, d=10000000000) = 9999999999.25",
        @"pairs(a={first=1, second=97 'a'}, b={first=-2, second=1 '\x01'}) = {first=-1, second=98 'b'}",
        "mixed(a={ratio=0.5, count=10}, b=7) = {ratio=0.5, count=17}",
        "points(a={x=1, y=2}, b={x=0.25, y=0.5}) = {x=1.25, y=2.5}",
        "large(a={values={1, 2, 3, 4, -5}}, b=9) = {values={10, 2, 3, 4, -5}}",
        """text(a="hello \"guest\"\n", b=120 'x', c=BLUE, d=true, e={low=5, high=-3}) = "ello \"guest\"\n" """,
        "wide_numbers(a=1, b=-4294967296, c=2) = -4294967293",
        "nothing(a=<place>, b=<integers>)",
        "long_doubles(a=2.5, b=3) = 5.5",
        @"many(a=1, b=2, c=3, d=4, e=5, f=-6, g={ratio=-0.125, count=70}, h=8, i={first=9, second=10 '\n'}) = 96",
        "many_floats(a=1, b=2, c=3, d=4, e=5, f=6, g=7, h=8.5, i=-9, j=0.001) = 27.501",
        "trios(before=4, a={a=1, b=-2, c=3}) = {a=1, b=-2, c=7}",
        "blends(a={x=0.5, n=-1, y=2.5}, b=0.25) = {x=0.75, n=-1, y=2.5}",
        "either(a={number=41, real=5.7E-44}) = {number=42, real=5.9E-44}",
        "after_memory(a=1, b={values={10, 20, 30, 40, 50}}, c=2) = {values={10, -1, 30, 40, 50}}",
        "opposite(a=GREEN) = BLUE",
        "is_empty(a=NULL) = true",
        "half(a=-0.5) = -0.25",
        @"narrow(a=511) = -1 '\xff'",
        "no_large(a=<place>) = NULL",
        """variadic(count=3, format="%d") = 25""",
    ];
    private static readonly string[] s_regparm =
    [
        "in_registers(a=1, b=98 'b', c=8589934595, d=4) = 106",
        "pair_in_registers(a={first=1, second=97 'a'}, b=7) = {first=8, second=97 'a'}",
        "floats_in_registers(a=0.5, b=2, c=1.5, d=4) = 8",
        "variadic_in_registers(a=5, b=6) = 11",
    ];

    private readonly string _folder = Directory.CreateTempSubdirectory("ttvm-calls").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("-m64", "-O1", CallingConvention.Automatic)]
    [InlineData("-m64", "-O2", CallingConvention.SystemV64)]
    [InlineData("-m32", "-O1", CallingConvention.Automatic)]
    [InlineData("-m32", "-O2", CallingConvention.Cdecl32)]
    [InlineData("-m32", "-O1", CallingConvention.Regparm32)]
    [InlineData("-m32", "-O2", CallingConvention.Regparm32)]
    public void Arguments_and_results_are_those_of_the_program(string size, string optimization, CallingConvention convention)
    {
        using var guest = new CallGuest(_folder, size, optimization, 700);
        using RecordingFile recording = RecordingFile.Open(guest.Recording);
        using GuestPrograms programs = SymbolLoader.Load(recording, null, null, static _ => { });
        using var timeline = new Timeline(recording);
        foreach (string expected in convention == CallingConvention.Regparm32 ? s_regparm : s_both)
        {
            string name = expected[..expected.IndexOf('(', StringComparison.Ordinal)];
            FunctionCall call = Assert.Single(Calls(timeline, programs.AsLinked, name, null, convention));
            Assert.Equal(expected.TrimEnd(), TextOf(call));
        }
    }

    [Theory]
    // Calls with 7 to 1 and 3 to 1.
    [InlineData("factorial", "n > 5", 2)]
    [InlineData("factorial", "arg0 > 5", 2)]
    [InlineData("factorial", "$rdi == n && n == arg0", 10)]
    [InlineData("factorial", "n == 7 || ret == 6", 3)]
    [InlineData("factorial", "ret > 20 && n < 7", 3)]
    [InlineData("factorial", "(int)n - 3 < 0", 4)]
    [InlineData("factorial", "ret == 0", 0)]
    [InlineData("factorial", "*(int *)$rsp != 0", 10)]
    // Memory that is not there makes a condition false, whichever way it asks.
    [InlineData("factorial", "*(int *)0xffff800000000000 == 0", 0)]
    [InlineData("factorial", "*(int *)0xffff800000000000 != 0", 0)]
    [InlineData("floats", "a == 1.5 && b < -2 && c == 42 && d > 1e9", 1)]
    [InlineData("floats", "ret == 9999999999.25", 1)]
    [InlineData("floats", "ret < 0", 0)]
    [InlineData("integers", "a < 0 && b == 0xffff && d == 4000000000 && f > d", 1)]
    [InlineData("pairs", "a.first == 1 && b.second == 1", 1)]
    [InlineData("pairs", "ret.second == 'b'", 1)]
    [InlineData("pairs", "a.first == b.first", 0)]
    [InlineData("text", "*a == 'h' && a[1] == 'e' && d", 1)]
    [InlineData("text", "e.low == 5 && e.high == -3", 1)]
    [InlineData("text", "c == -1", 1)]
    [InlineData("text", "ret == a + 1", 1)]
    [InlineData("text", "!d", 0)]
    [InlineData("large", "a.values[4] == -5 && ret.values[0] == 10", 1)]
    [InlineData("nothing", "a == &place && b == &integers", 1)]
    public void Conditions_hold_of_the_calls_that_they_describe(string function, string condition, int count)
    {
        using var guest = new CallGuest(_folder, "-m64", "-O1", 700);
        using RecordingFile recording = RecordingFile.Open(guest.Recording);
        using GuestPrograms programs = SymbolLoader.Load(recording, null, null, static _ => { });
        using var timeline = new Timeline(recording);
        Assert.Equal(count, Calls(timeline, programs.AsLinked, function, condition, CallingConvention.Automatic).Count);
    }

    [Theory]
    [InlineData("factorial", "n >", "the expression ends too early")]
    [InlineData("factorial", "(", "the expression ends too early")]
    [InlineData("factorial", "m == 1", "'m' is neither a register nor a known symbol")]
    [InlineData("factorial", "arg5 == 1", "'arg5' is neither a register nor a known symbol")]
    [InlineData("factorial", "n.first == 1", "'word' has no members")]
    [InlineData("pairs", "a.third == 1", "'Pair' has no member 'third'")]
    [InlineData("pairs", "a == 1", "'a' is a 'Pair', not a number")]
    [InlineData("factorial", "$rxx == 1", "there is no register 'rxx'")]
    [InlineData("factorial", "$rip == 0", "there is no register 'rip'")]
    [InlineData("factorial", "n = 1", "nothing is changed by an expression here: '==' compares")]
    [InlineData("factorial", "factorial(1) == 1", "factorial(...) would run the guest: nothing is called here")]
    [InlineData("nothing", "ret == 0", "the function returns nothing: there is no 'ret'")]
    public void A_condition_that_means_nothing_is_refused_in_a_sentence(string function, string condition, string sentence)
    {
        using var guest = new CallGuest(_folder, "-m64", "-O1", 700);
        using RecordingFile recording = RecordingFile.Open(guest.Recording);
        using GuestPrograms programs = SymbolLoader.Load(recording, null, null, static _ => { });
        using var timeline = new Timeline(recording);
        ExpressionException refused = Assert.Throws<ExpressionException>(() => Calls(timeline, programs.AsLinked, function, condition, CallingConvention.Automatic));
        Assert.Equal(sentence, refused.Message);
    }

    private static IReadOnlyList<FunctionCall> Calls(Timeline timeline, SymbolSet symbols, string name, string? condition, CallingConvention convention)
    {
        IReadOnlyList<CallTarget> targets = new FunctionFinder(symbols, [new ProgramPrototypes(symbols)]).Find(name);
        Assert.Single(targets);
        var reader = new CallValueReader(convention, new CallValueText(symbols));
        ICallCondition? filter = condition is null ? null : new CallCondition(condition, symbols, symbols.Types);
        return new CallSearch(timeline, targets, reader, filter).List(timeline.Start, timeline.End, 1000).Calls;
    }

    private static string TextOf(FunctionCall call)
    {
        string arguments = string.Join(", ", call.Arguments.Select(static argument => $"{argument.Name}={WithoutAddress(argument)}"));
        return $"{call.Target.Name}({arguments}){(call.Result is { } result ? $" = {WithoutAddress(result)}" : "")}";
    }

    // The address is that of the pointer's value; what it points to remains.
    private static string WithoutAddress(CallValue value)
    {
        string prefix = $"0x{value.Number:x} ";
        return value.Text.StartsWith(prefix, StringComparison.Ordinal) ? value.Text[prefix.Length..] : value.Text;
    }
}
