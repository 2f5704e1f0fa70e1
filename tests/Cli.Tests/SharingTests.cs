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
    public void Every_block_of_the_page_is_tested() => Assert.Equal(["trim", "ring", "pack", "sign", "vouched", "encrypt", "sandbox"], s_page.Names);

    [Theory]
    [InlineData("trim", "end.ttvm")]
    [InlineData("ring", "last.ttvm")]
    [InlineData("pack", "shared.ttvm", "parts/manifest.json", "again.ttvm")]
    [InlineData("sign", "signed.ttvm")]
    [InlineData("vouched")]
    [InlineData("encrypt", "secret.ttvm", "small-secret.ttvm", "open.ttvm")]
    [InlineData("sandbox")]
    public void The_pages_commands_work(string block, params string[] made)
    {
        if (block is "sign" or "vouched") HostTool.Require("openssl", "openssl");
        string folder = DocumentedCommands.RootLikeFolder(demo.PathOf($"sharing-page-{block}"));
        // With what the block before it has made.
        if (block == "vouched") s_page.Run("sign", folder, TimeSpan.FromMinutes(5));
        s_page.Run(block, folder, TimeSpan.FromMinutes(5));
        Assert.All(made, name => Assert.True(new FileInfo(Path.Combine(folder, name)).Length > 0, $"{name} was not made"));
    }
}
