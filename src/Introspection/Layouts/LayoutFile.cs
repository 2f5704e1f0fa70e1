using System;
using System.Collections.Generic;
using System.IO;
using System.Text.Json;

namespace Introspection.Layouts;

/// <summary>A layout file that says nothing sensible; the message is one sentence for people.</summary>
public sealed class LayoutException(string message) : Exception(message);

/// <summary>Reads layout files, and finds those that belong to a recording.</summary>
public static class LayoutFile
{
    /// <summary>How their names end.</summary>
    public const string Suffix = ".layout.json";

    /// <summary>Layouts that lie where they are expected: beside the recording and under its name or its kernel's, and in .vscode.</summary>
    /// <param name="recordingPath">NAME.ttvm.</param>
    /// <param name="kernelName">The kernel's file name; null: unknown.</param>
    /// <param name="folders">Where else to look for the kernel's.</param>
    public static List<string> Find(string recordingPath, string? kernelName, IReadOnlyList<string> folders)
    {
        var found = new List<string>();
        string folder = Path.GetDirectoryName(Path.GetFullPath(recordingPath)) ?? ".";
        Add(Path.Combine(folder, Path.GetFileNameWithoutExtension(recordingPath) + Suffix));
        if (kernelName is not null)
        {
            string name = Path.GetFileNameWithoutExtension(kernelName) + Suffix;
            Add(Path.Combine(folder, name));
            foreach (string other in folders) Add(Path.Combine(other, name));
        }
        foreach (string other in folders)
        {
            string settings = Path.Combine(other, ".vscode");
            if (!Directory.Exists(settings)) continue;
            foreach (string path in Directory.GetFiles(settings, "*" + Suffix)) Add(path);
        }
        return found;

        void Add(string path)
        {
            string full = Path.GetFullPath(path);
            if (File.Exists(full) && !found.Contains(full)) found.Add(full);
        }
    }

    /// <exception cref="LayoutException">The file cannot be read, or is no layout.</exception>
    public static GuestLayout Read(string path)
    {
        if (!File.Exists(path)) throw new LayoutException($"the layout file {path} does not exist");
        try
        {
            return Parse(File.ReadAllBytes(path), path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new LayoutException($"the layouts in {path} cannot be read: {e.Message}");
        }
    }

    /// <exception cref="LayoutException">It is no layout.</exception>
    public static GuestLayout Parse(ReadOnlySpan<byte> json, string name)
    {
        GuestLayout layout;
        try
        {
            layout = JsonSerializer.Deserialize(json, LayoutJson.Default.GuestLayout) ?? throw new LayoutException($"{name} declares nothing");
        }
        catch (JsonException e)
        {
            throw new LayoutException($"{name} is no layout file: {e.Message}");
        }
        foreach ((string typeName, LockType type) in layout.Types) LockLayoutCheck.Check(type, typeName, name);
        foreach (LockDeclaration one in layout.Locks)
            if (!layout.Types.ContainsKey(one.Type)) throw new LayoutException($"{name}: lock '{one.Name}' is of type '{one.Type}', which is not declared");
        if (layout.Rcu is { } rcu) RcuLayoutCheck.Check(rcu, name);
        foreach (ChannelLayout channel in layout.Channels ?? []) ChannelLayoutCheck.Check(channel, name);
        return layout;
    }
}
