namespace Introspection.Text;

/// <summary>Sizes as people write them.</summary>
public static class SizeText
{
    /// <summary>"4 KiB", "1 GiB": the largest unit that leaves no rest.</summary>
    public static string Of(ulong sizeBytes) => sizeBytes switch
    {
        0 => "0",
        _ when sizeBytes % (1UL << 40) == 0 => $"{sizeBytes >> 40} TiB",
        _ when sizeBytes % (1 << 30) == 0 => $"{sizeBytes >> 30} GiB",
        _ when sizeBytes % (1 << 20) == 0 => $"{sizeBytes >> 20} MiB",
        _ when sizeBytes % (1 << 10) == 0 => $"{sizeBytes >> 10} KiB",
        _ => $"{sizeBytes} bytes",
    };
}
