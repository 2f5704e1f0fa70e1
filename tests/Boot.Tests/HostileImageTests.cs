using System;
using System.Collections.Generic;
using Vmm.Platform;
using Xunit;
using static Boot.Tests.Images;

namespace Boot.Tests;

/// <summary>Whatever the bytes, loading ends in a loaded machine or a <see cref="BootImageException"/>.</summary>
public sealed class HostileImageTests
{
    private static IEnumerable<byte[]> Samples()
    {
        yield return BzImage(new byte[3000]);
        yield return Elf(false, [.. Multiboot(), .. new byte[3000]]);
        yield return Elf(true, [.. Multiboot(), .. new byte[3000]]);
        yield return [.. new byte[64], .. Multiboot(0, LoadAddress + 32, LoadAddress, 0, 0, LoadAddress + 64), .. new byte[3000]];
        yield return Elf(true, [.. Multiboot2((1, 0, [4, 6]), (10, 0, [0x40_0000, 0x200_0000, 0x1000, 1])), .. new byte[3000]]);
        yield return [.. Multiboot2((2, 0, [LoadAddress, LoadAddress, 0, LoadAddress + 0x4000]), (3, 0, [LoadAddress + 64])),
            .. new byte[3000]];
        yield return Elf(true, new byte[3000], PvhNote(LoadAddress));
        yield return Elf(true, new byte[3000]);
    }

    [Fact]
    public void TruncatedAnywhere()
    {
        foreach (byte[] sample in Samples())
            for (int length = 0; length < Math.Min(sample.Length, 4096); length++) Load(sample[..length]);
    }

    [Fact]
    public void DamagedHeaders()
    {
        var random = new Random(20260101);
        foreach (byte[] sample in Samples())
        {
            for (int i = 0; i < 4000; i++)
            {
                byte[] damaged = (byte[])sample.Clone();
                for (int n = random.Next(1, 6); n > 0; n--)
                {
                    int at = random.Next(Math.Min(damaged.Length, 0x290));
                    damaged[at] = (byte)(random.Next(3) == 0 ? 0xFF : random.Next(256));
                }
                Load(damaged);
            }
        }
    }

    [Fact]
    public void RandomBytes()
    {
        var random = new Random(7);
        for (int i = 0; i < 2000; i++)
        {
            byte[] bytes = new byte[random.Next(4096)];
            random.NextBytes(bytes);
            Load(bytes);
        }
    }

    private static void Load(byte[] kernel)
    {
        try
        {
            LoadedMachine.Kernel(kernel, [1, 2, 3], "x", memoryMiB: 32).Dispose();
        }
        catch (BootImageException refusal)
        {
            Assert.EndsWith(".", refusal.Message);
        }
    }
}
