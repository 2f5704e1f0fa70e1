using Introspection.Locks.Tasks;
using Introspection.State;

namespace Cli.Presentation;

/// <summary>Tasks, for people.</summary>
internal static class TaskText
{
    /// <summary>Its name at the view's moment, or its address; of 0 nothing.</summary>
    public static string Of(ICurrentTask tasks, in GuestView view, ulong task) => task == 0 ? "" : tasks.NameOf(view, task) ?? $"0x{task:x}";
}
