using System;
using System.CommandLine;
using Cli.Hosting;
using Cli.Parsing;
using Cli.Presentation;
using Introspection.Code;
using Vmm.Cpu;
using Vmm.Translation;

namespace Cli.Verbs;

/// <summary><c>ttvm block FILE --at POSITION</c></summary>
internal static class BlockVerb
{
    public static VerbCommand Create(CommandContext context)
    {
        Argument<string> file = SharedOptions.File();
        Option<string> at = SharedOptions.At();
        Option<int?> cpu = SharedOptions.Cpu();
        var behind = new Option<bool>("--behind") { Description = "Show what hardly ever runs as well: slow paths and ways out" };
        var verb = new VerbCommand("block", "Shows the block of guest code that a vCPU executes next beside the host code that the translator makes of it.", """
            In host code, RSP is the address of the vCPU's state. Guest registers are in the host's own, but RSP in R15; R9, R10, R11 and R15 are in the state, and the host's R9 holds
            the address of a memory operand, R10 and R11 what is needed for a moment.

            Examples:
              ttvm block boot.ttvm --at 50%
              ttvm block boot.ttvm --at 123456 --cpu 1 --behind
            """) { file, at, cpu, behind };
        return verb.Does(parsed =>
        {
            using OpenRecording recording = OpenRecording.Open(parsed.GetValue(file)!, context);
            Vcpu vcpu = recording.Vcpu(parsed.GetValue(cpu));
            recording.Seek(parsed.GetValue(at)!);
            if (parsed.GetValue(cpu) is null) vcpu = recording.Vcpu(null);
            if (recording.Machine.ListBlock(vcpu.Index) is not { } listing)
            {
                context.Out.WriteLine($"vCPU {vcpu.Index} executes {Disassembly.AtRip(recording.Machine, vcpu)} next, which the interpreter does: "
                    + $"{TranslatedCode.InterpretedKinds} (or --engine interp was given)");
                return ExitCode.Good;
            }
            BlockView.Write(context.Out, listing, parsed.GetValue(behind));
            return ExitCode.Good;
        });
    }
}
