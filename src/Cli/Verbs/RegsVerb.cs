using System.CommandLine;
using Cli.Hosting;
using Cli.Parsing;
using Cli.Presentation;
using Vmm.Cpu;

namespace Cli.Verbs;

/// <summary><c>ttvm regs FILE --at POSITION</c></summary>
internal static class RegsVerb
{
    public static VerbCommand Create(CommandContext context)
    {
        Argument<string> file = SharedOptions.File();
        Option<string> at = SharedOptions.At();
        Option<int?> cpu = SharedOptions.Cpu();
        var all = new Option<bool>("--all") { Description = "Debug, model-specific, x87 and SSE registers as well" };
        Option<bool> json = SharedOptions.Json();
        var verb = new VerbCommand("regs", "Shows the registers of a vCPU at a position.", """
            Examples:
              ttvm regs boot.ttvm --at 50%
              ttvm regs boot.ttvm --at 123456:2 --cpu 1 --all
              ttvm regs boot.ttvm --at end --json | jq -r .rip
            """) { file, at, cpu, all, json };
        return verb.Does(parsed =>
        {
            using OpenRecording recording = OpenRecording.Open(parsed.GetValue(file)!, context);
            Vcpu vcpu = recording.Vcpu(parsed.GetValue(cpu));
            recording.Seek(parsed.GetValue(at)!);
            if (parsed.GetValue(cpu) is null) vcpu = recording.Vcpu(null);
            if (parsed.GetValue(json)) JsonText.WriteObject(context.Out, writer => RegistersView.Write(writer, recording.Machine, vcpu));
            else RegistersView.Write(context.Out, recording.Machine, vcpu, parsed.GetValue(all));
            return ExitCode.Good;
        });
    }
}
