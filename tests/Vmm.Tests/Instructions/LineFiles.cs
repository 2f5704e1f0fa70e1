using System;
using System.Collections.Generic;
using System.IO;
using System.Runtime.CompilerServices;

namespace Vmm.Tests.Instructions;

/// <summary>The committed instruction lines, <c>Instructions/Lines/*.txt</c>.</summary>
internal static class LineFiles
{
    /// <summary>Where the built tests find them.</summary>
    public static string Directory { get; } = Path.Combine(AppContext.BaseDirectory, "Instructions", "Lines");

    /// <summary>Where they are in the source tree, for capturing.</summary>
    public static string SourceDirectory([CallerFilePath] string thisFile = "") => Path.Combine(Path.GetDirectoryName(thisFile)!, "Lines");

    public static IEnumerable<string> Names()
    {
        foreach (string path in System.IO.Directory.EnumerateFiles(Directory, "*.txt")) yield return Path.GetFileNameWithoutExtension(path);
    }

    /// <summary>The cases of a file; blank lines and lines that start with ';' are comments.</summary>
    public static IEnumerable<(int LineNumber, string Text)> Read(string name)
    {
        int number = 0;
        foreach (string line in File.ReadLines(Path.Combine(Directory, name + ".txt")))
        {
            number++;
            if (line.Length > 0 && line[0] != ';') yield return (number, line);
        }
    }
}
