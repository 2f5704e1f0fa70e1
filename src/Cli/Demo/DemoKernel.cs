using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.IO;
using System.Text;

namespace Cli.Demo;

/// <summary>The demo kernel that is built into this program, and the addresses of its variables from its symbol table (System V gABI, chapter 4).</summary>
internal sealed class DemoKernel
{
    private const string ResourceName = "demo64.elf";
    private const int SymbolTableType = 2, SectionHeaderSize = 64, SymbolSize = 24;

    // struct Account in guests/demo64/bank.h: brokenLock, spinLock, mcsLock, balance.
    private const ulong BalanceOffset = 24;

    private readonly Dictionary<string, ulong> _symbols;

    private DemoKernel(byte[] content)
    {
        Content = content;
        _symbols = ReadSymbols(content);
    }

    public byte[] Content { get; }

    /// <summary>account.brokenLock.busy, 4 bytes.</summary>
    public ulong LockAddress => _symbols["account"];

    /// <summary>account.balance, 8 bytes.</summary>
    public ulong BalanceAddress => _symbols["account"] + BalanceOffset;

    public static DemoKernel Load()
    {
        using Stream stream = typeof(DemoKernel).Assembly.GetManifestResourceStream(ResourceName)
            ?? throw new InvalidOperationException($"the program was built without {ResourceName}");
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        return new DemoKernel(content);
    }

    private static Dictionary<string, ulong> ReadSymbols(ReadOnlySpan<byte> elf)
    {
        int sections = (int)BinaryPrimitives.ReadUInt64LittleEndian(elf[40..]);
        int count = BinaryPrimitives.ReadUInt16LittleEndian(elf[60..]);
        var symbols = new Dictionary<string, ulong>(StringComparer.Ordinal);
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> header = elf.Slice(sections + i * SectionHeaderSize, SectionHeaderSize);
            if (BinaryPrimitives.ReadInt32LittleEndian(header[4..]) != SymbolTableType) continue;
            int link = BinaryPrimitives.ReadInt32LittleEndian(header[40..]);
            ReadOnlySpan<byte> names = SectionContent(elf, elf.Slice(sections + link * SectionHeaderSize, SectionHeaderSize));
            for (ReadOnlySpan<byte> table = SectionContent(elf, header); table.Length >= SymbolSize; table = table[SymbolSize..])
            {
                ReadOnlySpan<byte> name = names[BinaryPrimitives.ReadInt32LittleEndian(table)..];
                symbols[Encoding.ASCII.GetString(name[..name.IndexOf((byte)0)])] = BinaryPrimitives.ReadUInt64LittleEndian(table[8..]);
            }
        }
        return symbols;
    }

    private static ReadOnlySpan<byte> SectionContent(ReadOnlySpan<byte> elf, ReadOnlySpan<byte> header) =>
        elf.Slice((int)BinaryPrimitives.ReadUInt64LittleEndian(header[24..]), (int)BinaryPrimitives.ReadUInt64LittleEndian(header[32..]));
}
