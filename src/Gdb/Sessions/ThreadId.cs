using System;
using System.Globalization;
using Gdb.Packets;

namespace Gdb.Sessions;

/// <summary>Threads are numbered from 1: vCPU 0 is thread 1, as 0 means any and -1 all.</summary>
internal static class ThreadId
{
    /// <summary>In place of an index: no vCPU in particular.</summary>
    public const int Any = -1;

    public static string Of(int cpuIndex) => (cpuIndex + 1).ToString("x", CultureInfo.InvariantCulture);

    /// <summary>The index of a vCPU that there is, or <see cref="Any"/>; false: neither.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, int cpuCount, out int cpuIndex)
    {
        cpuIndex = Any;
        if (text is "-1" or "0") return true;
        if (!Hexadecimal.TryNumber(text, out ulong id) || id < 1 || id > (ulong)cpuCount) return false;
        cpuIndex = (int)id - 1;
        return true;
    }
}
