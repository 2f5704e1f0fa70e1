using Microsoft.Extensions.Logging;

namespace Introspection.Messages;

/// <summary>What whoever loads symbols logs about them, the command line and the debug adapter alike.</summary>
public static partial class SymbolMessages
{
    /// <param name="log">Whose message it is.</param>
    /// <param name="path">A file whose symbols are in use from now on.</param>
    [LoggerMessage(Level = LogLevel.Debug, Message = "Symbols of {Path}")]
    public static partial void HasSymbols(this ILogger log, string path);

    /// <param name="log">Whose message it is.</param>
    /// <param name="path">A file whose index is not there yet.</param>
    [LoggerMessage(Level = LogLevel.Debug, Message = "Waiting for the names in {Path}")]
    public static partial void WaitsForIndex(this ILogger log, string path);

    /// <param name="log">Whose message it is.</param>
    /// <param name="path">A file whose index is there now.</param>
    /// <param name="milliseconds">How long somebody has waited for it.</param>
    [LoggerMessage(Level = LogLevel.Information, Message = "Waited {Milliseconds:F1} ms for the names in {Path}")]
    public static partial void HasIndex(this ILogger log, string path, double milliseconds);
}
