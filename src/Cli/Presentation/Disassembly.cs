using System;
using System.Collections.Generic;
using Iced.Intel;
using Introspection.Code;
using Introspection.State;
using Vmm.Cpu;
using Vmm.Platform;

namespace Cli.Presentation;

/// <summary>One line of disassembly.</summary>
/// <param name="Address">Offset in the code segment.</param>
/// <param name="Linear">Linear address.</param>
/// <param name="Bytes">Its bytes in hexadecimal.</param>
/// <param name="Text">The instruction, or why there is none.</param>
internal readonly record struct DisassemblyLine(ulong Address, ulong Linear, string Bytes, string Text);

/// <summary>Guest memory as instructions, in Intel's syntax.</summary>
internal static class Disassembly
{
    private const int LongestInstruction = 15;

    /// <summary>Instructions from an address on; stops at memory that cannot be read.</summary>
    public static List<DisassemblyLine> Read(Machine machine, Vcpu vcpu, ulong rip, int count, int? codeSize = null)
    {
        var view = new GuestView(machine, vcpu);
        int size = codeSize ?? view.CodeSize;
        var lines = new List<DisassemblyLine>();
        Formatter formatter = Disassembler.NewFormatter();
        var output = new StringOutput();
        Span<byte> bytes = stackalloc byte[LongestInstruction];
        for (int i = 0; i < count; i++)
        {
            int read = view.Read(view.CodeAddressOf(rip), bytes);
            if (read == 0)
            {
                lines.Add(new DisassemblyLine(rip, view.CodeAddressOf(rip), "", "no memory is mapped here"));
                break;
            }
            var decoder = Decoder.Create(size, new ByteArrayCodeReader(bytes[..read].ToArray()), rip);
            decoder.Decode(out Instruction instruction);
            if (instruction.IsInvalid)
            {
                lines.Add(new DisassemblyLine(rip, view.CodeAddressOf(rip), $"{bytes[0]:x2}", "(not an instruction)"));
                rip++;
                continue;
            }
            formatter.Format(instruction, output);
            lines.Add(new DisassemblyLine(rip, view.CodeAddressOf(rip), Convert.ToHexStringLower(bytes[..instruction.Length]), output.ToStringAndReset()));
            rip = instruction.NextIP;
        }
        return lines;
    }

    /// <summary>The instruction that a vCPU executes next.</summary>
    public static string AtRip(Machine machine, Vcpu vcpu) => Read(machine, vcpu, vcpu.State.Rip, 1)[0].Text;

    /// <summary>The instruction at an address in a vCPU's code segment.</summary>
    public static string At(Machine machine, Vcpu vcpu, ulong rip) => Read(machine, vcpu, rip, 1)[0].Text;
}
