using System.IO;
using Replay.Packages;

namespace Cli.Hosting;

/// <summary>A key for signatures, in a file that the user names.</summary>
internal sealed class SignatureKey
{
    private readonly string _path;

    /// <exception cref="CommandException">There is no such file.</exception>
    public SignatureKey(string path)
    {
        if (!File.Exists(path)) throw CommandException.BadFile($"{path} does not exist: there is no such key");
        _path = path;
        Pem = File.ReadAllText(path);
    }

    public string Pem { get; }

    /// <summary>What is wrong with a recording's signature, in one sentence; null: nothing.</summary>
    /// <exception cref="CommandException">It is no key that can be used.</exception>
    public string? Check(RecordingFile recording)
    {
        try
        {
            return RecordingSigner.Check(recording, Pem) is { } problem ? $"{recording.Path} does not pass: {problem}" : null;
        }
        catch (SigningKeyException e)
        {
            throw Refused(e);
        }
    }

    public CommandException Refused(SigningKeyException e) => CommandException.BadFile($"{_path}: {e.Message}");
}
