using System;
using System.Globalization;
using Introspection.Layouts;
using Introspection.State;

namespace Introspection.Locks.Tasks;

/// <summary>Tasks of a guest whose layout declares where each vCPU keeps a pointer to what it runs.</summary>
/// <param name="cpus">That declaration.</param>
/// <param name="first">Linear address of the first vCPU's data.</param>
/// <param name="id">A number in a task's control block that tells it apart; null: the layout has none.</param>
/// <param name="called">What tasks are called.</param>
public sealed class DeclaredTasks(CpuArray cpus, ulong first, MemoryField? id, string? called) : ICurrentTask
{
    public ulong Of(in GuestView view)
    {
        ulong at = first + (ulong)((long)view.Vcpu.Index * (cpus.Stride ?? 0)) + (ulong)cpus.Current.OffsetBytes;
        return view.ReadNumber(at, cpus.Current.SizeBytes) ?? 0;
    }

    public string? NameOf(in GuestView view, ulong task)
    {
        string word = called ?? "task";
        if (id is { } field && view.ReadNumber(task + (ulong)field.OffsetBytes, field.SizeBytes) is { } number) return string.Create(CultureInfo.InvariantCulture, $"{word} {number}");
        return $"{word} at 0x{task:x}";
    }
}
