using Introspection.Locks.Tasks;
using Introspection.Programs;
using Introspection.State;
using Symbols.Dwarf.Lines;

namespace Cli.Presentation;

/// <summary>Where code is, for people.</summary>
internal static class CodeText
{
    /// <summary>"main+0x42 (main.c:17)", or the address where there is no name; of 0 nothing.</summary>
    public static string Of(ulong address, ISymbolSource symbols)
    {
        if (address == 0) return "";
        string place = symbols.NameOf(address, out ulong offset) is { } name ? offset == 0 ? name : $"{name}+0x{offset:x}" : $"0x{address:x}";
        return symbols.LineOf(address) is { } line ? $"{place} ({SourcePath.FileName(line.Path)}:{line.Line})" : place;
    }
}

/// <summary>Tasks, for people.</summary>
internal static class TaskText
{
    /// <summary>Its name at the view's moment, or its address; of 0 nothing.</summary>
    public static string Of(ICurrentTask tasks, in GuestView view, ulong task) => task == 0 ? "" : tasks.NameOf(view, task) ?? $"0x{task:x}";
}
