using System.CommandLine;
using Cli.Hosting;
using Cli.Parsing;
using Cli.Sandboxing;
using Dap.Sessions;
using Dap.Transports;
using Vmm.Host.Sandbox;

namespace Cli.Verbs;

/// <summary><c>ttvm dap</c></summary>
internal static class DapVerb
{
    public static VerbCommand Create(CommandContext context)
    {
        var server = new Option<int?>("--server") { Description = "Listen on this port of the loopback interface; 0: any that is free", HelpName = "PORT" };
        var pipe = new Option<string?>("--pipe") { Description = "Listen on a named pipe (a Unix domain socket, which may be a path)", HelpName = "NAME" };
        var only = new Option<string[]>("--only")
        {
            Description = "Lock the process in to this file, to read it, and to write its bookmarks if they have a file; or to this directory, to write in it, too (several times; Linux)",
            HelpName = "PATH",
        };
        var onlyRead = new Option<string[]>("--only-read")
        {
            Description = "Lock it in, and let this be read: symbols, with their separate debug files, or a directory (several times; Linux)", HelpName = "PATH",
        };
        var verb = new VerbCommand("dap",
            "Serves the Debug Adapter Protocol to one client, such as VS Code: over standard input and output, or where --server or --pipe says. "
            + "The client launches a recording, {\"program\": \"boot.ttvm\", \"at\": \"50%\"}, or a kernel, which is recorded while it is debugged: "
            + "{\"program\": \"vmlinuz\", \"append\": \"console=ttyS0\"}. To debug a guest that runs already, see `ttvm record --help`, --dap.", """
            Examples:
              ttvm dap
              ttvm dap --server 4711
              ttvm dap --pipe /tmp/ttvm.sock
              ttvm dap --only boot.ttvm --only-read vmlinux
            """) { server, pipe, only, onlyRead };
        bool IsNamed(ParseResult parsed) => parsed.GetValue(only) is { Length: > 0 } || parsed.GetValue(onlyRead) is { Length: > 0 };
        return verb.Confined(parsed => IsNamed(parsed) ? Confinement.Full : Confinement.SystemCalls).Listens(parsed =>
            parsed.GetValue(pipe) is not null ? (SocketAccess.ListenUnix, null)
            : parsed.GetValue(server) is { } port ? (SocketAccess.ListenTcp, port) : (SocketAccess.None, null)).Does(parsed =>
        {
            int? port = parsed.GetValue(server);
            string? name = parsed.GetValue(pipe);
            if (port is not null && name is not null) throw CommandException.Usage("dap: --server and --pipe exclude each other");
            if (port is < 0 or > 65535) throw CommandException.Usage($"--server: {port} is not a port: use 0 to 65535");
            if (name is { Length: 0 }) throw CommandException.Usage("--pipe: the name is empty");
            using Connection connection = Open(context, port, name);
            var options = new DapServerOptions
            {
                Host = new HostServices(), Passphrase = context.Passphrases.WithoutAsking(), Loggers = context.Loggers, Engine = context.Engine,
            };
            DapServer.Serve(connection, options, context.Cancellation);
            return ExitCode.Good;
        });
    }

    private static Connection Open(CommandContext context, int? port, string? pipe)
    {
        if (port is { } number) return Connection.OverLoopback(number, open => context.Error.WriteLine($"listening on 127.0.0.1:{open}"), context.Cancellation);
        if (pipe is not null) return Connection.OverPipe(pipe, () => context.Error.WriteLine($"listening on {pipe}"), context.Cancellation);
        return Connection.OverStandardStreams();
    }
}
