using System.Collections.Generic;
using System.Linq;
using Introspection.Layouts;
using Introspection.Locks;
using Introspection.Locks.Tasks;
using Introspection.Programs;
using Introspection.State;

namespace Cli.Hosting;

/// <summary>What layout files say of the guest of a recording.</summary>
internal static class GuestLayouts
{
    /// <summary>The layouts that the user names, or those that lie where they are expected; what cannot be used of these is told on standard error.</summary>
    public static DeclaredLayouts Load(CommandContext context, OpenRecording recording, string[]? files)
    {
        if (files is not { Length: > 0 })
            return DeclaredLayouts.Load(recording.File.Configuration, recording.File.Path, null, text => context.Error.WriteLine($"ttvm: {text}"));
        try
        {
            return new DeclaredLayouts([.. files.Select(LayoutFile.Read)], null);
        }
        catch (LayoutException e)
        {
            throw CommandException.Usage($"--layout: {e.Message}");
        }
    }

    /// <summary>What vCPUs run, by these layouts or as Linux has it.</summary>
    public static ICurrentTask TasksOf(IReadOnlyList<GuestLayout> layouts, SymbolSet symbols, in GuestView view) => GuestLocks.TasksOf(layouts, symbols, view);
}
