using System;
using System.Collections.Generic;
using Dap.Protocol;
using Dap.Sessions;
using Dap.Views;
using Introspection.Consoles;
using Vmm.Inputs;

namespace Dap.Requests;

/// <summary>Requests of our own that show what the guest printed and its devices.</summary>
internal sealed class ViewRequests
{
    private const int DefaultLines = 1_000, MaximumLines = 100_000;

    private readonly Session _session;

    public ViewRequests(Session session, RequestTable requests)
    {
        _session = session;
        requests.Add<TtvmConsoleArguments>("ttvm/console", Console);
        requests.Add("ttvm/devices", () => Answer.Of(DeviceViews.Read(session.Machine)));
    }

    private Answer Console(TtvmConsoleArguments arguments)
    {
        int channel = 0;
        if (arguments.Channel is { } name)
        {
            while (channel < ConsoleLines.ChannelNames.Count && ConsoleLines.ChannelNames[channel] != name) channel++;
            if (channel == ConsoleLines.ChannelNames.Count) throw new RequestException($"there is no channel '{name}': {string.Join(", ", ConsoleLines.ChannelNames)}");
        }
        int count = (int)Math.Clamp(arguments.Count ?? DefaultLines, 0, MaximumLines);
        var lines = new List<TtvmConsoleLine>();
        IReadOnlyList<ConsoleLine> printed = _session.ConsoleOf((OutputChannel)channel).Before(_session.Timeline.Position, count, out bool isCut);
        foreach (ConsoleLine line in printed)
            lines.Add(new TtvmConsoleLine { Position = line.At.ToString(), Text = line.Text });
        TextScreen screen = TextScreen.Of(_session.Machine);
        return Answer.Of(new TtvmConsole
        {
            Channels = ConsoleLines.ChannelNames, Lines = lines, IsCut = isCut, CanType = _session.Input?.CanType == true,
            Screen = new TtvmScreen { Columns = TextScreen.ColumnCount, Lines = screen.Rows, CursorRow = screen.CursorRow, CursorColumn = screen.CursorColumn },
        });
    }
}
