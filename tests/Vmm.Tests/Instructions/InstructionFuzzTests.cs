using System;
using System.Globalization;
using System.Text;
using Iced.Intel;
using Vmm.Tests.TestKit;
using Xunit;

namespace Vmm.Tests.Instructions;

/// <summary>
/// Random sequences of 1 to 8 instructions, the host CPU against every engine. <c>TTVM_FUZZ_SEED</c> and <c>TTVM_FUZZ_COUNT</c> choose where to start
/// and how many; a failure names its own seed.
/// </summary>
public sealed class InstructionFuzzTests
{
    private const int DefaultCount = 5000, MaximumLength = 8;

    // AMD64 Architecture Programmer's Manual 2, MXCSR.MM: AMD's processors have this bit, and the guest's none (SDM 1 10.2.3).
    private const uint MisalignedExceptionMask = 1u << 17;

    // Conversions to MMX integers of which one operand is invalid and the other inexact, with IE unmasked.
    private static readonly (int Bitness, ulong Seed)[] s_onceWrong = [(32, 1001984243), (32, 2001397409), (64, 2001047856), (64, 2001293599), (64, 2002498682)];

    public static TheoryData<int, string> ModesAndEngines()
    {
        TheoryData<int, string> data = [];
        foreach (int bitness in (ReadOnlySpan<int>)[64, 32])
            foreach (string engine in EnginesUnderTest.Names) data.Add(bitness, engine);
        return data;
    }

    [Theory]
    [MemberData(nameof(ModesAndEngines))]
    public void SequencesGiveWhatTheHostGives(int bitness, string engineName) =>
        Compare(bitness, engineName, Setting("TTVM_FUZZ_SEED", 1), Setting("TTVM_FUZZ_COUNT", DefaultCount));

    [Theory]
    [MemberData(nameof(ModesAndEngines))]
    public void SequencesThatWereOnceWrongGiveWhatTheHostGives(int bitness, string engineName)
    {
        foreach ((int mode, ulong seed) in s_onceWrong)
            if (mode == bitness) Compare(bitness, engineName, seed, 1);
    }

    private static void Compare(int bitness, string engineName, ulong first, ulong count)
    {
        Assert.SkipWhen(HostProgram.WhyUnavailable() is not null, HostProgram.WhyUnavailable() ?? "");
        using IEngineUnderTest engine = EnginesUnderTest.Create(engineName);
        SequenceBuilder sequences = new(bitness);
        using HostOracle oracle = new();
        StringBuilder failures = new();
        int failed = 0;
        for (ulong seed = first; seed < first + count && failed < 10; seed++)
        {
            Sequence sequence = sequences.Build(seed, MaximumLength);
            CaseOutcome expected = oracle.Run(bitness, sequence.Bytes, sequence.Input);
            // Linux hides from a user program how its own half of the address space is mapped.
            if (expected.Vector == 14 && expected.FaultAddress >> 47 != 0) continue;
            InstructionCase c = new()
            {
                Bitness = bitness,
                Bytes = sequence.Bytes,
                CodeName = "sequence",
                Input = sequence.Input,
                Expected = expected,
                UndefinedFlags = sequence.UndefinedAt(expected),
            };
            CaseOutcome actual = engine.Execute(bitness, sequence.Bytes, sequence.Input);
            // An access across 4 GiB in a segment without limit "may or may not" be #GP (SDM 3A 5.3).
            if (bitness == 32 && actual.Vector == 14 && actual.FaultAddress >= 0xFFFF_FFF8 && expected.Vector == 13) continue;
            // A host that has MXCSR.MM loads it.
            if (actual.Vector == 13 && (expected.State.Mxcsr & MisalignedExceptionMask) != 0) continue;
            string differences = c.Compare(actual);
            if (differences.Length == 0) continue;
            failed++;
            failures.Append(CultureInfo.InvariantCulture, $"seed {seed}: {CaseText.Format(c)}\n{Disassemble(bitness, sequence.Bytes)}{differences}");
        }
        Assert.True(failed == 0, $"{failed} sequences differ on the {engine.Name}; TTVM_FUZZ_SEED=<seed> TTVM_FUZZ_COUNT=1 repeats one\n{failures}");
    }

    internal static string Disassemble(int bitness, byte[] bytes)
    {
        StringBuilder text = new();
        Iced.Intel.Decoder decoder = Iced.Intel.Decoder.Create(bitness, new ByteArrayCodeReader(bytes), CaseState.CodeStart, DecoderOptions.None);
        while (decoder.IP < CaseState.CodeStart + (ulong)bytes.Length)
        {
            decoder.Decode(out Instruction instruction);
            text.Append(CultureInfo.InvariantCulture, $"    {instruction.IP:X} {instruction}\n");
        }
        return text.ToString();
    }

    private static ulong Setting(string name, ulong otherwise) =>
        ulong.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out ulong value) ? value : otherwise;
}
