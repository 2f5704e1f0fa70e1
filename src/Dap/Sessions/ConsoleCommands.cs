using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;
using Dap.Sessions.Repl;

namespace Dap.Sessions;

/// <summary>Commands of the debug console, called as users of gdb know them where gdb has them. What is not a command is an expression.</summary>
internal sealed class ConsoleCommands
{
    public ConsoleCommands(Session session)
    {
        All =
        [
            new ConsoleCommand("help", "this list", _ => Help()), .. new RunCommands(session).All, .. new TravelCommands(session).All, .. new InspectCommands(session).All,
            .. new MachineCommands(session).All, .. new LockCommands(session).All,
        ];
    }

    public IReadOnlyList<ConsoleCommand> All { get; }

    /// <summary>Null: it is not a command.</summary>
    /// <exception cref="Dap.Protocol.RequestException">It is one, but cannot be done.</exception>
    public ConsoleResult? Run(string line, in GuestView view)
    {
        string text = line.Trim();
        int blank = text.IndexOf(' ', StringComparison.Ordinal);
        string name = blank < 0 ? text : text[..blank], rest = blank < 0 ? "" : text[(blank + 1)..].Trim();
        int slash = name.IndexOf('/', StringComparison.Ordinal);
        string modifier = slash < 0 ? "" : name[(slash + 1)..];
        if (slash >= 0) name = name[..slash];
        foreach (ConsoleCommand command in All)
            if (command.IsCalled(name) && (slash < 0 || command.Usage.Contains('/', StringComparison.Ordinal))) return command.Run(new CommandLine(command, modifier, rest, view));
        return null;
    }

    private string Help()
    {
        var text = new StringBuilder();
        foreach (ConsoleCommand command in All)
        {
            string names = command.Aliases.Count > 0 ? $"{command.Usage} ({string.Join(", ", command.Aliases)})" : command.Usage;
            text.Append(CultureInfo.InvariantCulture, $"{names,-30} {command.Help}\n");
        }
        text.Append("Anything else is an expression, in C's syntax: account.balance + 1, list->next, table[3], *p@4, (struct list *)rdi, rsp+8, "
            + "dword[rbp-4], phys[cr3]; call f(1) runs a function in a diversion");
        return text.ToString();
    }
}
