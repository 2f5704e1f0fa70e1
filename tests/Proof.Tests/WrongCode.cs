using System;
using System.Collections.Generic;
using Cli.Lockstep;
using Iced.Intel;
using Replay.Packages;
using Vmm.Decoding;
using Vmm.Platform;
using Vmm.Time;
using Vmm.Translation;

namespace Proof.Tests;

/// <summary>
/// The canary of generated code: in the second half of a recording, the code that was made of an ADD subtracts (of another one each thousand instructions, as some never execute
/// again). The byte is changed in the code cache from outside, so that the translator itself needs no switch for it.
/// </summary>
internal sealed class WrongCode(RecordingFile recording) : LockstepSide(recording, "wrong", EngineKind.Translator)
{
    private readonly List<ulong> _rips = [];
    private ulong _latest = recording.End.InstructionCount / 2;

    /// <summary>Addresses of the instructions whose code is wrong.</summary>
    public IReadOnlyList<ulong> Rips => _rips;

    public override void RunTo(ulong count)
    {
        while (Machine.InstructionCount < count)
        {
            ulong before = Machine.InstructionCount;
            Replayer.RunTo(new Position(Math.Min(count, before + 1_000)));
            // Not again where lockstep returns to, so that it finds what it has found.
            if (Machine.InstructionCount > _latest)
            {
                _latest = Machine.InstructionCount;
                Falsify();
            }
            if (Machine.InstructionCount == before) return;
        }
    }

    /// <summary>Changes the code of the first ADD of two registers in the block that is executed next.</summary>
    private void Falsify()
    {
        Translator translator = Machine.Translator!;
        ulong next = Machine.Vcpus[Machine.CurrentCpuIndex].State.Rip;
        foreach (TranslatedBlock made in translator.Made)
        {
            if (!made.Block.IsValid || next < made.Block.Rip || next > made.Block.Instructions[^1].Rip) continue;
            Span<byte> code = translator.BytesOf(made);
            for (int i = 0; i < made.Block.Instructions.Length; i++)
            {
                ref readonly DecodedInstruction guest = ref made.Block.Instructions[i];
                if ((Code)guest.Code is not (Code.Add_rm64_r64 or Code.Add_rm32_r32 or Code.Add_r64_rm64 or Code.Add_r32_rm32)) continue;
                if (FindAdd(code[made.Starts[i]..made.Starts[i + 1]]) is not { } opcode) continue;
                // ADD is 01 or 03, SUB 29 or 2B: SDM 2, appendix A.
                code[made.Starts[i] + opcode] += 0x28;
                _rips.Add(guest.Rip);
                return;
            }
        }
    }

    /// <summary>Where the opcode of an ADD of two host registers is in an instruction's code.</summary>
    private static int? FindAdd(ReadOnlySpan<byte> code)
    {
        var decoder = Decoder.Create(64, code.ToArray());
        for (int at = 0; at < code.Length; at = (int)decoder.IP)
        {
            Instruction host = decoder.Decode();
            if (host.Mnemonic == Mnemonic.Add && host.Op0Kind == OpKind.Register && host.Op1Kind == OpKind.Register) return (code[at] & 0xF0) == 0x40 ? at + 1 : at;
        }
        return null;
    }
}
