using System;
using System.IO;
using TestKit;
using Vmm.Memory;
using Vmm.Paging;
using Vmm.Platform;

namespace Introspection.Tests.Paging;

/// <summary>A machine whose memory a test fills with page tables as it likes; it does not run.</summary>
internal sealed class TableMachine : IDisposable
{
    public const int MemorySizeBytes = 16 << 20;

    public TableMachine()
    {
        var configuration = new MachineConfiguration
        {
            CpuCount = 1, MemorySizeBytes = MemorySizeBytes, Images = [new MachineImage("kernel", "demo64.elf", File.ReadAllBytes(GuestImages.PrebuiltDemo64))],
        };
        Machine = new Machine(configuration, new Silence(), new Silence());
    }

    public Machine Machine { get; }

    public void Write64(ulong address, ulong value) => Machine.Memory.Write(new GuestPhysicalAddress(address), value);

    public void Write32(ulong address, uint value) => Machine.Memory.Write(new GuestPhysicalAddress(address), value);

    /// <summary>Pages of random entries that refer to each other: hostile tables of any mode.</summary>
    /// <param name="mode">The paging mode.</param>
    /// <param name="random">Where they come from.</param>
    public PagingControls FillRandomly(PagingMode mode, Random random)
    {
        const int tables = 24;
        const ulong first = 0x800000;
        bool isNarrow = mode == PagingMode.TwoLevel;
        for (int t = 0; t < tables; t++)
        {
            for (int i = 0; i < 4096 / (isNarrow ? 4 : 8); i++)
            {
                ulong at = first + (ulong)(t * 4096 + i * (isNarrow ? 4 : 8));
                ulong value = random.Next(3) == 0 ? 0 : (first + (ulong)random.Next(tables) * 4096) | (uint)random.Next(4096) & ~0x80u | 1;
                if (random.Next(8) == 0) value = value & ~0x1F_F000UL | 0x80;
                if (random.Next(8) == 0) value |= 1UL << 63;
                if (random.Next(16) == 0) value ^= 1UL << random.Next(isNarrow ? 32 : 64);
                if (random.Next(64) == 0) value = (ulong)random.NextInt64();
                if (isNarrow) Write32(at, (uint)value);
                else Write64(at, value);
            }
        }
        var pointers = (first + 0x1001, first + 0x2001, 0UL, first + 0x3001);
        return new PagingControls(mode, first, random.Next(2) == 0, random.Next(2) == 0, mode == PagingMode.Pae ? pointers : default);
    }

    public void Dispose() => Machine.Dispose();
}
