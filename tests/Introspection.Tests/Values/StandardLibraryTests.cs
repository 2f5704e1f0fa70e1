using System.Collections.Generic;
using Symbols.Expressions;
using Symbols.Tests.Languages;
using Xunit;

namespace Introspection.Tests.Values;

/// <summary>Containers of libstdc++ by the built-in printers, and expressions in a C++ frame: the program's source says what they are.</summary>
public sealed class StandardLibraryTests
{
    private static readonly (string Expression, string Text)[] s_lines =
    [
        ("numbers", "{1, 2, 3}"), ("points", "{{x = 1, y = 2}, {x = 3, y = 4}}"), ("none", "{}"), ("text", "\"short\""),
        ("longer", "\"a text that does not fit into the object itself\""), ("map", "2 elements"), ("*shared._M_ptr", "7"),
        ("origin", "3"), ("scope::origin", "3"), ("::scope::origin", "3"), ("pointer->y", "4"), ("*(point *)pointer", "{x = 3, y = 4}"), ("(int)sizeof(point)", "8"),
        ("(int)sizeof(scope::point)", "8"), ("(typeof(pointer->x))3.9", "3"), ("*(typeof(pointer))pointer", "{x = 3, y = 4}"), ("(int)sizeof(typeof(int [3]))", "12 (0xc)"),
        ("(int)_Alignof(point)", "4"), ("(int)__alignof__(pointer)", "8"), ("(origin, pointer->x)", "3"),
    ];

    private static readonly (string Expression, string Message)[] s_refused =
    [
        ("origin++", "'++' is not done by looking: write 'x += 1' to change x"), ("--origin", "'--' is not done by looking: write 'x -= 1' to change x"),
        ("typeof(nobody) + 1", "'nobody' is neither a register nor a known symbol"),
    ];

    [Fact]
    public void Values_are_what_the_source_says()
    {
        using var program = new StoppedProgram(CompiledSamples.Get("standard.cpp", "-O0 -g"), "scope::work");
        var wrong = new List<string>();
        foreach ((string expression, string text) in s_lines)
        {
            string shown;
            try { shown = program.Show(expression).Text; }
            catch (ExpressionException e) { shown = e.Message; }
            if (shown != text) wrong.Add($"{expression}: '{shown}' is not '{text}'");
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        foreach ((string expression, string message) in s_refused)
            Assert.Equal(message, Assert.Throws<ExpressionException>(() => program.Show($"(int)({expression})")).Message);
    }
}
