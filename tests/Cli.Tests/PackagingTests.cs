using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json;
using TestKit;
using Xunit;

namespace Cli.Tests;

/// <summary>Recordings as files: cut, packed, unpacked, signed, and read by another program.</summary>
public sealed class PackagingTests(DemoRecording demo)
{
    /// <summary>All but those that are packed: Python's own library has no Brotli.</summary>
    public static TheoryData<string> Goldens() => [.. JsonDocument.Parse(File.ReadAllText(Repository.PathOf("traces/manifest.json"))).RootElement.EnumerateArray()
        .Where(static golden => !golden.TryGetProperty("pack", out _)).Select(static golden => golden.GetProperty("file").GetString()!)];

    [Theory]
    [MemberData(nameof(Goldens))]
    public void A_reader_that_knows_only_the_description_reads_the_same(string name)
    {
        string path = Repository.PathOf($"traces/{name}");
        ToolResult result = HostTool.Run("python3", [Repository.PathOf("tests/Cli.Tests/reader/read_trace.py"), path], TimeSpan.FromMinutes(2));
        Assert.True(result.ExitCode == 0, result.Error);
        JsonElement info = JsonDocument.Parse(Ttvm.Good("info", path, "--json")).RootElement, end = info.GetProperty("end");
        var expected = new List<string> { $"end {end.GetProperty("position").GetString()}", $"outcome {end.GetProperty("outcome").GetString()} {end.GetProperty("code").GetInt64()}" };
        string[] lines = result.Output.Split('\n');
        Assert.Equal(expected, lines[..2]);
        string[] digests = [.. lines.Where(static line => line.StartsWith("digest ", StringComparison.Ordinal))];
        Assert.Equal(info.GetProperty("checkpointCount").GetInt32(), digests.Length);
        Assert.Equal($"digest {end.GetProperty("position").GetString()} {end.GetProperty("digest").GetString()}", digests[^1]);
        Assert.Equal(Ttvm.Good("console", path), string.Join('\n', lines[(2 + digests.Length)..]));
    }

    [Fact]
    public void A_stretch_works_as_any_recording()
    {
        string cut = demo.PathOf("cut.ttvm");
        string said = Ttvm.Good("trim", demo.File, "--from", "50%", "-o", cut);
        Assert.Contains("from position ", said, StringComparison.Ordinal);
        string end = JsonDocument.Parse(Ttvm.Good("info", demo.File, "--json")).RootElement.GetProperty("end").GetProperty("position").GetString()!;
        Assert.Contains("good", Ttvm.Good("verify", cut), StringComparison.Ordinal);
        Assert.Equal(Ttvm.Good("regs", demo.File, "--at", end), Ttvm.Good("regs", cut));
        Assert.Contains($"to position {end}", Ttvm.Good("info", cut), StringComparison.Ordinal);
        Ttvm.Good("back", cut, "--steps", "3");
        Ttvm.Refuses(2, ["trim", demo.File, "-o", cut], "exists already");
        Ttvm.Refuses(2, ["trim", demo.File, "--from", "60%", "--to", "50%", "-o", demo.PathOf("never.ttvm")], "lies behind");
        Assert.False(File.Exists(demo.PathOf("never.ttvm")));
    }

    [Fact]
    public void What_is_packed_carries_symbols_sources_and_named_positions()
    {
        string packed = demo.PathOf("packed.ttvm"), source = demo.PathOf("to-pack.ttvm"), parts = demo.PathOf("parts"), again = demo.PathOf("again.ttvm");
        File.Copy(demo.File, source);
        File.WriteAllText(source + ".bookmarks.json", """{"bookmarks":[{"name":"here","position":"1234","note":"the bug"}]}""");
        Ttvm.Good("pack", source, "-o", packed, "--symbols", DemoRecording.Kernel, "--sources", Repository.PathOf("guests"));
        Assert.Contains("good", Ttvm.Good("verify", packed), StringComparison.Ordinal);
        Assert.Contains("listing.txt", Ttvm.Good("unpack", packed, "-o", parts), StringComparison.Ordinal);
        Assert.Contains("the bug", File.ReadAllText(Path.Combine(parts, "bookmarks.json")), StringComparison.Ordinal);
        Assert.Equal(File.ReadAllBytes(DemoRecording.Kernel), File.ReadAllBytes(Path.Combine(parts, "symbols", "0")));
        Ttvm.Good("pack", parts, "-o", again);
        Assert.Equal(File.ReadAllBytes(packed), File.ReadAllBytes(again));
        Ttvm.Refuses(2, ["unpack", packed, "-o", parts], "exists already");
        Ttvm.Refuses(2, ["pack", packed, "-o", packed, "--force"], "choose another name");
        Ttvm.Refuses(3, ["pack", demo.PathOf("nothing.ttvm"), "-o", demo.PathOf("x.ttvm")], "does not exist");
    }

