using System;
using System.Collections.Generic;
using Dap.Protocol;
using Introspection.Programs;
using Symbols.Dwarf.Lines;

namespace Dap.Views;

/// <summary>Source files as the client is told of them.</summary>
internal sealed class SourceAnswers(SourceLibrary library)
{
    private readonly Dictionary<string, Source> _sources = new(StringComparer.Ordinal);
    // Those that the client has to ask for: its reference is the place in the list, from 1.
    private readonly List<string> _embedded = [];

    /// <summary>A compiler's path for the client: the file here; else the recording's; else a name that opens nothing and says why.</summary>
    public Source Of(string compilerPath)
    {
        if (_sources.TryGetValue(compilerPath, out Source? known)) return known;
        string name = SourcePath.FileName(compilerPath);
        Source source;
        if (library.Find(compilerPath) is { } path)
        {
            source = new Source { Name = name, Path = path };
        }
        else if (library.IsEmbedded(compilerPath))
        {
            _embedded.Add(compilerPath);
            source = new Source { Name = name, Path = compilerPath, SourceReference = _embedded.Count, Origin = "from the recording" };
        }
        else
        {
            source = new Source
            {
                Name = name, PresentationHint = "deemphasize",
                Origin = $"{compilerPath} is not on this machine: say where its folder is with \"sourceMap\" in launch.json",
            };
        }
        return _sources[compilerPath] = source;
    }

    /// <summary>The text of a source that has a reference, or that the client knows by the compiler's path; null: there is none.</summary>
    public string? TextOf(long reference, string? path)
    {
        string? compilerPath = reference >= 1 && reference <= _embedded.Count ? _embedded[(int)reference - 1] : path;
        return compilerPath is null ? null : library.EmbeddedText(compilerPath);
    }
}
