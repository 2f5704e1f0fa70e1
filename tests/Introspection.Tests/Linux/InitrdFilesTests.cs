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
