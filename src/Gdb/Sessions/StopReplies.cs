using System.Globalization;
using Gdb.Running;

namespace Gdb.Sessions;

/// <summary>Words a stop as gdb wants to hear it ("Stop Reply Packets", gdb manual appendix E.3).</summary>
internal static class StopReplies
{
    private const int Trap = 5, Interrupt = 2;

    /// <param name="report">The stop.</param>
    /// <param name="saysSoftware">The client knows swbreak.</param>
    /// <param name="saysHardware">The client knows hwbreak.</param>
    public static string Of(in StopReport report, bool saysSoftware, bool saysHardware)
    {
        string reason = report.Kind switch
        {
            StopKind.SoftwareBreakpoint when saysSoftware => "swbreak:;",
            StopKind.HardwareBreakpoint when saysHardware => "hwbreak:;",
            StopKind.Write => Watch("watch", report.Address),
            StopKind.Read => Watch("rwatch", report.Address),
            StopKind.Access => Watch("awatch", report.Address),
            StopKind.Start => "replaylog:begin;",
            StopKind.End => "replaylog:end;",
            _ => "",
        };
        int signal = report.Kind == StopKind.Interrupted ? Interrupt : Trap;
        return string.Create(CultureInfo.InvariantCulture, $"T{signal:x2}thread:{ThreadId.Of(report.CpuIndex)};{reason}");
    }

    private static string Watch(string kind, ulong address) => string.Create(CultureInfo.InvariantCulture, $"{kind}:{address:x};");
}
