using System;
using System.Collections.Generic;

namespace Introspection.Layouts;

/// <summary>Whether a declaration makes sense.</summary>
internal static class LockLayoutCheck
{
    private const int MaximumNodes = 4096;

    /// <summary>A field without which locks of the type cannot be read; null: all are there.</summary>
    public static string? MissingIn(LockType type) => type.Kind switch
    {
        "mcs" => type.Tail is null ? "tail" : type.Node is null ? "node" : type.Node.Waiting is null && type.Node.Granted is null ? "node.waiting or node.granted" : null,
        "spin" => type.Locked is null ? "locked" : null,
        "ticket" => type.Serving is null ? "serving" : type.Next is null ? "next" : null,
        "rw" => type.Word is null ? "word" : type.WriterMask is null ? "writerMask" : type.ReaderShift is not (>= 0 and < 64) ? "readerShift (0 to 63)" : null,
        _ => null,
    };

    /// <exception cref="LayoutException">It does not.</exception>
    public static void Check(LockType type, string typeName, string name)
    {
        if (type.Kind is not ("mcs" or "spin" or "ticket" or "rw" or "qspinlock" or "qrwlock" or "mutex" or "rw_semaphore"))
            throw new LayoutException($"{name}: type '{typeName}' is of kind '{type.Kind}': mcs, spin, ticket, rw, or of Linux qspinlock, qrwlock, mutex, rw_semaphore");
        if (MissingIn(type) is { } missing) throw new LayoutException($"{name}: type '{typeName}' lacks '{missing}'");
        if (type.HeldBy is not (null or "cpu" or "task")) throw new LayoutException($"{name}: type '{typeName}' is heldBy '{type.HeldBy}': cpu or task");
        CheckFunctions(type.Acquire, typeName, name);
        CheckFunctions(type.Release, typeName, name);
        QueueNode? node = type.Node;
        MemoryField?[] fields = [type.Tail, type.Locked, type.Owner, type.Serving, type.Next, type.Word, node?.Next, node?.Waiting, node?.Granted, node?.WaitsFor, node?.Id];
        foreach (MemoryField? field in fields)
            if (field is not null && field.SizeBytes is not (1 or 2 or 4 or 8))
                throw new LayoutException($"{name}: type '{typeName}' has a field of {field.SizeBytes} bytes: 1, 2, 4 or 8");
        int nodes = 0;
        foreach (NodeArray array in type.Node?.Arrays ?? [])
        {
            if (array.Stride <= 0 || array.Count <= 0 || (nodes += Math.Min(array.Count, MaximumNodes)) > MaximumNodes)
                throw new LayoutException($"{name}: the nodes of type '{typeName}' need a stride and a count of at least 1, and are at most {MaximumNodes}");
        }
    }

    private static void CheckFunctions(IReadOnlyList<LockFunctions>? all, string typeName, string name)
    {
        foreach (LockFunctions functions in all ?? [])
        {
            string of = string.Join(", ", functions.Functions);
            if (functions.Functions.Count == 0) throw new LayoutException($"{name}: type '{typeName}' has an entry without functions");
            if (functions.Taken is not (null or "always" or "zero" or "nonzero" or "true"))
                throw new LayoutException($"{name}: {of} of type '{typeName}': taken is '{functions.Taken}': always, zero, nonzero or true");
            if (!LockArgument.IsPlace(functions.Lock))
                throw new LayoutException($"{name}: {of} of type '{typeName}': the lock is said to be in '{functions.Lock}': arg0 to arg5, or a general register");
        }
    }
}
