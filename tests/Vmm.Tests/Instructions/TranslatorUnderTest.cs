using Vmm.Decoding;

namespace Vmm.Tests.Instructions;

/// <summary>The translator, which takes every block at its first execution, in the same situation.</summary>
internal sealed class TranslatorUnderTest : InterpreterUnderTest
{
    public TranslatorUnderTest(int blockLength = Block.MaximumLength) : base(translates: true, blockLength) =>
        Name = blockLength == Block.MaximumLength ? "translator" : $"translator of blocks of {blockLength}";

    public override string Name { get; }
}
