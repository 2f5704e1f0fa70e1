using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Threading;
using Microsoft.Extensions.Logging;

namespace Cli.Logging;

/// <summary>
/// Log messages as lines of text: "2026-01-31T12:00:00.000Z debug Replay.Timelines.Timeline: message", in UTC. They go to standard error or to a file, never to standard output, which
/// is for results and, of `ttvm dap`, for the protocol. Thread-safe.
/// </summary>
/// <param name="error">Standard error.</param>
internal sealed class LogOutput(TextWriter error) : ILoggerFactory
{
    /// <summary>Only what the user should know without having asked.</summary>
    public const string DefaultLevel = "warning";

    /// <summary>All of them, for people.</summary>
    public const string LevelNames = "trace, debug, information, warning, error, critical or none";

    private static readonly Dictionary<string, LogLevel> s_levels = new(StringComparer.Ordinal)
    {
        ["trace"] = LogLevel.Trace, ["debug"] = LogLevel.Debug, ["information"] = LogLevel.Information, ["warning"] = LogLevel.Warning, ["error"] = LogLevel.Error,
        ["critical"] = LogLevel.Critical, ["none"] = LogLevel.None,
    };

    private readonly Lock _gate = new();
    private LogLevel _level = LogLevel.Warning;
    private FileStream? _file;

    public static bool IsLevel(string? name) => name is not null && s_levels.ContainsKey(name);

    /// <summary>The level of a name that has been checked.</summary>
    public static LogLevel LevelOf(string? name) => s_levels[name!];

    /// <summary>Says what is wanted, before anything is logged.</summary>
    /// <param name="level">This and what is graver.</param>
    /// <param name="path">The file; null: standard error.</param>
    /// <exception cref="CommandException">The file cannot be written.</exception>
    public void Open(LogLevel level, string? path)
    {
        _level = level;
        if (path is null) return;
        try
        {
            _file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw CommandException.BadFile($"--log-file: {path} cannot be written: {e.Message}");
        }
    }

    public ILogger CreateLogger(string categoryName) => new TextLogger(this, categoryName);

    /// <summary>There is only this one.</summary>
    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public void Dispose() => _file?.Dispose();

    private bool IsEnabled(LogLevel level) => level >= _level && level != LogLevel.None;

    private void Write(LogLevel level, string category, string message, Exception? exception)
    {
        string time = DateTime.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
        string line = $"{time} {NameOf(level)} {category}: {message.ReplaceLineEndings(" ")}\n{(exception is null ? "" : $"{exception}\n")}";
        lock (_gate)
        {
            if (_file is null)
            {
                error.Write(line);
                return;
            }
            try
            {
                // Another ttvm may write to it as well.
                if (_file.CanSeek) _file.Seek(0, SeekOrigin.End);
                _file.Write(System.Text.Encoding.UTF8.GetBytes(line));
            }
            catch (IOException e)
            {
                // What the program is there for goes on without a log.
                error.WriteLine($"ttvm: the log ends here, as its file cannot be written: {e.Message.TrimEnd('.')}");
                _level = LogLevel.None;
            }
        }
    }

    private static string NameOf(LogLevel level)
    {
        foreach ((string name, LogLevel known) in s_levels)
            if (known == level) return name;
        return "none";
    }

    private sealed class TextLogger(LogOutput output, string category) : ILogger
    {
        public bool IsEnabled(LogLevel logLevel) => output.IsEnabled(logLevel);

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel)) output.Write(logLevel, category, formatter(state, exception), exception);
        }

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;
    }
}
