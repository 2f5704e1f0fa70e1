using System;
using System.CommandLine;
using System.CommandLine.Help;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Text;
using Cli.Hosting;
using Cli.Logging;
using Cli.Parsing;
using Cli.Sandboxing;
using Cli.Verbs;
using Microsoft.Extensions.Logging;
using Replay.Packages;
using Replay.Recording;
using Replay.Redaction;
using Replay.Replaying;
using Replay.Timelines;
using Vmm.Host.Sandbox;
using Vmm.Platform;

namespace Cli;

/// <summary>The `ttvm` executable: finds the verb, and turns every failure into one sentence and an exit code.</summary>
internal static class Program
{
    private const string DebugOption = "--debug";

    private static readonly (string Name, Func<CommandContext, VerbCommand> Create)[] s_verbs =
    [
        ("demo", DemoVerb.Create), ("record", RecordVerb.Create), ("explore", ExploreVerb.Create), ("recover", RecoverVerb.Create), ("replay", ReplayVerb.Create),
        ("verify", VerifyVerb.Create), ("rerun", RerunVerb.Create), ("diff", DiffVerb.Create), ("merge", MergeVerb.Create),
        ("info", InfoVerb.Create), ("regs", RegsVerb.Create), ("stack", StackVerb.Create), ("print", PrintVerb.Create), ("tasks", TasksVerb.Create), ("locks", LocksVerb.Create),
        ("rcu", RcuVerb.Create), ("channels", ChannelsVerb.Create), ("mem", MemVerb.Create), ("disasm", DisasmVerb.Create), ("block", BlockVerb.Create),
        ("back", BackVerb.Create), ("forward", ForwardVerb.Create), ("find", FindVerb.Create), ("origin", OriginVerb.Create), ("pagetables", PageTablesVerb.Create),
        ("shadow", ShadowVerb.Create), ("exits", ExitsVerb.Create), ("console", ConsoleVerb.Create),
        ("embed", EmbedVerb.Create), ("trim", TrimVerb.Create), ("pack", PackVerb.Create), ("unpack", UnpackVerb.Create), ("sign", SignVerb.Create), ("redact", RedactVerb.Create),
        ("encrypt", EncryptVerb.Create), ("decrypt", DecryptVerb.Create), ("sandbox", SandboxVerb.Create),
        ("lockstep", LockstepVerb.Create), ("bisect", BisectVerb.Create), ("gdb", GdbVerb.Create), ("dap", DapVerb.Create), ("bench", BenchVerb.Create),
    ];

    public static int Main(string[] arguments)
    {
        using var output = new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(false)) { AutoFlush = true };
        using var interruption = new Interruption();
        using TextWriter printed = new PrintableWriter(output), told = new PrintableWriter(Console.Error);
        using var passphrases = new Passphrases(told, interruption.Token);
        using var log = new LogOutput(told);
        var context = new CommandContext(printed, told, passphrases, log, interruption.Token);
        var debug = new Option<bool>(DebugOption) { Description = "Show where in the program an unexpected error came from", Recursive = true, Hidden = true };
        Option<string> engine = SharedOptions.Engine(), level = SharedOptions.LogLevel();
        Option<bool> noSandbox = SharedOptions.NoSandbox();
        Option<string?> passphraseFile = SharedOptions.PassphraseFile(), logFile = SharedOptions.LogFile();
        RootCommand root = BuildRoot(context, arguments.FirstOrDefault(), [debug, engine, noSandbox, passphraseFile, level, logFile]);
        ParseResult parsed = root.Parse(arguments);
        if (parsed.Errors.Count > 0 && parsed.Action is not VerbHelp) return ReportUsage(parsed, arguments, context);
        return Guard(context, parsed.GetValue(debug), () =>
        {
            Sandbox.Enter(parsed, !parsed.GetValue(noSandbox), context);
            passphrases.FileName = parsed.GetValue(passphraseFile);
            context.Engine = SharedOptions.EngineOf(parsed.GetValue(engine));
            if (parsed.GetResult(engine) is { Implicit: false } && context.Engine == EngineKind.Translator && !Machine.HostTranslates)
                context.Error.WriteLine("ttvm: code is translated on x86-64 with Linux or Windows only; the interpreter serves");
            log.Open(LogOutput.LevelOf(parsed.GetValue(level)), parsed.GetValue(logFile));
            long began = Stopwatch.GetTimestamp();
            ILogger messages = log.CreateLogger(typeof(Program).FullName!);
            messages.Begins(Environment.ProcessId, string.Join(' ', arguments));
            int code = parsed.Invoke(new InvocationConfiguration
            {
                EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null, Output = printed, Error = told,
            });
            messages.Ends(code, Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            return code;
        });
    }

