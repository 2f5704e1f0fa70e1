using System;
using Microsoft.Extensions.Logging;

namespace Cli.Logging;

/// <summary>What the program logs about itself.</summary>
internal static partial class CliMessages
{
    [LoggerMessage(Level = LogLevel.Debug, Message = "Process {ProcessId}: ttvm {Arguments}")]
    public static partial void Begins(this ILogger log, int processId, string arguments);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Exit code {ExitCode} after {Milliseconds:F1} ms")]
    public static partial void Ends(this ILogger log, int exitCode, double milliseconds);

    // The user is told in a sentence, and by --debug where: this is for logs that have everything.
    [LoggerMessage(Level = LogLevel.Debug, Message = "A bug in ttvm")]
    public static partial void Bug(this ILogger log, Exception exception);

    [LoggerMessage(Level = LogLevel.Information, Message = "Running {Path} again as {Destination}, {InputCount} inputs to give, at most {MaximumInstructions} instructions")]
    public static partial void RerunBegins(this ILogger log, string path, string destination, long inputCount, ulong maximumInstructions);

    [LoggerMessage(Level = LogLevel.Debug, Message = "'{Expectation}' is met: {IsMet} {Detail}")]
    public static partial void Expected(this ILogger log, string expectation, bool isMet, string detail);

    [LoggerMessage(Level = LogLevel.Information, Message = "Verified {Path}: good {IsGood}, {InstructionCount} instructions, {DigestCount} digests, {InputCount} inputs")]
    public static partial void Verified(this ILogger log, string path, bool isGood, ulong instructionCount, int digestCount, long inputCount);
}
