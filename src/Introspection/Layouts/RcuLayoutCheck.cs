using System.Collections.Generic;

namespace Introspection.Layouts;

/// <summary>Whether a declaration makes sense.</summary>
internal static class RcuLayoutCheck
{
    public const int MaximumPublished = 4096;

    /// <exception cref="LayoutException">It does not.</exception>
    public static void Check(RcuLayout rcu, string name)
    {
        if (rcu.HeldBy is not (null or "cpu" or "task")) throw new LayoutException($"{name}: rcu is heldBy '{rcu.HeldBy}': cpu or task");
        if (rcu.State is { } state)
        {
            if (state.Sequence is null != state.StateBits is null) throw new LayoutException($"{name}: the state of rcu has 'sequence' and 'stateBits' both or neither");
            if (state.StateBits is not (null or (>= 1 and <= 16))) throw new LayoutException($"{name}: the state of rcu has {state.StateBits} stateBits: 1 to 16");
            if (state.Current is null != state.Completed is null) throw new LayoutException($"{name}: the state of rcu has 'current' and 'completed' both or neither");
            if (state.Callbacks is not null && rcu.Callback is null) throw new LayoutException($"{name}: rcu has a list of callbacks, and 'callback' does not say what they are");
        }
        if (rcu.ReadLock is { Count: > 0 } != rcu.ReadUnlock is { Count: > 0 }) throw new LayoutException($"{name}: rcu has 'readLock' and 'readUnlock' both or neither");
        MemoryField?[] fields =
        [
            rcu.State?.Current, rcu.State?.Completed, rcu.State?.Sequence, rcu.State?.WaitingFor, rcu.State?.Callbacks, rcu.State?.CallbackCount, rcu.Readers?.Since, rcu.Readers?.Nesting,
            rcu.Callback?.Next, rcu.Callback?.Function,
        ];
        foreach (MemoryField? field in fields)
            if (field is not null && field.SizeBytes is not (1 or 2 or 4 or 8)) throw new LayoutException($"{name}: rcu has a field of {field.SizeBytes} bytes: 1, 2, 4 or 8");
        if (rcu.Readers is { Stride: <= 0 }) throw new LayoutException($"{name}: the readers of rcu need a stride of at least 1");
        CheckFunctions(rcu.Defer, name);
        CheckFunctions(rcu.Free, name);
        int count = 0;
        foreach (PublishedLayout one in rcu.Published ?? [])
        {
            if (one.Count is not null && one.Stride is not >= 8) throw new LayoutException($"{name}: the published pointers '{one.Called}' need a stride of at least 8");
            if (one.Count is <= 0 or > MaximumPublished || (count += one.Count ?? 1) > MaximumPublished)
                throw new LayoutException($"{name}: at most {MaximumPublished} pointers are published, and a count is at least 1");
        }
    }

    private static void CheckFunctions(IReadOnlyList<PointerFunctions>? all, string name)
    {
        foreach (PointerFunctions functions in all ?? [])
        {
            if (functions.Functions.Count == 0) throw new LayoutException($"{name}: rcu has an entry without functions");
            if (!LockArgument.IsPlace(functions.Pointer))
                throw new LayoutException($"{name}: {string.Join(", ", functions.Functions)}: the pointer is said to be in '{functions.Pointer}': arg0 to arg5, or a general register");
        }
    }
}