    // A verb that is named is made alone: making all of them takes half of the time in which `ttvm info` is done.
    private static RootCommand BuildRoot(CommandContext context, string? verb, ReadOnlySpan<Option> options)
    {
        var root = new RootCommand("Records a whole machine, replays it exactly, and goes back to any earlier moment.");
        foreach (Option option in options) root.Add(option);
        bool isNamed = Array.Exists(s_verbs, one => one.Name == verb);
        foreach ((string name, Func<CommandContext, VerbCommand> create) in s_verbs)
            if (!isNamed || name == verb) root.Add(create(context));
        root.SetAction(_ =>
        {
            context.Out.Write(Overview.Text);
            return ExitCode.Good;
        });
        HelpOption help = root.Options.OfType<HelpOption>().Single();
        help.Action = new VerbHelp((HelpAction)help.Action!);
        return root;
    }

    private static int ReportUsage(ParseResult parsed, string[] arguments, CommandContext context)
    {
        bool hasVerb = parsed.CommandResult.Command is VerbCommand;
        string verb = hasVerb ? $"ttvm {parsed.CommandResult.Command.Name}" : "ttvm";
        string problem = hasVerb || arguments.Length == 0 ? parsed.Errors[0].Message.TrimEnd('.') : $"there is no verb '{arguments[0]}'";
        context.Error.WriteLine($"{verb}: {problem}; see `{verb} --help`");
        return ExitCode.Usage;
    }

    private static int Guard(CommandContext context, bool debug, Func<int> run)
    {
        try
        {
            return run();
        }
        catch (CommandException e)
        {
            return Fail(context, e.ExitCode, e.Message);
        }
        catch (MachineSetupException e)
        {
            return Fail(context, e.IsFile ? ExitCode.BadFile : ExitCode.Usage, e.Message);
        }
        catch (Exception e) when (e is RecordingFormatException or BootImageException or RecordingException or Vmm.Devices.DiskImageException)
        {
            return Fail(context, ExitCode.BadFile, e.Message);
        }
        catch (Exception e) when (e is PositionSyntaxException or InputScriptException)
        {
            return Fail(context, ExitCode.Usage, e.Message);
        }
        catch (Exception e) when (e is ReplayDivergenceException or RedactedPositionException)
        {
            return Fail(context, ExitCode.Failed, e.Message);
        }
        catch (OperationCanceledException) when (context.Cancellation.IsCancellationRequested)
        {
            return Fail(context, ExitCode.Failed, "stopped by Ctrl-C");
        }
        catch (SandboxException e)
        {
            return Fail(context, ExitCode.Failed, $"{e.Message}; {SharedOptions.NoSandboxName} goes on without a sandbox");
        }
        catch (UnauthorizedAccessException e) when (Sandbox.IsEntered)
        {
            string denied = OneLine(e.Message).TrimEnd('.');
            return Fail(context, ExitCode.BadFile, $"{denied} (a verb may touch what its command line names: `ttvm sandbox` shows it, {SharedOptions.NoSandboxName} lifts it)");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Fail(context, ExitCode.BadFile, e.Message);
        }
#pragma warning disable CA1031 // The one place where everything else ends: a bug of ours is a sentence too.
        catch (Exception e)
#pragma warning restore CA1031
        {
            context.Loggers.CreateLogger(typeof(Program).FullName!).Bug(e);
            Fail(context, ExitCode.Failed, $"{OneLine(e.Message)}: this is a bug in ttvm; run it again with {DebugOption} and report what it prints");
            if (debug) context.Error.WriteLine(e);
            return ExitCode.Failed;
        }
    }

    private static int Fail(CommandContext context, int exitCode, string message)
    {
        context.Error.WriteLine($"ttvm: {OneLine(message).TrimEnd('.')}");
        return exitCode;
    }

    private static string OneLine(string text) => text.ReplaceLineEndings(" ");
}
