using Introspection.Locks;
using Introspection.Locks.Layouts;
using Introspection.Programs;
using Introspection.State;

namespace Cli.Hosting;

/// <summary>What layout files say of the guest of a recording.</summary>
internal static class GuestTasks
{
    /// <summary>Its locks and tasks; what cannot be used of the files is told on standard error.</summary>
    public static GuestLocks Find(CommandContext context, OpenRecording recording, SymbolSet symbols, in GuestView view) =>
        GuestLocks.Find(Layouts(context, recording).Layouts, symbols, view);

    /// <summary>The layouts that lie where they are expected.</summary>
    public static DeclaredLayouts Layouts(CommandContext context, OpenRecording recording, string[]? paths = null) =>
        DeclaredLayouts.Load(recording.File.Configuration, recording.File.Path, paths is { Length: > 0 } ? paths : null, text => context.Error.WriteLine($"ttvm: {text}"));
}
