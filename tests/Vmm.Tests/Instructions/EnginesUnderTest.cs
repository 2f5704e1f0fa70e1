using System;

namespace Vmm.Tests.Instructions;

/// <summary>The engines that must agree with the host CPU.</summary>
internal static class EnginesUnderTest
{
    public static ReadOnlySpan<string> Names => new string[] { "interpreter", "translator", "translator:1" };

    public static IEngineUnderTest Create(string name) => name switch
    {
        "interpreter" => new InterpreterUnderTest(),
        "translator" => new TranslatorUnderTest(),
        "translator:1" => new TranslatorUnderTest(blockLength: 1),
        _ => throw new ArgumentException($"no engine is called {name}", nameof(name)),
    };
}