    [Fact]
    public void A_signature_is_checked()
    {
        string key = demo.PathOf("key.pem"), open = demo.PathOf("pub.pem"), signed = demo.PathOf("signed.ttvm");
        using (var made = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP256))
        {
            File.WriteAllText(key, made.ExportPkcs8PrivateKeyPem());
            File.WriteAllText(open, made.ExportSubjectPublicKeyInfoPem());
        }
        Ttvm.Good("sign", demo.File, "--key", key, "-o", signed);
        Ttvm.Good("sign", signed, "--key", open, "--check");
        Ttvm.Refuses(1, ["sign", demo.File, "--key", open, "--check"], "it is not signed");
        Ttvm.Refuses(3, ["sign", demo.File, "--key", demo.File, "--check"], "not a key");
        Ttvm.Refuses(3, ["sign", demo.File, "--key", demo.PathOf("no.pem")], "does not exist");
        byte[] bytes = File.ReadAllBytes(signed);
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(signed, bytes);
        Ttvm.Refuses(1, ["sign", signed, "--key", open, "--check"], "does not pass");
    }

    [Fact]
    public void A_signature_is_checked_before_anything_is_replayed()
    {
        string key = demo.PathOf("key2.pem"), open = demo.PathOf("pub2.pem"), signed = demo.PathOf("signed2.ttvm"), changed = demo.PathOf("changed2.ttvm");
        using (var made = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP256))
        {
            File.WriteAllText(key, made.ExportPkcs8PrivateKeyPem());
            File.WriteAllText(open, made.ExportSubjectPublicKeyInfoPem());
        }
        Ttvm.Good("sign", demo.File, "--key", key, "-o", signed);
        Assert.Contains("good", Ttvm.Good("verify", signed, "--key", open), StringComparison.Ordinal);
        Ttvm.Refuses(1, ["verify", demo.File, "--key", open], "does not pass: it is not signed");
        Ttvm.Refuses(3, ["verify", signed, "--key", demo.File], "not a key");
        Ttvm.Refuses(3, ["verify", signed, "--key", demo.PathOf("no.pem")], "does not exist");
        // Who made it is no part of its identity: only the signature tells that something else is said there.
        byte[] bytes = File.ReadAllBytes(signed);
        int at = bytes.AsSpan().IndexOf("ttvm demo"u8);
        "ttvm Demo"u8.CopyTo(bytes.AsSpan(at));
        File.WriteAllBytes(changed, bytes);
        Ttvm.Good("verify", changed);
        string report = demo.PathOf("signatures.xml");
        ToolResult several = Ttvm.Expect(1, "verify", changed, signed, "--key", open, "--junit", report);
        Assert.Contains("does not pass", several.Error, StringComparison.Ordinal);
        Assert.Contains($"{signed}: good", several.Output, StringComparison.Ordinal);
        Assert.Contains("<failure", File.ReadAllText(report), StringComparison.Ordinal);
    }

    [Fact]
    public void Only_what_matters_is_kept()
    {
        string kept = demo.PathOf("tail.ttvm"), gone = demo.PathOf("gone.ttvm");
        string[] guest = ["--kernel", DemoRecording.Kernel, "--memory", "16M", "--quiet", "--checkpoint-interval", "20000", "--ring", "100K"];
        ToolResult result = Ttvm.Expect(0, ["record", "-o", gone, .. guest, "--tail-on", "panic"]);
        Assert.Contains("a panic did not happen", result.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(gone) || Directory.Exists(gone + ".partial"));
        Ttvm.Expect(0, ["record", "-o", kept, .. guest, "--tail-on", "text:OK"]);
        JsonElement info = JsonDocument.Parse(Ttvm.Good("info", kept, "--json")).RootElement;
        Assert.NotEqual("0", info.GetProperty("start").GetString());
        Assert.EndsWith("OK", Ttvm.Good("console", kept), StringComparison.Ordinal);
        Assert.Contains("good", Ttvm.Good("verify", kept), StringComparison.Ordinal);
        Ttvm.Refuses(2, ["record", "-o", gone, "--kernel", DemoRecording.Kernel, "--tail-on", "later"], "not panic or text:S");
        Ttvm.Refuses(2, ["record", "-o", gone, "--kernel", DemoRecording.Kernel, "--ring", "lots"], "not a size");
        Ttvm.Refuses(2, ["record", "-o", gone, "--kernel", DemoRecording.Kernel, "--ring", "1M", "--dap", "0"], "--dap excludes");
    }

    /// <summary>A kernel of Debian's without a root file system: its panic is kept with what led to it, whether it stays there or resets; a kernel that lives leaves nothing.</summary>
    [Theory]
    [InlineData("panic=0", true)]
    [InlineData("panic=-1", true)]
    [InlineData("initcall_blacklist=none", false)]
    [Trait("Category", "Slow")]
    public void The_tail_of_a_real_panic(string argument, bool isPanic)
    {
        string path = demo.PathOf($"linux-{argument}.ttvm");
        string[] rest = isPanic ? [] : ["--initrd", GuestImages.Initramfs()];
        ToolResult result = Ttvm.Expect(0, ["record", "-q", "-o", path, "--kernel", GuestImages.LinuxCloudKernel(), "--memory", "128M", "--append", $"console=ttyS0 {argument}",
            "--ring", "24M", "--tail-on", "panic", .. rest]);
        Assert.False(Directory.Exists(path + ".partial"));
        Assert.Equal(isPanic, File.Exists(path));
        if (!isPanic)
        {
            Assert.Contains("a panic did not happen", result.Error, StringComparison.Ordinal);
            return;
        }
        using var recording = JsonDocument.Parse(Ttvm.Good("info", path, "--json"));
        Assert.NotEqual("0", recording.RootElement.GetProperty("start").GetString());
        Assert.Contains("Kernel panic - not syncing: VFS: Unable to mount root fs", Ttvm.Good("console", path), StringComparison.Ordinal);
        // The call that it was, in the kernel's own names.
        Assert.Contains("panic", Ttvm.Good("find", path, "--call", "panic"), StringComparison.Ordinal);
        Ttvm.Good("verify", path);
    }
}
