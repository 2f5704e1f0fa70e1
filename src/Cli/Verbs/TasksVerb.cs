using System.Collections.Generic;
using System.CommandLine;
using System.IO;
using Cli.Hosting;
using Cli.Parsing;
using Cli.Presentation;
using Introspection.Linux;
using Introspection.Programs;
using Introspection.State;
using Vmm.Cpu;

namespace Cli.Verbs;

/// <summary><c>ttvm tasks FILE --at POSITION</c></summary>
internal static class TasksVerb
{
    /// <summary>A line of the table.</summary>
    /// <param name="Task">The thread.</param>
    /// <param name="Vcpu">The vCPU that runs it; null: none does.</param>
    /// <param name="Address">Where it stands; null: unknown.</param>
    /// <param name="Place">The same by symbol; empty: unknown.</param>
    private sealed record Row(LinuxTask Task, Vcpu? Vcpu, ulong? Address, string Place);

    public static VerbCommand Create(CommandContext context)
    {
        Argument<string> file = SharedOptions.File();
        Option<string> at = SharedOptions.At();
        Option<string[]> symbols = SharedOptions.Symbols();
        Option<bool> json = SharedOptions.Json();
        var verb = new VerbCommand("tasks",
            "Shows the threads of a Linux guest at a position, as the kernel's own tables have them: no symbol file is needed. A thread that runs stands at its vCPU's next "
            + "instruction, another one at what it waits in.", """
            States: R running or ready, S sleeping, D waiting for a device, T stopped, t traced, Z ended, P parked, I idle thread of the kernel.

            Exit code: 0; 1 when no Linux kernel runs at the position, as before it is decompressed, or when it has no type information (BTF).

            Examples:
              ttvm tasks boot.ttvm
              ttvm tasks boot.ttvm --at 80% --symbols busybox
              ttvm tasks boot.ttvm --json | jq -r '.tasks[] | select(.vcpu != null) | .name'
            """) { file, at, symbols, json };
        return verb.Does(parsed =>
        {
            using OpenRecording recording = OpenRecording.Open(parsed.GetValue(file)!, context);
            using GuestPrograms programs = recording.LoadSymbols(parsed.GetValue(symbols), null);
            recording.Seek(parsed.GetValue(at)!);
            var view = new GuestView(recording.Machine, recording.Vcpu(null));
            SymbolSet set = programs.At(view);
            if (programs.Kernel is not { } kernel) throw CommandException.Failed($"no Linux kernel runs at {recording.Timeline.Position}");
            if (kernel.Types is null) throw CommandException.Failed("this kernel was built without type information (BTF): its threads cannot be found");
            List<Row> rows = Rows(recording, programs, kernel, set);
            if (parsed.GetValue(json)) WriteJson(context.Out, recording, kernel, rows);
            else Write(context.Out, rows);
            return ExitCode.Good;
        });
    }

    private static List<Row> Rows(OpenRecording recording, GuestPrograms programs, LinuxKernel kernel, SymbolSet names)
    {
        var running = new Dictionary<ulong, Vcpu>();
        var rows = new List<Row>();
        foreach (Vcpu vcpu in recording.Machine.Vcpus)
        {
            if (kernel.Tasks.Current(vcpu) is not { } current) continue;
            running[current.Address] = vcpu;
            // Idle threads are in no list.
            if (current.Pid == 0) rows.Add(RowOf(current));
        }
        foreach (LinuxTask task in kernel.Tasks.All) rows.Add(RowOf(task));
        return rows;

        Row RowOf(LinuxTask task)
        {
            if (!running.TryGetValue(task.Address, out Vcpu? vcpu))
                return kernel.Tasks.WaitsAt(task) is { } waits ? new Row(task, null, waits, NameOf(names, waits)) : new Row(task, null, null, "");
            var view = new GuestView(recording.Machine, vcpu);
            return new Row(task, vcpu, view.CodeAddress, NameOf(programs.At(view), view.CodeAddress));
        }
    }

    private static string NameOf(SymbolSet names, ulong address) =>
        names.NameOf(address, out ulong offset) is { } name ? offset == 0 ? name : $"{name}+0x{offset:x}" : $"0x{address:x}";

    private static void Write(TextWriter output, List<Row> rows)
    {
        output.WriteLine("   PID    TID  S  vCPU  mode    name              at");
        foreach (Row row in rows)
        {
            LinuxTask task = row.Task;
            string vcpu = row.Vcpu is { } runs ? $"{runs.Index}" : "";
            output.WriteLine($"{task.ProcessId,6} {task.Pid,6}  {task.State}  {vcpu,4}  {(IsInUserMode(row) ? "user" : "kernel"),-6}  {task.Name,-16}  {row.Place}".TrimEnd());
        }
    }

    // A thread that does not run has left its CPU in the kernel.
    private static bool IsInUserMode(Row row) => row.Vcpu is { } vcpu && vcpu.State.Cpl == 3;

    private static void WriteJson(TextWriter output, OpenRecording recording, LinuxKernel kernel, List<Row> rows) => JsonText.WriteObject(output, json =>
    {
        json.WritePosition("position", recording.Timeline.Position);
        json.WriteString("version", kernel.Image.Version);
        json.WriteStartArray("tasks");
        foreach (Row row in rows)
        {
            json.WriteStartObject();
            json.WriteNumber("pid", row.Task.ProcessId);
            json.WriteNumber("tid", row.Task.Pid);
            json.WriteNumber("parent", row.Task.ParentId);
            json.WriteString("name", row.Task.Name);
            json.WriteString("state", row.Task.State.ToString());
            json.WriteBoolean("isKernelThread", row.Task.IsKernelThread);
            if (row.Vcpu is { } vcpu) json.WriteNumber("vcpu", vcpu.Index);
            else json.WriteNull("vcpu");
            json.WriteBoolean("isInUserMode", IsInUserMode(row));
            json.WriteHexadecimal("task", row.Task.Address);
            if (row.Address is { } address) json.WriteHexadecimal("address", address);
            json.WriteString("place", row.Place);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    });
}
