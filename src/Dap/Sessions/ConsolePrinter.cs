using System.Collections.Generic;
using System.Text;
using Dap.Protocol;
using Replay.Queries;
using Vmm.Time;

namespace Dap.Sessions;

/// <summary>Shows what the guest printed while a run went over it. Going back prints nothing.</summary>
internal sealed class ConsolePrinter(Session session)
{
    private const int MaximumBytes = 64 << 10;

    public void PrintSince(Position from)
    {
        if (session.IsDiverted || session.Timeline.Position <= from) return;
        var bytes = new List<byte>();
        foreach (ConsoleOutput output in session.Recording.Console.Read(from, session.Timeline.Position))
        {
            if (bytes.Count < MaximumBytes) bytes.AddRange(output.Data.ToArray());
            else break;
        }
        if (bytes.Count == 0) return;
        bool isCut = bytes.Count >= MaximumBytes;
        string text = Encoding.Latin1.GetString(bytes.ToArray()) + (isCut ? "\n(more was printed: see 'console' for all of it)\n" : "");
        session.Send(Events.Output, new OutputEventBody { Category = "stdout", Output = text });
    }
}
