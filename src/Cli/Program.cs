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
using Cli.Verbs;
using Microsoft.Extensions.Logging;
using Replay.Packages;
using Replay.Recording;
using Replay.Replaying;
using Replay.Timelines;
using Vmm.Platform;

namespace Cli;

/// <summary>The `ttvm` executable: finds the verb, and turns every failure into one sentence and an exit code.</summary>
internal static class Program
{
    private const string DebugOption = "--debug";

    public static int Main(string[] arguments)
    {
        using var output = new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(false)) { AutoFlush = true };
        using var interruption = new Interruption();
        using var log = new LogOutput(Console.Error);
        var context = new CommandContext(output, Console.Error, log, interruption.Token);
        Option<string> engine = SharedOptions.Engine(), level = SharedOptions.LogLevel();
        Option<string?> logFile = SharedOptions.LogFile();
        RootCommand root = BuildRoot(context, engine, level, logFile);
        ParseResult parsed = root.Parse(arguments);
        if (parsed.Errors.Count > 0 && parsed.Action is not VerbHelp) return ReportUsage(parsed, arguments, context);
        Machine.DefaultEngine = SharedOptions.EngineOf(parsed.GetValue(engine));
        if (parsed.GetResult(engine) is { Implicit: false } && Machine.DefaultEngine == EngineKind.Translator && !Machine.HostTranslates)
            context.Error.WriteLine("ttvm: code is translated on x86-64 Linux only; the interpreter serves");
        return Guard(context, arguments.Contains(DebugOption, StringComparer.Ordinal), () =>
        {
            log.Open(LogOutput.LevelOf(parsed.GetValue(level)), parsed.GetValue(logFile));
            long began = Stopwatch.GetTimestamp();
            ILogger messages = log.CreateLogger(typeof(Program).FullName!);
            messages.Begins(Environment.ProcessId, string.Join(' ', arguments));
            int code = parsed.Invoke(new InvocationConfiguration
            {
                EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null, Output = output, Error = context.Error,
            });
            messages.Ends(code, Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            return code;
        });
    }

    private static RootCommand BuildRoot(CommandContext context, params Option[] shared)
    {
        var root = new RootCommand("Records a whole machine, replays it exactly, and goes back to any earlier moment.")
        {
            new Option<bool>(DebugOption) { Description = "Show where in the program an unexpected error came from", Recursive = true, Hidden = true },
            DemoVerb.Create(context), RecordVerb.Create(context), ExploreVerb.Create(context), RecoverVerb.Create(context), ReplayVerb.Create(context), VerifyVerb.Create(context),
            RerunVerb.Create(context), DiffVerb.Create(context), MergeVerb.Create(context),
            InfoVerb.Create(context), RegsVerb.Create(context), StackVerb.Create(context), PrintVerb.Create(context), TasksVerb.Create(context), LocksVerb.Create(context),
            RcuVerb.Create(context), ChannelsVerb.Create(context),
            MemVerb.Create(context), DisasmVerb.Create(context), BlockVerb.Create(context), BackVerb.Create(context), ForwardVerb.Create(context),
            FindVerb.Create(context), OriginVerb.Create(context), PageTablesVerb.Create(context), ShadowVerb.Create(context), ExitsVerb.Create(context), ConsoleVerb.Create(context),
            EmbedVerb.Create(context), TrimVerb.Create(context), PackVerb.Create(context), UnpackVerb.Create(context), SignVerb.Create(context),
            LockstepVerb.Create(context), BisectVerb.Create(context), GdbVerb.Create(context), DapVerb.Create(context), BenchVerb.Create(context),
        };
        foreach (Option option in shared) root.Add(option);
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
        catch (ReplayDivergenceException e)
        {
            return Fail(context, ExitCode.Failed, e.Message);
        }
        catch (OperationCanceledException) when (context.Cancellation.IsCancellationRequested)
        {
            return Fail(context, ExitCode.Failed, "stopped by Ctrl-C");
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
