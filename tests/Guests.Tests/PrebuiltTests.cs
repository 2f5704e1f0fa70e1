using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Security.Cryptography;
using System.Text.Json;
using TestKit;
using Xunit;

namespace Guests.Tests;

/// <summary>The committed image is what its source gives.</summary>
public sealed class PrebuiltTests
{
    [Fact]
    public void The_image_is_the_manifests()
    {
        using JsonDocument manifest = ReadManifest();
        string hash = Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(GuestImages.PrebuiltDemo64)));
        Assert.Equal(manifest.RootElement.GetProperty("sha256").GetString(), hash);
    }

    /// <summary>The same compiler gives the same bytes; another one may not, and then there is nothing to compare.</summary>
    [Fact]
    public void The_source_gives_the_image()
    {
        string built = GuestImages.Demo64();
        using JsonDocument manifest = ReadManifest();
        string compiler = FirstLine("gcc"), linker = FirstLine("ld");
        string? wantedCompiler = manifest.RootElement.GetProperty("compiler").GetString();
        string? wantedLinker = manifest.RootElement.GetProperty("linker").GetString();
        Assert.SkipUnless(compiler == wantedCompiler && linker == wantedLinker,
            $"made with {wantedCompiler} and {wantedLinker}; here are {compiler} and {linker}");

        ToolResult result = HostTool.Run(Repository.PathOf("guests/prebuilt-manifest.sh"), [built], TimeSpan.FromMinutes(1));
        Assert.Equal(0, result.ExitCode);
        using JsonDocument now = JsonDocument.Parse(result.Output);
        Assert.True(Sections(manifest).SequenceEqual(Sections(now)),
            "guests/prebuilt/demo64.elf is not what guests/demo64 gives; run: make -C guests prebuilt");
    }

    private static JsonDocument ReadManifest() => JsonDocument.Parse(File.ReadAllText(Repository.PathOf("guests/prebuilt/manifest.json")));

    private static IEnumerable<string> Sections(JsonDocument manifest) =>
        manifest.RootElement.GetProperty("sections").EnumerateObject().Select(section => $"{section.Name}={section.Value.GetString()}");

    private static string FirstLine(string tool) => HostTool.Run(tool, ["--version"], TimeSpan.FromSeconds(10)).Output.Split('\n')[0];
}
