using System;
using System.CommandLine;
using Cli.Logging;
using Vmm.Platform;

namespace Cli.Parsing;

/// <summary>Options that several verbs have. Each call makes a new one: an option belongs to one command.</summary>
internal static class SharedOptions
{
    /// <summary>Names of engines.</summary>
    public const string Interpreter = "interp", Translator = "translate", Auto = "auto";

    /// <summary>Names of options for all verbs.</summary>
    public const string NoSandboxName = "--no-sandbox", PassphraseFileName = "--passphrase-file";

    public static Argument<string> File() => new("FILE") { Description = "The recording, by convention NAME.ttvm" };

    public static Option<string> At() => new("--at")
    {
        Description = "The position: 123456, 123456:2, 50%, start or end", HelpName = "POSITION", DefaultValueFactory = static _ => "end",
    };

    public static Option<int?> Cpu() => new("--cpu") { Description = "Which vCPU, from 0; by default the one whose turn it is", HelpName = "N" };

    public static Option<bool> Json() => new("--json") { Description = "Print JSON, for scripts" };

    public static Option<bool> Force() => new("--force") { Description = "Replace an existing file" };

    public static Option<string?> JUnit() => new("--junit") { Description = "Also write the results as JUnit XML, for CI systems", HelpName = "FILE" };

    public static Option<string[]> Symbols() => new("--symbols") { Description = "ELF file with symbols of the guest's code (several times)", HelpName = "FILE" };

    public static Option<string[]> Layout() => new("--layout") { Description = "A layout file (several times); by default those beside the recording", HelpName = "FILE" };

    public static Option<string[]> SourceMap() => new("--source-map")
    {
        Description = "What paths of sources begin with, and what that is here (several times)", HelpName = "FROM=TO",
    };

    public static Option<bool> NoSandbox() => new(NoSandboxName) { Description = "Do not lock the process in before it reads a recording (Linux)", Recursive = true };

    public static Option<string?> PassphraseFile() => new(PassphraseFileName)
    {
        Description = "The passphrase of an encrypted recording is the first line of this file; else it is $TTVM_PASSPHRASE, or asked for", HelpName = "FILE", Recursive = true,
    };

    /// <summary>What executes instructions, for all verbs.</summary>
    public static Option<string> Engine()
    {
        var option = new Option<string>("--engine")
        {
            Description = "What executes the instructions: interp, the interpreter; translate, the translator from the first time on; auto, the translator for what is warm",
            HelpName = "ENGINE", DefaultValueFactory = static _ => Auto, Recursive = true,
        };
        option.Validators.Add(static result =>
        {
            string? engine = result.GetValueOrDefault<string>();
            if (engine is not (Interpreter or Translator or Auto)) result.AddError($"there is no engine '{engine}': there are {Interpreter}, {Translator} and {Auto}");
        });
        return option;
    }

    /// <summary>Which messages are logged, for all verbs.</summary>
    public static Option<string> LogLevel()
    {
        var option = new Option<string>("--log-level")
        {
            Description = $"Tell what the program does, on standard error: {LogOutput.LevelNames}", HelpName = "LEVEL",
            DefaultValueFactory = static _ => LogOutput.DefaultLevel, Recursive = true,
        };
        option.Validators.Add(static result =>
        {
            string? level = result.GetValueOrDefault<string>();
            if (!LogOutput.IsLevel(level)) result.AddError($"there is no log level '{level}': there are {LogOutput.LevelNames}");
        });
        return option;
    }

    /// <summary>Where they go, for all verbs.</summary>
    public static Option<string?> LogFile() => new("--log-file") { Description = "Tell it in this file instead, behind what it has already", HelpName = "FILE", Recursive = true };

    /// <summary>The engine of a name that has been checked.</summary>
    public static EngineKind EngineOf(string? name) => name switch { Interpreter => EngineKind.Interpreter, Translator => EngineKind.Translator, _ => EngineKind.Auto };
}
