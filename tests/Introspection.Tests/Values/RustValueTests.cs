using System.Collections.Generic;
using System.Linq;
using Symbols.Tests.Languages;
using Xunit;

namespace Introspection.Tests.Values;

/// <summary>How values of a real Rust program are shown: its source says what they are.</summary>
public sealed class RustValueTests
{
    private static readonly (string Expression, string Text)[] s_lines =
    [
        ("small", "-3 (0xfd)"), ("wide", "24197857203266734864716154819477665672"), ("signed", "-5"), ("real", "2.5"), ("truth", "true"), ("letter", "233 'é'"),
        ("tuple", "(1, -2 (0xfffffffe), 3.5)"),
        ("nested", "((1, 2), {3, 4})"), ("array", "{10 (0xa), 20 (0x14), 30 (0x1e)}"), ("slice", "[2] {20 (0x14), 30 (0x1e)}"), ("word", "\"hello\""), ("text",
        "\"given\""), ("owned", "\"owned text\""),
        ("vector", "[4] {1, 2, 3, 4}"), ("strings", "[2] {\"one\", \"two\"}"), ("plain", "Second"), ("third", "Third"), ("empty", "Empty"), ("circle", "Circle(1.25)"),
        ("rectangle", "Rectangle {width = 7, height = 9}"), ("named", "Named(\"shape\", 4)"), ("one", "One(77 (0x4d))"), ("nothing", "Nothing"), ("many", "Many([2] {5, 6})"),
        ("low", "Low(9)"), ("high", "High(99 (0x63))"), ("no_reference", "None"), ("some_number", "Some(8)"), ("no_number", "None"), ("nonzero",
        "Some(NonZero(NonZeroU32Inner(6)))"), ("no_nonzero", "None"),
        ("some_text", "Some(\"maybe\")"), ("no_text", "None"), ("result", "Err(\"bad\")"), ("good", "Ok(3)"), ("deep", "Some(None)"), ("character", "None"), ("unit", "{}"),
        ("pair", "{a = 1, b = -1 (0xffffffffffffffff)}"), ("overlay", "{whole = 305419896 (0x12345678), half = {22136 (0x5678), 4660 (0x1234)}}"), ("tuple.1",
        "-2 (0xfffffffe)"), ("holder", "{text = \"hello\", numbers = [3] {1, -2 (0xfffe), 3}}"),
        ("*some_reference.Some.0", "41 (0x29)"), ("vector.len", "4"), ("*boxed", "{a = 120 'x', b = 2}"), ("inner::COUNTER", "17 (0x11)"), ("*some_box.Some.0",
        "41 (0x29)"), ("shared", "12 (0xc)"),
    ];

    [Fact]
    public void Values_are_what_the_source_says()
    {
        using var program = new StoppedProgram(RustSamples.Get(0), "rust::values");
        var wrong = new List<string>();
        foreach ((string expression, string text) in s_lines)
        {
            string shown;
            try { shown = program.Show(expression).Text; }
            catch (Symbols.Expressions.ExpressionException e) { shown = e.Message; }
            if (shown != text) wrong.Add($"{expression}: '{shown}' is not '{text}'");
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        Assert.Equal(["1", "2", "3", "4"], program.Show("vector").Children(0, 10).Select(child => child.Text));
        Assert.Equal(["\"one\"", "\"two\""], program.Show("strings").Children(0, 10).Select(child => child.Text));
    }
}
