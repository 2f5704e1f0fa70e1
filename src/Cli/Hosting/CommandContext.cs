using System.IO;
using System.Threading;
using Cli.Logging;
using Vmm.Platform;

namespace Cli.Hosting;

/// <summary>What a verb has of the world: where to print, and the user's wish to stop.</summary>
/// <param name="Out">Results.</param>
/// <param name="Error">Errors, notes and progress.</param>
/// <param name="Passphrases">What opens encrypted recordings.</param>
/// <param name="Loggers">Messages about what the program does, for those who want to know.</param>
/// <param name="Cancellation">Ctrl-C or SIGTERM.</param>
internal sealed record CommandContext(TextWriter Out, TextWriter Error, Passphrases Passphrases, LogOutput Loggers, CancellationToken Cancellation)
{
    /// <summary>What machines execute with; set from the command line before the verb begins.</summary>
    public EngineKind Engine { get; set; }
}
