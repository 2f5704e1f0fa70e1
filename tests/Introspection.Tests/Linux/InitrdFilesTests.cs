using System;
using System.IO;
using System.IO.Compression;
using System.Linq;
using System.Text;
using Introspection.Linux.Initrd;
using TestKit;
using Xunit;

namespace Introspection.Tests.Linux;

/// <summary>Initial RAM file systems: archives one after the other, plain and packed, with links; and damaged ones.</summary>
public sealed class InitrdFilesTests
{
    private const uint Link = 0xa1ff;

    [Fact]
    public void Files_are_found_through_links_in_archives_one_over_the_other()
    {
        InitrdFiles files = InitrdFiles.Open(Good());
        Assert.Null(files.Problem);
        Assert.Equal("new init", Text(files, "/init"));
        Assert.Equal("the shell", Text(files, "/usr/bin/busybox"));
        Assert.Equal("the shell", Text(files, "/bin/sh"));
        Assert.Equal("shared", Text(files, "/one"));
        Assert.Equal("shared", Text(files, "/two"));
        Assert.Null(files.Find("/loop"));
        Assert.Null(files.Find("/usr"));
        Assert.Null(files.Find("/nothing"));
        Assert.Equal(["/early", "/init", "/one", "/two", "/usr/bin/busybox"], files.Paths.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Damage_is_told_and_what_is_whole_is_read()
    {
        byte[] good = Good();
        int noticed = 0;
        for (int seed = 0; seed < 2000; seed++)
        {
            byte[] bytes = [.. good];
            var random = new Random(seed);
            for (int i = random.Next(1, 6); i > 0; i--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            if (seed % 4 == 0) bytes = bytes[..random.Next(bytes.Length)];
            InitrdFiles files = InitrdFiles.Open(bytes);
            foreach (string path in files.Paths) _ = files.Find(path);
            if (files.Problem is not null) noticed++;
        }
        Assert.True(noticed > 500, $"only {noticed} cases were noticed: the fuzzer does not damage anything");
        Assert.NotNull(InitrdFiles.Open("something else"u8.ToArray()).Problem);
        Assert.Null(InitrdFiles.Open(default).Problem);
    }

    [Theory]
    [InlineData("gzip", "-9")]
    [InlineData("lz4", "-l", "-9")]
    [InlineData("lz4", "-l", "-1")]
    public void What_tools_have_packed_is_unpacked(string tool, params string[] options)
    {
        // Long repetitions, short ones, and what cannot be packed; two blocks of LZ4's.
        byte[] noise = new byte[3 << 20], pattern = new byte[9 << 20];
        new Random(3).NextBytes(noise);
        for (int i = 0; i < pattern.Length; i++) pattern[i] = (byte)(i % 7 == 0 ? i >> 9 : i % 31);
        byte[] archive = new CpioWriter().Add("noise", noise).Add("pattern", pattern).Add("zero", new byte[2 << 20]).Add("end", "the end").Finish();
        byte[] packed = Packed(tool, archive, options);
        Assert.True(packed.Length < archive.Length);
        InitrdFiles files = InitrdFiles.Open((byte[])[.. packed, .. new byte[-packed.Length & 3], .. new CpioWriter().Add("behind", "it").Finish()]);
        Assert.Null(files.Problem);
        Assert.Equal(noise, files.Find("/noise")!.Value);
        Assert.Equal(pattern, files.Find("/pattern")!.Value);
        Assert.Equal(new byte[2 << 20], files.Find("/zero")!.Value);
        Assert.Equal(("the end", "it"), (Text(files, "/end"), Text(files, "/behind")));
    }

    [Theory]
    [InlineData("zstd")]
    [InlineData("xz", "--check=crc32")]
    [InlineData("lzma")]
    [InlineData("bzip2")]
    public void Other_compressions_are_named(string tool, params string[] options)
    {
        InitrdFiles files = InitrdFiles.Open(Packed(tool, new CpioWriter().Add("init", "it").Finish(), options));
        Assert.Contains($"compressed with {tool},", files.Problem, StringComparison.Ordinal);
        Assert.Empty(files.Paths);
    }

    [Fact]
    public void Damaged_lz4_is_told_and_does_no_harm()
    {
        byte[] good = Packed("lz4", Good(), "-l");
        int noticed = 0;
        for (int seed = 0; seed < 2000; seed++)
        {
            byte[] bytes = [.. good];
            var random = new Random(seed);
            for (int i = random.Next(1, 4); i > 0; i--) bytes[random.Next(4, bytes.Length)] = (byte)random.Next(256);
            if (seed % 3 == 0) bytes = bytes[..random.Next(4, bytes.Length)];
            InitrdFiles files = InitrdFiles.Open(bytes);
            foreach (string path in files.Paths) _ = files.Find(path);
            if (files.Problem is not null) noticed++;
        }
        Assert.True(noticed > 500, $"only {noticed} cases were noticed");
    }

    private static byte[] Packed(string tool, byte[] bytes, params string[] options)
    {
        HostTool.Require(tool, tool is "xz" or "lzma" ? "xz-utils" : tool);
        string folder = Directory.CreateTempSubdirectory("ttvm-initrd").FullName, path = Path.Combine(folder, "archive");
        try
        {
            File.WriteAllBytes(path, bytes);
            HostTool.Run("sh", ["-c", $"{tool} {string.Join(' ', options)} -c '{path}' > '{path}.packed'"], TimeSpan.FromMinutes(2));
            return File.ReadAllBytes(path + ".packed");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static byte[] Good()
    {
        byte[] early = new CpioWriter().Add("early", "microcode").Finish();
        byte[] main = new CpioWriter().Add("./init", "old init").Add("bin", "usr/bin", Link).Add("usr", [], 0x41ed).Add("usr/bin/busybox", "the shell")
            .Add("usr/bin/sh", "busybox", Link).Add("loop", "loop", Link)
            .Add("one", [], inode: 900, linkCount: 2).Add("two", "shared"u8, inode: 900, linkCount: 2).Finish();
        byte[] packed = Pack(main);
        return [.. early, .. new byte[512 - (early.Length % 512)], .. packed, .. new byte[-packed.Length & 3], .. new CpioWriter().Add("init", "new init").Finish()];
    }

    private static byte[] Pack(byte[] bytes)
    {
        var output = new MemoryStream();
        using (var gzip = new GZipStream(output, CompressionLevel.Optimal, leaveOpen: true)) gzip.Write(bytes);
        return output.ToArray();
    }

    private static string? Text(InitrdFiles files, string path) => files.Find(path) is { } data ? Encoding.UTF8.GetString(data.Span) : null;
}
