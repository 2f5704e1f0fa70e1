using System;
using System.Collections.Generic;
using Dap.Protocol;
using Introspection.Programs;
using Symbols.Dwarf.Lines;

namespace Dap.Views;

/// <summary>Source files as the client is told of them.</summary>
internal sealed class SourceAnswers(SymbolSet symbols)
{
    private readonly Dictionary<string, Source> _sources = new(StringComparer.Ordinal);

    /// <summary>A compiler's path for the client: the file here, or, where that is not here, a name that opens nothing and says why.</summary>
    public Source Of(string compilerPath)
    {
        if (_sources.TryGetValue(compilerPath, out Source? known)) return known;
        string name = SourcePath.FileName(compilerPath);
        Source source = symbols.FindSource(compilerPath) is { } path ? new Source { Name = name, Path = path } : new Source
        {
            Name = name, PresentationHint = "deemphasize",
            Origin = $"{compilerPath} is not on this machine: say where its folder is with \"sourceMap\" in launch.json",
        };
        return _sources[compilerPath] = source;
    }
}
