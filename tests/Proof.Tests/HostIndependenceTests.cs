using System;
using System.Collections.Generic;
using System.IO;
using Replay.Packages;
using TestKit;
using Vmm.Platform;
using Xunit;

namespace Proof.Tests;

/// <summary>
/// Two hosts' worth of determinism: a process that may use every instruction set of the host, and one that may use none of the optional ones, make the same of a recording.
/// </summary>
public sealed class HostIndependenceTests(KernelRecordings recordings)
{
    [Theory]
    [InlineData("demo64, chaos", "--cpus", "4", "--chaos", "2")]
    [InlineData("demo64, host clock", "--cpus", "2", "--clock", "host")]
    public void The_demo_is_the_same_on_another_host(string name, params string[] machine) =>
        RecordAndVerifyBothWays(name, ["--kernel", GuestImages.PrebuiltDemo64, "--memory", "16M", .. machine], isVirtual: !name.Contains("host", StringComparison.Ordinal));

    [Fact]
    [Trait("Category", "Slow")]
    public void Floating_point_and_vectors_are_the_same_on_another_host() =>
        RecordAndVerifyBothWays("conformance64", ["--kernel", GuestImages.Own("conformance64.elf"), "--memory", "64M", "--cpus", "2"], isVirtual: true);

    [Fact]
    [Trait("Category", "Slow")]
    public void Debian_is_the_same_on_another_host()
    {
        RecordingFile here = recordings.Get("cloud, 1 vCPU");
        Ttvm.Expect(0, ["verify", here.Path], Ttvm.BareHost);
        using var folder = new RecordingFolder("other-host-debian");
        string there = folder.PathOf("there.ttvm");
        MachineConfiguration machine = here.Configuration;
        Ttvm.Expect(0, ["record", "-q", "-o", there, "--kernel", GuestImages.LinuxCloudKernel(), "--initrd", GuestImages.Initramfs(), "--append", machine.CommandLine,
            "--memory", $"{machine.MemorySizeBytes >> 20}M"], Ttvm.BareHost);
        Assert.Equal(here.Checkpoints[^1].Digest.ToString(), Ttvm.EndDigest(there));
        // Not only the end: the log, the checkpoints and the pages, byte for byte.
        using RecordingFile other = RecordingFile.Open(there);
        Assert.Equal(here.Identity, other.Identity);
        folder.Succeed();
    }

    private static void RecordAndVerifyBothWays(string name, string[] machine, bool isVirtual)
    {
        using var folder = new RecordingFolder(name);
        var digests = new List<string>();
        foreach ((string file, IReadOnlyList<string> maker, IReadOnlyList<string> checker) in
            (ReadOnlySpan<(string, IReadOnlyList<string>, IReadOnlyList<string>)>)[("here.ttvm", [], Ttvm.BareHost), ("there.ttvm", Ttvm.BareHost, [])])
        {
            string path = folder.PathOf(file);
            Ttvm.Expect(0, ["record", "-q", "-o", path, .. machine], maker);
            Ttvm.Expect(0, ["verify", path], checker);
            digests.Add(Ttvm.EndDigest(path));
        }
        // With the host's clock each run is another one.
        if (isVirtual) Assert.Equal(digests[0], digests[1]);
        folder.Succeed();
    }
}
