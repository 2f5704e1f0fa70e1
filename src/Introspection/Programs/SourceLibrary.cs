using Replay.Packages;

namespace Introspection.Programs;

/// <summary>Where the text of source files is: on this machine, else in the recording.</summary>
public sealed class SourceLibrary(SourceFinder finder, EmbeddedFiles? embedded = null)
{
    /// <summary>Absolute path of a compiler's file on this machine; null: it is not here.</summary>
    public string? Find(string compilerPath) => finder.Find(compilerPath);

    /// <summary>The recording carries that file.</summary>
    public bool IsEmbedded(string compilerPath) => embedded?.HasSource(compilerPath) == true;

    /// <summary>The text of a compiler's file that the recording carries; null: it does not, or it is damaged.</summary>
    public string? EmbeddedText(string compilerPath)
    {
        try
        {
            return embedded?.ReadSource(compilerPath);
        }
        catch (RecordingFormatException)
        {
            return null;
        }
    }
}
