using System;
using System.IO;
using System.Linq;
using Symbols.Elf;

namespace Cli.Demo;

/// <summary>The demo kernel that is built into this program, and the addresses of its variables from its symbol table.</summary>
internal sealed class DemoKernel
{
    private const string ResourceName = "demo64.elf";

    // struct Account in guests/demo64/bank.h: brokenLock, spinLock, mcsLock, balance.
    private const ulong BalanceOffset = 24;

    private DemoKernel(byte[] content)
    {
        Content = content;
        using ElfImage image = ElfImage.Open(content, ResourceName);
        LockAddress = image.Symbols.ByName("account").First(symbol => symbol.IsDefined).Address;
    }

    public byte[] Content { get; }

    /// <summary>account.brokenLock.busy, 4 bytes.</summary>
    public ulong LockAddress { get; }

    /// <summary>account.balance, 8 bytes.</summary>
    public ulong BalanceAddress => LockAddress + BalanceOffset;

    public static DemoKernel Load()
    {
        using Stream stream = typeof(DemoKernel).Assembly.GetManifestResourceStream(ResourceName)
            ?? throw new InvalidOperationException($"the program was built without {ResourceName}");
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        return new DemoKernel(content);
    }
}
