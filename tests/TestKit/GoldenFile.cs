using System.IO;
using Xunit;

namespace TestKit;

/// <summary>Compares a text with the one that was agreed on, which lies in the repository.</summary>
public static class GoldenFile
{
    /// <summary>Fails unless they are equal, and leaves what there is beside what there should be.</summary>
    /// <param name="relativePath">From the repository's root.</param>
    /// <param name="text">What there is.</param>
    public static void Check(string relativePath, string text)
    {
        string path = Repository.PathOf(relativePath), actual = path + ".actual";
        if (File.Exists(path) && File.ReadAllText(path) == text)
        {
            File.Delete(actual);
            return;
        }
        File.WriteAllText(actual, text);
        Assert.Fail($"{relativePath} {(File.Exists(path) ? "differs" : "is missing")}. Look: diff {relativePath} {relativePath}.actual; accept: mv {relativePath}.actual {relativePath}");
    }
}
