using System.IO;
using Introspection.Code;
using Vmm.Translation;

namespace Cli.Presentation;

/// <summary>Guest instructions on the left, host code on the right.</summary>
internal static class BlockView
{
    private const int GuestWidth = 58;

    public static void Write(TextWriter output, BlockListing listing, bool showsBehind)
    {
        output.WriteLine($"{"guest",-GuestWidth} host, {listing.HostCode.Length} bytes at 0x{listing.HostAddress:x}");
        bool isBehind = false;
        foreach (TranslatedLine line in TranslatedCode.Of(listing))
        {
            if (line.IsBehind && !isBehind)
            {
                isBehind = true;
                output.WriteLine($"{"",-GuestWidth} {(showsBehind ? "behind it:" : $"and {listing.HostCode.Length - listing.BehindOffset} bytes behind it (--behind)")}");
            }
            if (line.IsBehind && !showsBehind) break;
            string guest = line.GuestAddress is { } rip ? $"{rip:x16}  {line.Guest}{(line.IsByHandler ? "  (handler)" : "")}" : "";
            output.WriteLine(line.HostOffset is { } offset ? $"{guest,-GuestWidth} {offset,5:x}  {line.Host}" : guest);
        }
    }
}
