using System.Collections.Generic;
using System.CommandLine;
using System.IO;
using Cli.Hosting;
using Cli.Parsing;
using Cli.Presentation;
using Introspection.Programs;
using Introspection.State;
using Introspection.Unwinding;
using Vmm.Cpu;

namespace Cli.Verbs;

/// <summary><c>ttvm stack FILE --at POSITION</c></summary>
internal static class StackVerb
{
    public static VerbCommand Create(CommandContext context)
    {
        Argument<string> file = SharedOptions.File();
        Option<string> at = SharedOptions.At();
        Option<int?> cpu = SharedOptions.Cpu();
        Option<string[]> symbols = SharedOptions.Symbols(), map = SharedOptions.SourceMap();
        Option<bool> json = SharedOptions.Json();
        var verb = new VerbCommand("stack", "Shows the calls of a vCPU at a position, the innermost first; inlined calls are lines of their own.", """
            Examples:
              ttvm stack demo.ttvm --at 50%
              ttvm stack boot.ttvm --at 50% --cpu 1 --symbols vmlinux
            """) { file, at, cpu, symbols, map, json };
        return verb.Does(parsed =>
        {
            using OpenRecording recording = OpenRecording.Open(parsed.GetValue(file)!, context);
            using GuestPrograms programs = recording.LoadSymbols(parsed.GetValue(symbols), parsed.GetValue(map));
            recording.Seek(parsed.GetValue(at)!);
            Vcpu vcpu = recording.Vcpu(parsed.GetValue(cpu));
            var view = new GuestView(recording.Machine, vcpu);
            List<StackLevel> levels = CallStack.Of(view, programs.At(view));
            if (parsed.GetValue(json)) WriteJson(context, recording, vcpu, levels);
            else Write(context.Out, levels);
            return ExitCode.Good;
        });
    }

    private static void Write(TextWriter output, List<StackLevel> levels)
    {
        for (int i = 0; i < levels.Count; i++)
        {
            StackLevel level = levels[i];
            string place = level.HasLine ? $"  {level.Source!.Path}:{level.Source.Line}" : "";
            output.WriteLine($"#{i,-3} {level.Call.Code:x16}  {level.Title}{place}");
        }
    }

    private static void WriteJson(CommandContext context, OpenRecording recording, Vcpu vcpu, List<StackLevel> levels) => JsonText.WriteObject(context.Out, json =>
    {
        json.WritePosition("position", recording.Timeline.Position);
        json.WriteNumber("cpu", vcpu.Index);
        json.WriteStartArray("frames");
        foreach (StackLevel level in levels)
        {
            json.WriteStartObject();
            json.WriteHexadecimal("address", level.Call.Code);
            json.WriteString("name", level.Name);
            json.WriteString("foundBy", level.Call.Origin.ToString());
            json.WriteBoolean("isUser", level.Call.IsUser);
            json.WriteBoolean("isInlined", level.Source?.Call is not null);
            if (level.HasLine)
            {
                json.WriteString("path", level.Source!.Path);
                json.WriteNumber("line", level.Source.Line);
            }
            json.WriteEndObject();
        }
        json.WriteEndArray();
    });
}
