using System;
using System.IO;
using System.Text.Json;
using TestKit;
using Xunit;

namespace Cli.Tests;

/// <summary>Every command of docs/SHARING.md works as it stands.</summary>
public sealed class SharingTests(DemoRecording demo)
{
    private static readonly DocumentedCommands s_page = new("docs/SHARING.md");

    [Fact]
    public void Every_block_of_the_page_is_tested() => Assert.Equal(["trim", "ring", "pack", "sign", "vouched", "redact", "encrypt", "sandbox"], s_page.Names);

    [Fact]
    public void Bookmarks_and_breakpoints_are_listed_and_travel()
    {
        string path = demo.PathOf("kept.ttvm"), packed = demo.PathOf("kept-packed.ttvm"), beside = path + ".bookmarks.json";
        File.Copy(demo.File, path);
        File.WriteAllText(beside, """
            {"bookmarks": [{"name": "bug", "position": "123", "note": "look here"}],
             "breakpoints": [{"kind": "source", "path": "bank.c", "line": 43, "condition": "amount > 5"}, {"kind": "data", "dataId": "0x1000:8", "accessType": "write"}]}
            """);
        string[] expected = ["bookmark     bug: position 123, look here", "breakpoint   source bank.c:43, if amount > 5", "breakpoint   data write of 0x1000:8"];
        Assert.Equal(expected, Ttvm.Good("info", path).Split('\n')[^4..^1]);
        Ttvm.Good("pack", path, "-o", packed);
        Assert.False(File.Exists(packed + ".bookmarks.json"));
        Assert.Equal(expected, Ttvm.Good("info", packed).Split('\n')[^4..^1]);
        using JsonDocument json = JsonDocument.Parse(Ttvm.Good("info", packed, "--json"));
        Assert.Equal("source bank.c:43, if amount > 5", json.RootElement.GetProperty("breakpoints")[0].GetProperty("description").GetString());
        // What cannot be read does not stand in the recording's way.
        File.WriteAllText(beside, "{");
        ToolResult damaged = Ttvm.Expect(0, "info", path);
        Assert.Contains("cannot be read", Assert.Single(damaged.Error.TrimEnd().Split('\n')), StringComparison.Ordinal);
        Assert.DoesNotContain("breakpoint ", damaged.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("trim", "end.ttvm")]
    [InlineData("ring", "last.ttvm")]
    [InlineData("pack", "shared.ttvm", "parts/manifest.json", "again.ttvm")]
    [InlineData("sign", "signed.ttvm")]
    [InlineData("vouched")]
    [InlineData("redact", "without.ttvm", "poorer.ttvm", "mute.ttvm")]
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
