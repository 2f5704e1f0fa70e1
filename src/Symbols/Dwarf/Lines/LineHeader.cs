using System.Collections.Generic;

namespace Symbols.Dwarf.Lines;

/// <summary>The header of a line program (DWARF 5, 6.2.4).</summary>
internal sealed class LineHeader
{
    internal required ulong Offset { get; init; }

    /// <summary>From <see cref="Offset"/> to the next program, bounded by the section.</summary>
    internal required ulong SizeBytes { get; init; }

    internal required ushort Version { get; init; }

    internal required bool Is64 { get; init; }

    /// <summary>Of version 5's header; before that the unit knows.</summary>
    internal int AddressSizeBytes { get; set; } = 8;

    internal byte MinimumInstructionLength { get; set; } = 1;

    internal byte MaximumOperationsPerInstruction { get; set; } = 1;

    internal bool DefaultIsStatement { get; set; } = true;

    internal sbyte LineBase { get; set; }

    internal byte LineRange { get; set; } = 1;

    internal byte OpcodeBase { get; set; } = 13;

    /// <summary>How many arguments a standard opcode takes, by its number; [0] is unused.</summary>
    internal byte[] StandardOpcodeLengths { get; set; } = [];

    internal List<string> Directories { get; } = [];

    internal List<LineFile> Files { get; } = [];

    /// <summary>Distance from <see cref="Offset"/> to the first opcode.</summary>
    internal int ProgramStart { get; set; }

    /// <summary>Distance from <see cref="Offset"/> to the tables of directories and files.</summary>
    internal int EntriesStart { get; set; }

    /// <summary>Everything up to the program could be read.</summary>
    internal bool IsComplete { get; set; }

    /// <summary>The program has defined files of its own, which are behind those of the header.</summary>
    internal bool IsExtended { get; private set; }

    internal void Define(LineFile file)
    {
        Files.Add(file);
        IsExtended = true;
    }

    internal string Path(uint file, string compileDirectory)
    {
        (string root, string directory, string name) = Parts(file, compileDirectory);
        return SourcePath.Join(SourcePath.Join(root, directory), name);
    }

    /// <summary>What the path is made of: the compilation directory, the directory below it, the name.</summary>
    internal (string Root, string Directory, string Name) Parts(uint file, string compileDirectory)
    {
        LineFile entry = Files[(int)file];
        bool isInRoot = entry.DirectoryIndex == 0 || entry.DirectoryIndex >= (ulong)Directories.Count;
        return (Root(Version, Directories.Count > 0 ? Directories[0] : "", compileDirectory), isInRoot ? "" : Directories[(int)entry.DirectoryIndex], entry.Name);
    }

    /// <summary>What relative paths are below: version 5 repeats the compilation directory as entry 0 of the directories.</summary>
    internal static string Root(ushort version, string firstDirectory, string compileDirectory) => version >= 5 && firstDirectory.Length > 0 ? firstDirectory : compileDirectory;
}
