using Introspection.State;

namespace Introspection.Locks.Tasks;

/// <summary>A guest of whose tasks nothing is known: its vCPUs are who holds and waits.</summary>
public sealed class NoTasks : ICurrentTask
{
    public ulong Of(in GuestView view) => 0;

    public string? NameOf(in GuestView view, ulong task) => null;
}
