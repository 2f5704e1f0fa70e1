using System;
using System.IO;
using TestKit;
using Xunit;

namespace Cli.Tests;

/// <summary>Every command of docs/SHARING.md works as it stands.</summary>
public sealed class SharingTests(DemoRecording demo)
{
    private static readonly DocumentedCommands s_page = new("docs/SHARING.md");

    [Fact]
    public void Every_block_of_the_page_is_tested() => Assert.Equal(["trim", "ring", "pack", "sign"], s_page.Names);

    [Theory]
    [InlineData("trim", "end.ttvm")]
    [InlineData("ring", "last.ttvm")]
    [InlineData("pack", "shared.ttvm", "parts/manifest.json", "again.ttvm")]
    [InlineData("sign", "signed.ttvm")]
    public void The_pages_commands_work(string block, params string[] made)
    {
        if (block == "sign") HostTool.Require("openssl", "openssl");
        string folder = DocumentedCommands.RootLikeFolder(demo.PathOf($"sharing-page-{block}"));
        s_page.Run(block, folder, TimeSpan.FromMinutes(5));
        Assert.All(made, name => Assert.True(new FileInfo(Path.Combine(folder, name)).Length > 0, $"{name} was not made"));
    }
}
