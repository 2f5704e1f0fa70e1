using System;
using System.Text.RegularExpressions;
using TestKit;

namespace Dap.Tests;

/// <summary>Compares a transcript with the one that was agreed on. What differs from run to run is blanked.</summary>
internal static partial class Golden
{
    public static void Check(string name, string transcript) => GoldenFile.Check($"tests/Dap.Tests/golden/{name}.txt", Blank(transcript).TrimEnd() + "\n");

    private static string Blank(string text)
    {
        text = text.Replace(Repository.Root + "/", "REPOSITORY/", StringComparison.Ordinal);
        text = TemporaryPath().Replace(text, "FOLDER/");
        text = Site().Replace(text, "$1SITE");
        return Size().Replace(text, "$1SIZE bytes");
    }

    // Where the recordings of the test are.
    [GeneratedRegex(@"/[\w/.-]*ttvm-dap[^/""]*/")]
    private static partial Regex TemporaryPath();

    // Places in translated code are numbered as it is made: what was warm before is of no interest.
    [GeneratedRegex(@"(\[rsp\+site\], )[0-9a-fx]+")]
    private static partial Regex Site();

    // The compressor of another version packs otherwise.
    [GeneratedRegex(@"((?:log|file) size[^0-9]*)[\d,]+ bytes")]
    private static partial Regex Size();
}
