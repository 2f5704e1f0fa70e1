using System;
using System.CommandLine;

namespace Cli.Parsing;

/// <summary>Options that several verbs have. Each call makes a new one: an option belongs to one command.</summary>
internal static class SharedOptions
{
    /// <summary>The one engine there is.</summary>
    public const string Interpreter = "interp";

    public static Argument<string> File() => new("FILE") { Description = "The recording, by convention NAME.ttvm" };

    public static Option<string> At() => new("--at")
    {
        Description = "The position: 123456, 123456:2, 50%, start or end", HelpName = "POSITION", DefaultValueFactory = static _ => "end",
    };

    public static Option<int?> Cpu() => new("--cpu") { Description = "Which vCPU, from 0; by default the one whose turn it is", HelpName = "N" };

    public static Option<bool> Json() => new("--json") { Description = "Print JSON, for scripts" };

    public static Option<string[]> Symbols() => new("--symbols") { Description = "ELF file with symbols of the guest's code (several times)", HelpName = "FILE" };

    public static Option<string[]> Layout() => new("--layout") { Description = "A layout file (several times); by default those beside the recording", HelpName = "FILE" };

    public static Option<string[]> SourceMap() => new("--source-map")
    {
        Description = "What paths of sources begin with, and what that is here (several times)", HelpName = "FROM=TO",
    };

    public static Option<string> Engine()
    {
        var option = new Option<string>("--engine")
        {
            Description = "What executes the instructions: interp, the interpreter", HelpName = "ENGINE", DefaultValueFactory = static _ => Interpreter,
        };
        option.Validators.Add(static result =>
        {
            string? engine = result.GetValueOrDefault<string>();
            if (!Interpreter.Equals(engine, StringComparison.Ordinal))
                result.AddError($"there is no engine '{engine}': the only one is {Interpreter}, the interpreter");
        });
        return option;
    }
}
