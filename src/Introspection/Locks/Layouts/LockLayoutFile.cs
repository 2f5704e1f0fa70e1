using System;
using System.Collections.Generic;
using System.IO;
using System.Text.Json;
using Introspection.Channels;
using Introspection.Rcu;

namespace Introspection.Locks.Layouts;

/// <summary>A layout file that says nothing sensible; the message is one sentence for people.</summary>
public sealed class LockLayoutException(string message) : Exception(message);

/// <summary>Reads layout files, and finds those that belong to a recording.</summary>
public static class LockLayoutFile
{
    private const string Suffix = ".layout.json";
    private const int MaximumNodes = 4096;

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

    /// <exception cref="LockLayoutException">The file cannot be read, or is no layout.</exception>
    public static LockLayout Read(string path)
    {
        if (!File.Exists(path)) throw new LockLayoutException($"the layout file {path} does not exist");
        try
        {
            return Parse(File.ReadAllBytes(path), path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new LockLayoutException($"the layouts in {path} cannot be read: {e.Message}");
        }
    }

    /// <exception cref="LockLayoutException">It is no layout.</exception>
    public static LockLayout Parse(ReadOnlySpan<byte> json, string name)
    {
        LockLayout layout;
        try
        {
            layout = JsonSerializer.Deserialize(json, LockLayoutJson.Default.LockLayout) ?? throw new LockLayoutException($"{name} declares nothing");
        }
        catch (JsonException e)
        {
            throw new LockLayoutException($"{name} is no layout file: {e.Message}");
        }
        foreach ((string typeName, LockType type) in layout.Types) Check(type, typeName, name);
        foreach (LockDeclaration one in layout.Locks)
            if (!layout.Types.ContainsKey(one.Type)) throw new LockLayoutException($"{name}: lock '{one.Name}' is of type '{one.Type}', which is not declared");
        if (layout.Rcu is { } rcu) RcuLayoutCheck.Check(rcu, name);
        foreach (ChannelLayout channel in layout.Channels ?? []) ChannelLayoutCheck.Check(channel, name);
        return layout;
    }

    private static void Check(LockType type, string typeName, string name)
    {
        string? missing = type.Kind switch
        {
            "mcs" => type.Tail is null ? "tail" : type.Node is null ? "node" : type.Node.Waiting is null && type.Node.Granted is null ? "node.waiting or node.granted" : null,
            "spin" => type.Locked is null ? "locked" : null,
            "ticket" => type.Serving is null ? "serving" : type.Next is null ? "next" : null,
            "rw" => type.Word is null ? "word" : type.WriterMask is null ? "writerMask" : type.ReaderShift is not (>= 0 and < 64) ? "readerShift (0 to 63)" : null,
            "qspinlock" or "qrwlock" or "mutex" or "rw_semaphore" => null,
            _ => throw new LockLayoutException($"{name}: type '{typeName}' is of kind '{type.Kind}': mcs, spin, ticket, rw, or of Linux qspinlock, qrwlock, mutex, rw_semaphore"),
        };
        if (missing is not null) throw new LockLayoutException($"{name}: type '{typeName}' lacks '{missing}'");
        if (type.HeldBy is not (null or "cpu" or "task")) throw new LockLayoutException($"{name}: type '{typeName}' is heldBy '{type.HeldBy}': cpu or task");
        CheckFunctions(type.Acquire, typeName, name);
        CheckFunctions(type.Release, typeName, name);
        QueueNode? node = type.Node;
        MemoryField?[] fields = [type.Tail, type.Locked, type.Owner, type.Serving, type.Next, type.Word, node?.Next, node?.Waiting, node?.Granted, node?.WaitsFor, node?.Id];
        foreach (MemoryField? field in fields)
            if (field is not null && field.SizeBytes is not (1 or 2 or 4 or 8))
                throw new LockLayoutException($"{name}: type '{typeName}' has a field of {field.SizeBytes} bytes: 1, 2, 4 or 8");
        int nodes = 0;
        foreach (NodeArray array in type.Node?.Arrays ?? [])
        {
            if (array.Stride <= 0 || array.Count <= 0 || (nodes += Math.Min(array.Count, MaximumNodes)) > MaximumNodes)
                throw new LockLayoutException($"{name}: the nodes of type '{typeName}' need a stride and a count of at least 1, and are at most {MaximumNodes}");
        }
    }

    private static void CheckFunctions(IReadOnlyList<LockFunctions>? all, string typeName, string name)
    {
        foreach (LockFunctions functions in all ?? [])
        {
            string of = string.Join(", ", functions.Functions);
            if (functions.Functions.Count == 0) throw new LockLayoutException($"{name}: type '{typeName}' has an entry without functions");
            if (functions.Taken is not (null or "always" or "zero" or "nonzero" or "true"))
                throw new LockLayoutException($"{name}: {of} of type '{typeName}': taken is '{functions.Taken}': always, zero, nonzero or true");
            if (!LockArgument.IsPlace(functions.Lock))
                throw new LockLayoutException($"{name}: {of} of type '{typeName}': the lock is said to be in '{functions.Lock}': arg0 to arg5, or a general register");
        }
    }
}
