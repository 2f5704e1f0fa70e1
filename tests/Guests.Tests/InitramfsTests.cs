using System;
using System.IO;
using TestKit;
using Xunit;

namespace Guests.Tests;

public sealed class InitramfsTests
{
    [Fact]
    [Trait("Category", "Slow")]
    public void The_same_busybox_gives_the_same_bytes()
    {
        string first = GuestImages.Initramfs();
        string folder = Repository.FailureFolder(nameof(InitramfsTests));
        string second = Path.Combine(folder, "initramfs.cpio.gz");
        ToolResult result = HostTool.Run(Repository.PathOf("guests/make-initramfs.sh"), [second], TimeSpan.FromMinutes(1));
        Assert.Equal(0, result.ExitCode);
        Assert.Equal(File.ReadAllBytes(first), File.ReadAllBytes(second));
    }
}
