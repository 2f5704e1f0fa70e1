using System;
using Gdb.Packets;

namespace Gdb.Sessions;

/// <summary>What a vCont packet asks for.</summary>
/// <param name="StepsCpu">The vCPU to step; <see cref="ThreadId.Any"/>: whichever; null: run on.</param>
/// <param name="OthersRun">Whether the other vCPUs are to run, and so may stop at breakpoints.</param>
internal readonly record struct ResumeRequest(int? StepsCpu, bool OthersRun)
{
    /// <summary>Reads the actions, of which the first that fits a thread counts: "s:1;c". Signals mean nothing to a recording.</summary>
    public static bool TryParse(string actions, int cpuCount, out ResumeRequest request)
    {
        request = default;
        int? stepsCpu = null;
        bool continues = false, hasAction = false;
        foreach (string part in actions.Split(';', StringSplitOptions.RemoveEmptyEntries))
        {
            int colon = part.IndexOf(':', StringComparison.Ordinal);
            string action = colon < 0 ? part : part[..colon];
            int cpu = ThreadId.Any;
            if (colon >= 0 && !ThreadId.TryParse(part.AsSpan(colon + 1), cpuCount, out cpu)) return false;
            bool hasSignal = action.Length == 3 && Hexadecimal.TryNumber(action.AsSpan(1), out _);
            if (action is "s" || (hasSignal && action[0] == 'S'))
            {
                // A step of one counts more than steps of all the rest.
                if (stepsCpu is null or ThreadId.Any) stepsCpu = cpu;
            }
            else if (action is "c" || (hasSignal && action[0] == 'C')) continues = true;
            else return false;
            hasAction = true;
        }
        request = new ResumeRequest(stepsCpu, continues || stepsCpu is null or ThreadId.Any);
        return hasAction;
    }
}
