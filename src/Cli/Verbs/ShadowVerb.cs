using System.CommandLine;
using Cli.Hosting;
using Cli.Parsing;
using Cli.Presentation;
using Replay.Checkpoints;
using Replay.Replaying;
using Vmm.Cpu;
using Vmm.Platform;
using Vmm.Time;

namespace Cli.Verbs;

/// <summary><c>ttvm shadow FILE --at POSITION</c></summary>
internal static class ShadowVerb
{
    public static VerbCommand Create(CommandContext context)
    {
        Argument<string> file = SharedOptions.File();
        Option<string> at = SharedOptions.At();
        Option<int?> cpu = SharedOptions.Cpu();
        var address = new Option<string?>("--address", "-a") { Description = $"Only the entry of this linear address: {AddressLookup.Syntax}", HelpName = "ADDRESS" };
        var limit = new Option<string>("--limit") { Description = "Entries at most", HelpName = "N", DefaultValueFactory = static _ => "100" };
        Option<string[]> symbols = SharedOptions.Symbols();
        Option<bool> json = SharedOptions.Json();
        var verb = new VerbCommand("shadow",
            "Shows the shadow page table through which a vCPU really translates: linear page, guest-physical page, machine page, what is allowed, and its state. It is "
            + "filled as the guest touches pages; since it is derived from the guest's tables it is not part of a checkpoint, so that it shows what was touched since "
            + "the checkpoint from which the position was rebuilt.", """
            States:
              in step           as the guest's page tables say
              not yet filled    the guest maps the page, but has not touched it since the checkpoint
              write-protected   in step; stores are traced, because the page is one of the guest's page tables

            Examples:
              ttvm shadow boot.ttvm --at 50%
              ttvm shadow boot.ttvm --at 50% --address rsp
            """) { file, at, cpu, address, limit, symbols, json };
        return verb.Does(parsed =>
        {
            int maximum = NumberSyntax.ParseNumber(parsed.GetValue(limit)!, "--limit", int.MaxValue);
            using OpenRecording recording = OpenRecording.Open(parsed.GetValue(file)!, context);
            Position target = recording.Parse(parsed.GetValue(at)!);
            int? index = parsed.GetValue(cpu);
            if (index is { } wanted) recording.CheckCpu(wanted);
            // From a checkpoint that lies before the position: restoring one forgets what was filled.
            CheckpointInfo from = CheckpointBefore(recording, target);
            using var replayer = new Replayer(recording.File);
            ProgressDisplay.Run("replaying", progress =>
            {
                replayer.Restart(from.Index);
                replayer.RunTo(target, progress, context.Cancellation);
                return 0;
            });
            Machine machine = replayer.Machine;
            Vcpu vcpu = machine.Vcpus[index ?? machine.CurrentCpuIndex];
            var view = new ShadowView(machine, vcpu);
            ulong? only = parsed.GetValue(address) is { } text ? new AddressLookup(recording, parsed.GetValue(symbols)).Parse(text, "--address", machine, vcpu) : null;
            if (parsed.GetValue(json)) view.WriteJson(context.Out, only, maximum, from.Position);
            else view.Write(context.Out, only, maximum, from.Position);
            return ExitCode.Good;
        });
    }

    private static CheckpointInfo CheckpointBefore(OpenRecording recording, Position target)
    {
        CheckpointInfo best = recording.File.Checkpoints[0];
        foreach (CheckpointInfo checkpoint in recording.File.Checkpoints)
            if (checkpoint.Position < target) best = checkpoint;
        return best;
    }
}
