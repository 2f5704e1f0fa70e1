using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;

namespace TestKit;

/// <summary>Where things are in the repository that the tests were built from.</summary>
public static class Repository
{
    // What is built; `dist` and `server` are the packaged parts of vscode-extension.
    private static readonly string[] s_generatedFolders = ["artifacts", "bin", "obj", "node_modules", "dist", "server", ".git"];

    /// <summary>The folder that holds Debugger.sln, absolute.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>Build results and everything that is fetched or made: never committed.</summary>
    public static string Artifacts => Path.Combine(Root, "artifacts");

    /// <summary>An absolute path from one relative to the repository, written with forward slashes.</summary>
    public static string PathOf(string relativePath) => Path.GetFullPath(Path.Combine(Root, relativePath));

    /// <summary>A path as people write it: relative to the repository, with forward slashes.</summary>
    public static string RelativePath(string path) => Path.GetRelativePath(Root, path).Replace('\\', '/');

    /// <summary>
    /// A folder for what a failing test leaves behind: recordings, logs. It is empty when this returns.
    /// </summary>
    public static string FailureFolder(string testName)
    {
        string folder = Path.Combine(Artifacts, "failures", testName);
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        Directory.CreateDirectory(folder);
        return folder;
    }

    /// <summary>Files below a folder of the repository, in ordinal order, generated and fetched ones left out.</summary>
    /// <param name="relativeFolder">"src", "tests" or "." for everything.</param>
    /// <param name="pattern">"*.cs"</param>
    public static IReadOnlyList<string> SourceFiles(string relativeFolder, string pattern)
    {
        string folder = PathOf(relativeFolder);
        if (!Directory.Exists(folder)) return [];
        return [.. Directory.EnumerateFiles(folder, pattern, SearchOption.AllDirectories)
            .Where(path => !RelativePath(path).Split('/').Any(part => s_generatedFolders.Contains(part)))
            .Order(StringComparer.Ordinal)];
    }

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "Debugger.sln"))) return folder.FullName;
        throw new DirectoryNotFoundException($"No Debugger.sln in or above {AppContext.BaseDirectory}: tests run inside the repository.");
    }
}
