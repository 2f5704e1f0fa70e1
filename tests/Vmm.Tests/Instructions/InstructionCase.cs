using System;
using System.Globalization;
using System.Text;

namespace Vmm.Tests.Instructions;

/// <summary>
/// One instruction (or a short sequence), what it is given and what the host CPU made of it. Its text form is one line; see
/// <see cref="CaseText"/>.
/// </summary>
internal sealed class InstructionCase
{
    public required int Bitness { get; init; }
    public required byte[] Bytes { get; init; }
    /// <summary>The Iced.Intel.Code of the instruction.</summary>
    public required string CodeName { get; init; }
    public required CaseState Input { get; init; }
    public required CaseOutcome Expected { get; init; }
    /// <summary>Flags that the instruction leaves undefined: not compared.</summary>
    public ulong UndefinedFlags { get; set; }
    /// <summary>Bit n: general register n is undefined and not compared.</summary>
    public uint UndefinedRegisters { get; set; }

    /// <summary>The differences of <paramref name="actual"/> from what is expected, one a line; empty when there are none.</summary>
    public string Compare(CaseOutcome actual)
    {
        StringBuilder differences = new();
        if (actual.Vector != Expected.Vector || actual.ErrorCode != Expected.ErrorCode || actual.FaultAddress != Expected.FaultAddress)
            Add(differences, "exception", CaseText.Exception(Expected), CaseText.Exception(actual));
        ulong registerMask = Bitness == 64 ? ulong.MaxValue : uint.MaxValue;
        for (int register = 0; register < (Bitness == 64 ? 16 : 8); register++)
        {
            if ((UndefinedRegisters >> register & 1) != 0) continue;
            ulong expected = Expected.State.General[register] & registerMask, found = actual.State.General[register] & registerMask;
            if (expected != found) Add(differences, CaseText.RegisterName(register, Bitness), Hex(expected), Hex(found));
        }
        if (Expected.State.Rip != actual.State.Rip) Add(differences, "rip", Hex(Expected.State.Rip), Hex(actual.State.Rip));
        CompareFlags(actual, differences);
        for (int register = 0; register < (Bitness == 64 ? 16 : 8); register++)
        {
            UInt128 expected = Expected.State.Xmm[register], found = actual.State.Xmm[register];
            if (expected != found) Add(differences, $"xmm{register}", $"{expected:X32}", $"{found:X32}");
        }
        for (int register = 0; register < 8; register++)
        {
            ulong expected = Expected.State.Mm[register], found = actual.State.Mm[register];
            if (expected != found) Add(differences, $"mm{register}", Hex(expected), Hex(found));
        }
        if (Expected.State.Mxcsr != actual.State.Mxcsr) Add(differences, "mxcsr", Hex(Expected.State.Mxcsr), Hex(actual.State.Mxcsr));
        if (Expected.State.Tags != actual.State.Tags) Add(differences, "tags", Hex(Expected.State.Tags), Hex(actual.State.Tags));
        ComparePages(actual, differences);
        return differences.ToString();
    }

    private void CompareFlags(CaseOutcome actual, StringBuilder differences)
    {
        ulong different = (Expected.State.RFlags ^ actual.State.RFlags) & CaseFlags.Compared & ~UndefinedFlags;
        if (different == 0) return;
        foreach ((string name, ulong bit) in CaseFlags.Named)
        {
            if ((different & bit) == 0) continue;
            Add(differences, name, (Expected.State.RFlags & bit) != 0 ? "1" : "0", (actual.State.RFlags & bit) != 0 ? "1" : "0");
        }
        if ((different & Vmm.Cpu.RFlags.Iopl) != 0) Add(differences, "rflags", Hex(Expected.State.RFlags), Hex(actual.State.RFlags));
    }

    private void ComparePages(CaseOutcome actual, StringBuilder differences)
    {
        byte[] expected = Expected.State.ScratchPage, found = actual.State.ScratchPage;
        int shown = 0;
        for (int offset = 0; offset < expected.Length; offset++)
        {
            if (expected[offset] == found[offset]) continue;
            if (++shown > 16)
            {
                differences.Append("  ...\n");
                return;
            }
            Add(differences, $"[scratch+{offset:X}]", $"{expected[offset]:X2}", $"{found[offset]:X2}");
        }
    }

    private static void Add(StringBuilder differences, string what, string expected, string found) =>
        differences.Append(CultureInfo.InvariantCulture, $"  {what}: the host has {expected}, found {found}\n");

    private static string Hex(ulong value) => value.ToString("X", CultureInfo.InvariantCulture);
}
