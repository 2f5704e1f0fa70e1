using System;

namespace Vmm.Tests.Instructions;

/// <summary>The engines that must agree with the host CPU.</summary>
internal static class EnginesUnderTest
{
    public static ReadOnlySpan<string> Names => [];

    public static IEngineUnderTest Create(string name) => throw new ArgumentException($"no engine is called {name}", nameof(name));
}
