using Replay.Packages;
using Symbols.Dwarf.Lines;

namespace Introspection.Programs;

/// <summary>Where the text of source files is: on this machine, else in the recording.</summary>
public sealed class SourceLibrary(SourceFinder finder, EmbeddedFiles? embedded = null)
{
    /// <summary>Absolute path of a compiler's file on this machine; null: it is not here.</summary>
    public string? Find(string compilerPath) => finder.Find(compilerPath);

    /// <summary>The recording carries that file.</summary>
    public bool IsEmbedded(string compilerPath) => KeyOf(compilerPath) is not null;

    /// <summary>The text of a compiler's file that the recording carries; null: it does not, or it is damaged.</summary>
    public string? EmbeddedText(string compilerPath)
    {
        try
        {
            return KeyOf(compilerPath) is { } key ? embedded!.ReadSource(key) : null;
        }
        catch (RecordingFormatException)
        {
            return null;
        }
    }

    // What a list of sources names "src/a.c" may be "./src/a.c" in a line table.
    private string? KeyOf(string compilerPath)
    {
        if (embedded?.HasSource(compilerPath) == true) return compilerPath;
        string plain = SourcePath.Normalize(compilerPath);
        return embedded?.HasSource(plain) == true ? plain : null;
    }
}
