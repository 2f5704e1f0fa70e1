using System;
using System.IO;
using System.Text;

namespace TestKit;

/// <summary>Files that another thread or process is writing, renaming or removing: what they hold at this moment, which may end anywhere.</summary>
public static class GrowingFile
{
    /// <summary>The bytes that are there; none while there is no such file.</summary>
    public static byte[] ReadAllBytes(string path)
    {
        try
        {
            using FileStream stream = Open(path);
            using var content = new MemoryStream();
            stream.CopyTo(content);
            return content.ToArray();
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return [];
        }
    }

    /// <summary>The same as UTF-8.</summary>
    public static string ReadAllText(string path) => Encoding.UTF8.GetString(ReadAllBytes(path));

    /// <summary>Copies a folder, one file after the other, each as it is at its moment.</summary>
    /// <param name="from">It, and the files that are in it when this begins, must stay.</param>
    /// <param name="to">A folder that is not there yet.</param>
    public static void CopyFolder(string from, string to)
    {
        foreach (string file in Directory.GetFiles(from, "*", SearchOption.AllDirectories))
        {
            string target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            using FileStream source = Open(file), copy = File.Create(target);
            source.CopyTo(copy);
        }
    }

    private static FileStream Open(string path) => new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
}
