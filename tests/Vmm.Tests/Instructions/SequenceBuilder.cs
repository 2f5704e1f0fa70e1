using System;
using System.Collections.Generic;
using Iced.Intel;
using Vmm.Cpu;
using Vmm.Tests.TestKit;

namespace Vmm.Tests.Instructions;

/// <summary>A random sequence and what is undefined after it.</summary>
/// <param name="Bytes">Its machine code.</param>
/// <param name="Input">The state that it starts from.</param>
/// <param name="UndefinedFlags">Flags that are undefined when it has run to its end.</param>
/// <param name="Boundaries">For each instruction its RIP and the flags that are undefined before it.</param>
internal sealed record Sequence(byte[] Bytes, CaseState Input, ulong UndefinedFlags, IReadOnlyList<(ulong Rip, ulong Undefined)> Boundaries)
{
    /// <summary>Flags that are undefined when execution ended with that outcome.</summary>
    public ulong UndefinedAt(CaseOutcome outcome)
    {
        if (outcome.Vector == CaseOutcome.Completed) return UndefinedFlags;
        foreach ((ulong rip, ulong undefined) in Boundaries)
            if (rip == outcome.State.Rip) return undefined;
        return UndefinedFlags;
    }
}

/// <summary>
/// Makes random sequences of instructions whose outcome is defined: an instruction that would read a flag or a register that an earlier
/// one left undefined is not taken.
/// </summary>
internal sealed class SequenceBuilder(int bitness)
{
    private readonly List<Code> _anywhere = Select(bitness, last: false);
    private readonly List<Code> _last = Select(bitness, last: true);

    /// <summary>Builds the sequence of a seed, of 1 to <paramref name="maximumCount"/> instructions.</summary>
    public Sequence Build(ulong seed, int maximumCount)
    {
        SeededRandom random = new(seed);
        CaseState input = CaseState.Default(bitness);
        CaseBuilder builder = new(bitness, random, input) { IsSequence = true };
        builder.SetPointers();
        builder.SetRandomFlags();
        int count = 1 + random.Below(maximumCount);
        List<byte> bytes = [];
        ulong undefined = 0;
        List<(ulong Rip, ulong Undefined)> boundaries = [];
        // A long one may come where nothing fits any more: it ends there.
        for (int made = 0, tries = 0; made < count && tries < 500; tries++)
        {
            bool isLast = made == count - 1;
            Code code = random.Pick<Code>(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(isLast && random.OneIn(3) ? _last : _anywhere));
            ulong rip = CaseState.CodeStart + (ulong)bytes.Count;
            if (!builder.TryBuild(code, random.Below(64), rip, out byte[] encoded)) continue;
            Decoder decoder = Decoder.Create(bitness, new ByteArrayCodeReader(encoded), rip, DecoderOptions.None);
            decoder.Decode(out Instruction instruction);
            if ((UndefinedResults.FromIced(instruction.RflagsRead) & undefined) != 0) continue;
            boundaries.Add((rip, undefined));
            undefined = Propagate(instruction, undefined);
            bytes.AddRange(encoded);
            made++;
        }
        return new Sequence([.. bytes], input, undefined, boundaries);
    }

    private static ulong Propagate(in Instruction instruction, ulong undefined)
    {
        bool isConditional = instruction.HasRepePrefix || instruction.HasRepnePrefix || UndefinedResults.IsShift(instruction.Mnemonic);
        ulong written = UndefinedResults.FromIced(instruction.RflagsWritten | instruction.RflagsCleared | instruction.RflagsSet);
        ulong newlyUndefined = UndefinedResults.FromIced(instruction.RflagsUndefined);
        // A shift by CL is not known here: what any count leaves undefined.
        if (UndefinedResults.IsShift(instruction.Mnemonic)) newlyUndefined = RFlags.Adjust | RFlags.Overflow | RFlags.Carry;
        return (isConditional ? undefined : undefined & ~written) | newlyUndefined;
    }

    private static List<Code> Select(int bitness, bool last)
    {
        List<Code> codes = [];
        foreach (string family in CodeCatalog.Families)
        {
            if (family is "faults" or "nops") continue;
            if (family == "branches" && !last) continue;
            foreach (Code code in CodeCatalog.Codes(family, bitness))
                if (Fits(code, bitness)) codes.Add(code);
        }
        return codes;
    }

    private static bool Fits(Code code, int bitness)
    {
        switch (code.Mnemonic())
        {
            // Their operands come from a stack or from registers that earlier instructions have changed.
            case Mnemonic.Ret or Mnemonic.Call or Mnemonic.Jmp or Mnemonic.Popf or Mnemonic.Popfd or Mnemonic.Popfq or Mnemonic.Popa or Mnemonic.Popad:
            case Mnemonic.Xlatb or Mnemonic.Enter or Mnemonic.Leave or Mnemonic.Std:
            // A 16-bit double shift by a count in CL, BSF and BSR of zero, CMPS and SCAS that fault: undefined, and not known before.
            case Mnemonic.Shld or Mnemonic.Shrd or Mnemonic.Bsf or Mnemonic.Bsr:
                return false;
            // Which byte of a masked store faults, and whether CVTPI2PS of memory counts as MMX after EMMS, varies.
            case Mnemonic.Maskmovq or Mnemonic.Maskmovdqu or Mnemonic.Emms:
                return false;
            case Mnemonic.Bt or Mnemonic.Bts or Mnemonic.Btr or Mnemonic.Btc:
                return code.ToOpCode().GetOpKind(1) == OpCodeOperandKind.imm8;
            case Mnemonic.Cmpxchg8b: return bitness == 64;
            // The upper half of a 32-bit destination varies.
            case Mnemonic.Cmpxchg when bitness == 64: return code.ToOpCode().OperandSize != 32;
        }
        // A 16-bit branch of 32-bit code leaves the page.
        if (code.ConditionCode() != ConditionCode.None && code.IsJccShortOrNear() && code.ToOpCode().OperandSize == 16) return false;
        // 32-bit addresses are cut from pointers that fit; strings may fault, and then leave flags that differ between CPUs.
        return !code.IsStringInstruction() || code.Mnemonic() is Mnemonic.Movsb or Mnemonic.Movsw or Mnemonic.Movsd or Mnemonic.Movsq
            or Mnemonic.Stosb or Mnemonic.Stosw or Mnemonic.Stosd or Mnemonic.Stosq or Mnemonic.Lodsb or Mnemonic.Lodsw or Mnemonic.Lodsd or Mnemonic.Lodsq;
    }
}
