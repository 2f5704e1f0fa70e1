using System.CommandLine;
using System.Net.Sockets;
using Cli.Hosting;
using Cli.Parsing;
using Gdb;
using Vmm.Host.Sandbox;

namespace Cli.Verbs;

/// <summary><c>ttvm gdb FILE --port N [--at POSITION]</c></summary>
internal static class GdbVerb
{
    private const int MaxPort = 65535;

    public static VerbCommand Create(CommandContext context)
    {
        Argument<string> file = SharedOptions.File();
        var port = new Option<int>("--port") { Description = "TCP port on this machine, for no other; 0 takes a free one", HelpName = "N", DefaultValueFactory = static _ => 1234 };
        Option<string> at = SharedOptions.At();
        var verb = new VerbCommand("gdb",
            "Lets gdb debug a recording, backwards as well: vCPUs are threads, and reverse-stepi, reverse-continue and watchpoints work in both directions. "
            + "Serves until gdb says kill, or Ctrl-C.", """
            In gdb: `monitor help` lists what gdb has no command for. What you change (registers, memory) opens a diversion; the recording never changes.
            With more than one vCPU, `set scheduler-locking step` makes reverse steps follow the selected thread.

            Examples:
              ttvm gdb boot.ttvm --port 1234
              gdb vmlinux -ex 'target remote localhost:1234' -ex 'watch jiffies' -ex 'reverse-continue'
            """) { file, port, at };
        return verb.Listens(parsed => (SocketAccess.ListenTcp, parsed.GetValue(port) is >= 0 and <= MaxPort and int named ? named : null)).Does(parsed =>
        {
            int number = parsed.GetValue(port);
            if (number is < 0 or > MaxPort) throw CommandException.Usage($"--port {number}: a port is a number from 0 to {MaxPort}");
            using OpenRecording recording = OpenRecording.Open(parsed.GetValue(file)!, context);
            recording.Seek(parsed.GetValue(at)!);
            using GdbServer server = Listen(recording, number);
            context.Out.WriteLine($"at position {recording.Timeline.Position} of {recording.File.End}; in gdb: target remote localhost:{server.Port}");
            server.Serve(context.Cancellation);
            return ExitCode.Good;
        });
    }

    private static GdbServer Listen(OpenRecording recording, int port)
    {
        try
        {
            return new GdbServer(recording.Timeline, port);
        }
        catch (SocketException e)
        {
            throw CommandException.Failed($"--port {port}: {e.Message}; choose another, or 0 for any free one");
        }
    }
}
