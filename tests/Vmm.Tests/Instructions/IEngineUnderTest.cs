using System;

namespace Vmm.Tests.Instructions;

/// <summary>An engine that executes cases: the interpreter, or a translator.</summary>
internal interface IEngineUnderTest : IDisposable
{
    /// <summary>For messages: "interpreter".</summary>
    string Name { get; }

    /// <summary>
    /// Runs the bytes at <see cref="CaseState.CodeStart"/>, CPL 3, 32- or 64-bit code, in a page full of INT3 until execution leaves them or an
    /// exception is raised.
    /// </summary>
    CaseOutcome Execute(int bitness, byte[] code, CaseState input);
}
