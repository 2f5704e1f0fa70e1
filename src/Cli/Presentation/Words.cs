using System;
using System.Globalization;

namespace Cli.Presentation;

/// <summary>Numbers as people read them.</summary>
internal static class Words
{
    /// <summary>12,345,678</summary>
    public static string Count(ulong value) => value.ToString("N0", CultureInfo.InvariantCulture);
    public static string Count(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>"1 instruction", "2 instructions".</summary>
    public static string Plural(long count, string noun) => $"{Count(count)} {noun}{(count == 1 ? "" : "s")}";

    /// <summary>"1.5 MiB".</summary>
    public static string Size(long sizeBytes) => sizeBytes switch
    {
        < 1 << 10 => $"{sizeBytes} bytes",
        < 1 << 20 => $"{sizeBytes / 1024.0:F1} KiB",
        < 1 << 30 => $"{sizeBytes / 1048576.0:F1} MiB",
        _ => $"{sizeBytes / 1073741824.0:F2} GiB",
    };

    /// <summary>"3.25 s", "12.0 ms".</summary>
    public static string Duration(TimeSpan time) => time.TotalSeconds >= 1 ? $"{time.TotalSeconds:F2} s" : $"{time.TotalMilliseconds:F1} ms";

    /// <summary>"123.4 MIPS".</summary>
    public static string Rate(ulong instructions, TimeSpan time) => $"{instructions / Math.Max(time.TotalSeconds, 1e-9) / 1e6:F1} MIPS";

    /// <summary>Guest time: "12.345678 s".</summary>
    public static string GuestTime(ulong nanoseconds) => $"{nanoseconds / 1_000_000_000}.{nanoseconds % 1_000_000_000 / 1000:D6} s";
}
