using System;
using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.IO;

namespace Cli.Parsing;

/// <summary>The library's help, with examples behind it; for the program itself, its overview.</summary>
internal sealed class VerbHelp(HelpAction standard) : SynchronousCommandLineAction
{
    public override int Invoke(ParseResult parseResult)
    {
        TextWriter output = parseResult.InvocationConfiguration.Output;
        if (parseResult.CommandResult.Command is not VerbCommand verb)
        {
            output.Write(Overview.Text);
            return ExitCode.Good;
        }
        standard.Invoke(parseResult);
        output.WriteLine(verb.Examples.EndsWith('\n') ? verb.Examples[..^1] : verb.Examples);
        return ExitCode.Good;
    }
}
