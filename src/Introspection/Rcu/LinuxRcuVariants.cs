using System;
using System.Collections.Generic;
using System.Numerics;
using Introspection.Linux;
using Symbols.Kallsyms;

namespace Introspection.Rcu;

/// <summary>
/// What Linux has beside the ordinary grace periods of tree RCU, in words: expedited ones (kernel/rcu/tree_exp.h), memory that kvfree_rcu has collected to be freed (kernel/rcu/tree.c), and
/// sleepable RCU (kernel/rcu/srcutree.c) of those srcu_structs that have a name of their own.
/// </summary>
internal sealed class LinuxRcuVariants(LinuxKernel kernel)
{
    private const string SleepableSuffix = "_srcu";
    private const int StateBits = 2, MaximumNodes = 1024;

    private readonly KernelLayout _layout = kernel.Layout!;
    private readonly AddressSpaceReader _memory = kernel.Memory;

    /// <summary>The named srcu_structs, which are data; those inside other structures have no names. Looks at all of a kernel's symbols.</summary>
    public static IReadOnlyList<(string Name, ulong Address)> Sleepable(KallsymsTable symbols)
    {
        var found = new List<(string, ulong)>();
        for (int i = 0; i < symbols.Count; i++)
        {
            KernelSymbol symbol = symbols[i];
            if (symbol.Type is 'd' or 'D' or 'b' or 'B' && symbol.Name.EndsWith(SleepableSuffix, StringComparison.Ordinal)) found.Add((symbol.Name, symbol.Address));
        }
        return found;
    }

    /// <summary>A sentence each.</summary>
    /// <param name="state">Address of rcu_state.</param>
    /// <param name="sleepable">What <see cref="Sleepable(KallsymsTable)"/> found.</param>
    public IReadOnlyList<string> Read(ulong state, IReadOnlyList<(string Name, ulong Address)> sleepable)
    {
        var lines = new List<string>();
        if (Expedited(state) is { } expedited) lines.Add(expedited);
        for (int cpu = 0; cpu < kernel.Tasks.CpuCount; cpu++)
        {
            if (kernel.Tasks.PerCpuAddress("krc", cpu) is { } batch && Number(batch, "kfree_rcu_cpu", "count") is > 0 and { } count)
                lines.Add($"CPU {cpu} has collected {count} pointer{(count == 1 ? "" : "s")} by kvfree_rcu, for the next grace period");
        }
        foreach ((string name, ulong address) in sleepable)
            if (Sleepable(name, address) is { } line) lines.Add(line);
        // Only a debug file would tell where they are.
        if (_layout.SizeOf("srcu_struct") is not null)
            lines.Add($"sleepable RCU: {sleepable.Count} srcu_struct{(sleepable.Count == 1 ? " has a symbol" : "s have symbols")}; "
                + "those inside other structures have none, and are not looked at");
        return lines;
    }

    private string? Expedited(ulong state)
    {
        if (Number(state, "rcu_state", "expedited_sequence") is not { } sequence) return null;
        long completed = (long)(sequence >> StateBits);
        if ((sequence & ((1UL << StateBits) - 1)) == 0) return $"no expedited grace period is in progress, {completed} have been";
        return $"expedited grace period {completed + 1} is in progress{(Awaited(state) is { } count ? $", and waits for {count} CPU{(count == 1 ? "" : "s")}" : "")}";
    }

    // expmask of the leaves, whose level is the last.
    private int? Awaited(ulong state)
    {
        if (_layout.Field("rcu_state", "node") is not { } nodes || _layout.SizeOf("rcu_node") is not { } size) return null;
        int count = 0;
        for (int i = 0; i < Math.Min(nodes.Count, MaximumNodes); i++)
        {
            ulong node = state + nodes.Offset + (ulong)i * size;
            // Only leaves have CPUs below them, and one node may be all there is.
            bool isLeaf = nodes.Count == 1 || Number(node, "rcu_node", "level") is > 0;
            if (isLeaf && Number(node, "rcu_node", "expmask") is { } mask) count += BitOperations.PopCount(mask);
        }
        return count;
    }

    // Readers are counted where they enter and, wherever they are by then, where they leave. Null: it is idle, or no srcu_struct.
    private string? Sleepable(string name, ulong address)
    {
        if (Number(address, "srcu_struct", "srcu_gp_seq") is not { } sequence || Number(address, "srcu_struct", "srcu_gp_seq_needed") is not { } needed) return null;
        if (Number(address, "srcu_struct", "sda") is not { } data || _layout.Offset("srcu_data", "srcu_lock_count") is not { } locks
            || _layout.Offset("srcu_data", "srcu_unlock_count") is not { } unlocks) return null;
        long readers = 0;
        ulong callbacks = 0;
        for (int cpu = 0; cpu < kernel.Tasks.CpuCount && data != 0; cpu++)
        {
            if (kernel.Tasks.PerCpuOffset(cpu) is not { } offset) return null;
            ulong own = data + offset;
            for (ulong i = 0; i < 2; i++)
            {
                if (_memory.ReadNumber(own + locks + i * 8, 8) is not { } entered || _memory.ReadNumber(own + unlocks + i * 8, 8) is not { } left) return null;
                readers += (long)(entered - left);
            }
            callbacks += Number(own, "srcu_data", "srcu_cblist.len") ?? 0;
        }
        bool isInProgress = (sequence & ((1UL << StateBits) - 1)) != 0;
        if (readers == 0 && callbacks == 0 && !isInProgress) return null;
        string period = isInProgress ? $"grace period {(sequence >> StateBits) + 1} is in progress" : needed > sequence ? "a grace period is wanted" : "no grace period is in progress";
        return $"{name}: {readers} reader{(readers == 1 ? "" : "s")}, {callbacks} callback{(callbacks == 1 ? "" : "s")}, {period}";
    }

    private ulong? Number(ulong address, string structure, string path) => _layout.Number(_memory, address, structure, path);
}
