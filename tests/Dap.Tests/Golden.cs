using System;
using System.IO;
using System.Text.RegularExpressions;
using TestKit;
using Xunit;

namespace Dap.Tests;

/// <summary>Compares a transcript with the one that was agreed on. What differs from run to run is blanked.</summary>
internal static partial class Golden
{
    public static void Check(string name, string transcript)
    {
        string path = Repository.PathOf($"tests/Dap.Tests/golden/{name}.txt"), actual = path + ".actual";
        string text = Blank(transcript).TrimEnd() + "\n";
        if (File.Exists(path) && File.ReadAllText(path) == text)
        {
            File.Delete(actual);
            return;
        }
        File.WriteAllText(actual, text);
        string relative = Repository.RelativePath(path);
        Assert.Fail($"{relative} {(File.Exists(path) ? "differs" : "is missing")}. Look: diff {relative} {relative}.actual; accept: mv {relative}.actual {relative}");
    }

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
