using System;
using System.Collections.Generic;
using System.IO;
using Replay.Checkpoints;
using Replay.Packages;
using TestKit;
using Vmm.Memory;
using Xunit;

namespace Replay.Tests.Packages;

/// <summary>What is compressed within images, against the tools that compressed it; pages that are made of it; damage of both.</summary>
public sealed class UnpackedImageTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);

    [Fact]
    public void A_kernel_is_unpacked_as_lz4_does()
    {
        HostTool.Require("lz4", "lz4");
        byte[] image = File.ReadAllBytes(GuestImages.LinuxCloudKernel());
        byte[] unpacked = UnpackedImage.Of(image)!;
        Assert.True(unpacked.AsSpan().StartsWith("\u007fELF"u8));
        string folder = Directory.CreateTempSubdirectory("ttvm-unpacked").FullName, payload = Path.Combine(folder, "payload"), expected = Path.Combine(folder, "vmlinux");
        File.WriteAllBytes(payload, image[image.AsSpan().IndexOf((ReadOnlySpan<byte>)[0x02, 0x21, 0x4C, 0x18])..]);
        // It complains about what follows the payload.
        HostTool.Run("lz4", ["-d", "-f", "-q", payload, expected], s_patience);
        Assert.Equal(File.ReadAllBytes(expected), unpacked);
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void An_initrd_is_unpacked_as_gzip_does()
    {
        string path = GuestImages.Initramfs();
        ToolResult size = HostTool.Run("sh", ["-c", $"gzip -dc '{path}' | sha256sum"], s_patience);
        byte[] unpacked = UnpackedImage.Of(File.ReadAllBytes(path))!;
        Assert.StartsWith(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(unpacked)), size.Output, StringComparison.Ordinal);
        // An ELF kernel, and a kernel with a compression that is unknown, are left as they are.
        Assert.Null(UnpackedImage.Of(File.ReadAllBytes(Repository.PathOf("guests/prebuilt/demo64.elf"))));
        Assert.Null(UnpackedImage.Of(File.ReadAllBytes(GuestImages.LinuxKernel())));
        Assert.Null(UnpackedImage.Of(default));
    }

    [Fact]
    public void Damage_does_no_harm()
    {
        byte[] kernel = File.ReadAllBytes(GuestImages.LinuxCloudKernel()), initrd = File.ReadAllBytes(GuestImages.Initramfs());
        var random = new Random(5);
        int refused = 0;
        for (int round = 0; round < 40; round++)
        {
            byte[] bytes = (byte[])(round % 2 == 0 ? kernel : initrd).Clone();
            // In the header first: where the payload is, and how long.
            for (int i = random.Next(1, 4); i > 0; i--) bytes[round < 20 ? random.Next(0x1F0, 0x260) : random.Next(bytes.Length)] = (byte)random.Next(256);
            if (round % 5 == 0) bytes = bytes[..random.Next(bytes.Length)];
            if (UnpackedImage.Of(bytes) is null) refused++;
        }
        Assert.True(refused > 10, $"only {refused} of 40 were refused");
    }

    [Theory]
    [InlineData(7)]
    [InlineData(8)]
    public void Pages_come_back_and_damaged_ones_do_no_harm(byte number)
    {
        var kind = (FrameKind)number;
        var random = new Random(7);
        var image = new byte[64 << 10];
        random.NextBytes(image);
        bool Images(int source, long offset, Span<byte> destination)
        {
            if (source is < 0 or > 1 || offset > image.Length - destination.Length) return false;
            image.AsSpan((int)offset, destination.Length).CopyTo(destination);
            return true;
        }
        var pages = new List<PackedPages.Page>();
        var expected = new List<byte>();
        for (int i = 0; i < 60; i++)
        {
            long offset = random.Next(image.Length - PagedMemory.PageSizeBytes);
            var changed = new byte[PagedMemory.PageSizeBytes];
            for (int k = random.Next(50); k >= 0; k--) changed[random.Next(changed.Length)] = (byte)random.Next(256);
            PackedPages.Page page = (i % 3) switch
            {
                0 => new PackedPages.Page([], 0, i % 2, offset),
                1 when kind == FrameKind.DifferentPages => new PackedPages.Page(changed, 0, i % 2, offset),
                _ => new PackedPages.Page(changed, 0, PackedPages.NoSource, 0),
            };
            pages.Add(page);
            for (int k = 0; k < PagedMemory.PageSizeBytes; k++)
                expected.Add((byte)((page.Source < 0 ? 0 : image[offset + k]) + (page.Content.Length == 0 ? 0 : changed[k])));
        }
        byte[] payload = PackedPages.Encode(pages, kind);
        var content = new byte[pages.Count * PackedPages.PageWithHashSizeBytes];
        // As an array that is used again has something in it.
        Array.Fill(content, (byte)0xA5);
        Assert.True(PackedPages.TryExpand(payload, pages.Count, kind, Images, content));
        Assert.Equal(expected, content[..expected.Count]);
        int refused = 0;
        for (int round = 0; round < 2000; round++)
        {
            byte[] bad = (byte[])payload.Clone();
            for (int k = random.Next(1, 4); k > 0; k--) bad[random.Next(200)] = (byte)random.Next(256);
            if (round % 4 == 0) bad = bad[..random.Next(bad.Length)];
            if (!PackedPages.TryExpand(bad, pages.Count, kind, Images, content)) refused++;
        }
        Assert.True(refused > 1000, $"only {refused} of 2000 were refused");
    }
}
