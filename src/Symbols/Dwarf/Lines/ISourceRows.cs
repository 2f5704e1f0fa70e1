using System.Collections.Generic;

namespace Symbols.Dwarf.Lines;

/// <summary>From source files and lines to addresses: by an index, or by the line programs.</summary>
internal interface ISourceRows
{
    /// <summary>Normalized paths of all files that a line program names.</summary>
    IReadOnlyList<string> Paths { get; }

    /// <summary>All rows of a file, of one line or of every line (0), in mapped code, by address.</summary>
    List<LineAddress> Rows(string path, uint line);

    /// <summary>The first line of a file from the given one on that has a statement; 0: there is none.</summary>
    uint NextStatementLine(string path, uint line);
}
