using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using System.Threading;
using Cli.Parsing;
using Microsoft.Win32.SafeHandles;
using Replay.Packages;
using Vmm.Host;

namespace Cli.Hosting;

/// <summary>
/// The passphrase of encrypted recordings: from a file, else from the environment, else asked for at the terminal, at most once. It is never part of a command line, which other
/// users can see.
/// </summary>
internal sealed class Passphrases(TextWriter error, CancellationToken cancellation) : IDisposable
{
    private const string Variable = "TTVM_PASSPHRASE";
    private const int MaximumFileSizeBytes = 1 << 16;

    private readonly Lock _gate = new();
    private RecordingPassphrase? _known;

    /// <summary>Its first line is the passphrase; null: no file.</summary>
    public string? FileName { get; set; }

    /// <exception cref="CommandException">There is none.</exception>
    /// <param name="path">What it is for.</param>
    /// <param name="isNew">It is chosen now: who types it, types it twice.</param>
    public RecordingPassphrase For(string path, bool isNew = false)
    {
        lock (_gate) return _known ??= new RecordingPassphrase(Encoding.UTF8.GetBytes(Given ?? Ask(path, isNew)));
    }

    /// <summary>What a file or the environment has; null: nothing. Nobody is asked.</summary>
    /// <exception cref="CommandException">The file cannot be used.</exception>
    public RecordingPassphrase? WithoutAsking()
    {
        lock (_gate) return _known ??= Given is { } text ? new RecordingPassphrase(Encoding.UTF8.GetBytes(text)) : null;
    }

    public void Dispose() => _known?.Dispose();

    private string? Given
    {
        get
        {
            if (FileName is null) return Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } text ? text : null;
            if (!File.Exists(FileName)) throw CommandException.BadFile($"{FileName} does not exist: there is no such passphrase file");
            if (new FileInfo(FileName).Length > MaximumFileSizeBytes) throw CommandException.BadFile($"{FileName} is too long for a passphrase file");
            string[] lines = File.ReadAllLines(FileName);
            return lines is [{ Length: > 0 } first, ..] ? first : throw CommandException.BadFile($"{FileName} is empty: its first line should be the passphrase");
        }
    }

    private string Ask(string path, bool isNew)
    {
        if (Console.IsInputRedirected)
        {
            throw CommandException.Usage(isNew ? $"there is no passphrase to encrypt with: give one by {SharedOptions.PassphraseFileName} FILE or {Variable}, or type it at a terminal"
                : $"{path} is encrypted: give its passphrase by {SharedOptions.PassphraseFileName} FILE or {Variable}, or type it at a terminal");
        }
        string text = Type(isNew ? $"new passphrase for {path}: " : $"passphrase of {path}: ");
        if (text.Length == 0) throw CommandException.Usage("an empty passphrase protects nothing");
        if (isNew && Type("the same again: ") != text) throw CommandException.Usage("these were two different passphrases: nothing was encrypted");
        return text;
    }

    private string Type(string prompt)
    {
        // Before the question: whoever is quick has typed when it is read.
        using HiddenInput? hidden = HiddenInput.TryBegin();
        error.Write(prompt);
        string text = hidden is null ? ReadKeys() : ReadLine(hidden);
        error.WriteLine();
        return text;
    }

    // Who ends the program meanwhile does not lose the terminal's echo.
    private string ReadLine(HiddenInput hidden)
    {
        using CancellationTokenRegistration registration = cancellation.Register(hidden.Dispose);
        // Not the console's stream, which shows at a terminal what it reads.
        using var input = new FileStream(new SafeFileHandle(0, ownsHandle: false), FileAccess.Read, bufferSize: 0);
        var line = new List<byte>();
        while (input.ReadByte() is >= 0 and not '\n' and int next) line.Add((byte)next);
        cancellation.ThrowIfCancellationRequested();
        return Encoding.UTF8.GetString([.. line]);
    }

    private static string ReadKeys()
    {
        var text = new StringBuilder();
        while (Console.ReadKey(intercept: true) is { Key: not ConsoleKey.Enter } key)
        {
            if (key.Key != ConsoleKey.Backspace) text.Append(key.KeyChar == '\0' ? "" : key.KeyChar);
            else if (text.Length > 0) text.Length--;
        }
        return text.ToString();
    }
}
