using System;
using System.Globalization;
using System.Text;
using Xunit;

namespace Vmm.Tests.Instructions;

/// <summary>
/// Random sequences of up to 12 instructions, the translator against the interpreter: every register, every flag (those that the SDM leaves undefined too) and every byte, because digests
/// must not depend on the engine. <c>TTVM_FUZZ_SEED</c> and <c>TTVM_FUZZ_COUNT</c> choose where to start and how many.
/// </summary>
public sealed class TranslatorFuzzTests
{
    private const int DefaultCount = 20_000, MaximumLength = 12;

    [Theory]
    [InlineData(64)]
    [InlineData(32)]
    public void SequencesGiveWhatTheInterpreterGives(int bitness)
    {
        ulong first = Setting("TTVM_FUZZ_SEED", 1), count = Setting("TTVM_FUZZ_COUNT", DefaultCount);
        using var interpreter = new InterpreterUnderTest();
        using var translator = new TranslatorUnderTest();
        SequenceBuilder sequences = new(bitness);
        StringBuilder failures = new();
        int failed = 0;
        for (ulong seed = first; seed < first + count && failed < 10; seed++)
        {
            Sequence sequence = sequences.Build(seed, MaximumLength);
            InstructionCase c = new()
            {
                Bitness = bitness,
                Bytes = sequence.Bytes,
                CodeName = "sequence",
                Input = sequence.Input,
                Expected = interpreter.Execute(bitness, sequence.Bytes, sequence.Input),
                UndefinedFlags = 0,
            };
            string differences = c.Compare(translator.Execute(bitness, sequence.Bytes, sequence.Input));
            if (differences.Length == 0) continue;
            failed++;
            failures.Append(CultureInfo.InvariantCulture, $"seed {seed}: {CaseText.Format(c)}\n{InstructionFuzzTests.Disassemble(bitness, sequence.Bytes)}{differences}");
        }
        Assert.True(failed == 0, $"{failed} sequences differ; TTVM_FUZZ_SEED=<seed> TTVM_FUZZ_COUNT=1 repeats one\n{failures}");
    }

    private static ulong Setting(string name, ulong otherwise) =>
        ulong.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out ulong value) ? value : otherwise;
}
