namespace Vmm.Tests.Instructions;

/// <summary>The translator, which takes every block at its first execution, in the same situation.</summary>
internal sealed class TranslatorUnderTest() : InterpreterUnderTest(translates: true)
{
    public override string Name => "translator";
}
