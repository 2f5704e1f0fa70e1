using Introspection.State;

namespace Introspection.Locks.Tasks;

/// <summary>What a vCPU runs: a number that stays the task's, as the address of its control block. Used by several threads at a time, each with a machine of its own.</summary>
public interface ICurrentTask
{
    /// <summary>0: unknown.</summary>
    ulong Of(in GuestView view);

    /// <summary>The task in words, at the view's moment; null: nothing is known of it.</summary>
    string? NameOf(in GuestView view, ulong task);
}
