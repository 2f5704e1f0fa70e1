using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text;
using TestKit;
using Vmm.Memory;
using Vmm.Platform;
using Vmm.Platform.Firmware;
using Xunit;

namespace Boot.Tests;

public sealed class FirmwareTableTests : IDisposable
{
    private readonly PhysicalMemory _memory = new(16 << 20);

    public void Dispose() => _memory.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    public void AcpiTablesLinkUpWithRightChecksums(int cpuCount)
    {
        ulong rsdp = Install(cpuCount).RsdpAddress;
        Assert.Equal("RSD PTR ", Ascii(rsdp, 8));
        Assert.Equal(0, Sum(rsdp, 20));
        Assert.Equal(0, Sum(rsdp, 36));
        Dictionary<string, ulong> byRsdt = Tables(U32(rsdp + 16), 4), byXsdt = Tables(U64(rsdp + 24), 8);
        Assert.Equal(byRsdt, byXsdt);

        ulong fadt = byXsdt["FACP"];
        Assert.Equal(9, U16(fadt + 46));
        Assert.Equal(0x600u, U32(fadt + 56));
        Assert.Equal(0x604u, U32(fadt + 64));
        Assert.Equal(0x608u, U32(fadt + 76));
        Assert.Equal(0xCF9ul, U64(fadt + 120));
        Assert.Equal(6, Byte(fadt + 128));
        ulong facs = U32(fadt + 36);
        Assert.Equal(0ul, facs % 64);
        Assert.Equal("FACS", Ascii(facs, 4));
        Assert.Equal(U32(fadt + 40), U64(fadt + 140));
        Assert.Equal("DSDT", Ascii(U32(fadt + 40), 4));
        Assert.Equal(0, Sum(U32(fadt + 40), (int)U32(U32(fadt + 40) + 4)));

        ulong madt = byXsdt["APIC"];
        int processors = 0, ioApics = 0, overrides = 0;
        for (ulong at = madt + 44; at < madt + U32(madt + 4); at += Byte(at + 1))
        {
            if (Byte(at) == 0) Assert.Equal(processors++, Byte(at + 3));
            if (Byte(at) == 1) ioApics++;
            if (Byte(at) == 2) overrides++;
        }
        Assert.Equal((cpuCount, 1, 2), (processors, ioApics, overrides));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    public void AcpiToolsReadTheTables(int cpuCount)
    {
        HostTool.Require("iasl", "acpica-tools");
        ulong rsdp = Install(cpuCount).RsdpAddress;
        Dictionary<string, ulong> tables = Tables(U64(rsdp + 24), 8);
        tables["DSDT"] = U64(tables["FACP"] + 140);
        DirectoryInfo directory = Directory.CreateTempSubdirectory("acpi");
        foreach ((string name, ulong address) in tables)
        {
            string file = Path.Combine(directory.FullName, name.ToLower(CultureInfo.InvariantCulture));
            File.WriteAllBytes(file + ".dat", Read(address, (int)U32(address + 4)));
            (int exitCode, string output) = RunIasl(directory, "-d", file + ".dat");
            bool complains = output.Contains("Error", StringComparison.Ordinal) || output.Contains("Warning", StringComparison.Ordinal);
            Assert.True(exitCode == 0 && !complains, output);
        }
        string source = File.ReadAllText(Path.Combine(directory.FullName, "dsdt.dsl"));
        foreach (string expected in new[] { "Name (_S5", "PNP0A03", "PNP0501", "PNP0303", "ACPI0007", "Method (_PRT", "0xFEBFFFFF" })
            Assert.Contains(expected, source);
        // What was disassembled compiles again, without a complaint, to the same code.
        (int compiled, string messages) = RunIasl(directory, "-p", "again", "dsdt.dsl");
        Assert.True(compiled == 0 && messages.Contains(" 0 Errors, 0 Warnings", StringComparison.Ordinal), messages);
        byte[] block = Read(tables["DSDT"], (int)U32(tables["DSDT"] + 4));
        Assert.Equal(block[36..], File.ReadAllBytes(Path.Combine(directory.FullName, "again.aml"))[36..]);
        directory.Delete(recursive: true);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    public void MultiProcessorTablesAreFoundAsKernelsSearchThem(int cpuCount)
    {
        Install(cpuCount);
        ulong floating = 0;
        for (ulong at = 0xF_0000; at < 0x10_0000 && floating == 0; at += 16)
            if (Ascii(at, 4) == "_MP_" && Sum(at, 16) == 0) floating = at;
        Assert.NotEqual(0ul, floating);
        ulong configuration = U32(floating + 4);
        Assert.Equal("PCMP", Ascii(configuration, 4));
        Assert.Equal(4, Byte(configuration + 6));
        int size = U16(configuration + 4);
        Assert.Equal(0, Sum(configuration, size));
        Assert.Equal(0xFEE0_0000u, U32(configuration + 36));

        var counts = new int[5];
        ulong entry = configuration + 44;
        int isaTimerInput = -1;
        while (entry < configuration + (ulong)size)
        {
            byte type = Byte(entry);
            Assert.InRange(type, 0, 4);
            if (type == 0) Assert.Equal(counts[0] == 0 ? 3 : 1, Byte(entry + 3));
            if (type == 3 && Byte(entry + 4) == 1 && Byte(entry + 5) == 0) isaTimerInput = Byte(entry + 7);
            counts[type]++;
            entry += type == 0 ? 20u : 8u;
        }
        Assert.Equal(configuration + (ulong)size, entry);
        Assert.Equal(U16(configuration + 34), counts.Sum());
        Assert.Equal([cpuCount, 2, 1, 15 + 128, 2], counts);
        Assert.Equal(2, isaTimerInput);
    }

    [Fact]
    public void LoaderScriptLinksTheSameTables()
    {
        var tables = new FirmwareTables(4);
        byte[] block = tables.FwCfgTables.ToArray(), rsdp = tables.FwCfgRsdp.ToArray(), script = tables.TableLoaderScript.ToArray();
        Assert.Equal(0, script.Length % 128);
        // A BIOS in a few lines: our own placement of the same tables must come out.
        for (int at = 0; at < script.Length; at += 128)
        {
            string file = Encoding.ASCII.GetString(script, at + 4, 56).TrimEnd('\0');
            byte[] target = file == "etc/acpi/tables" ? block : rsdp;
            Assert.True(file is "etc/acpi/tables" or "etc/acpi/rsdp");
            switch (BitConverter.ToUInt32(script, at))
            {
                case 1:
                    Assert.Equal(file == "etc/acpi/rsdp" ? 2 : 1, script[at + 64]);
                    break;
                case 2:
                    Assert.Equal("etc/acpi/tables", Encoding.ASCII.GetString(script, at + 60, 56).TrimEnd('\0'));
                    int offset = BitConverter.ToInt32(script, at + 116);
                    Images.Put32(target, offset, BitConverter.ToUInt32(target, offset) + (uint)tables.AcpiAddress);
                    break;
                case 3:
                    int checksum = BitConverter.ToInt32(script, at + 60), start = BitConverter.ToInt32(script, at + 64);
                    int length = BitConverter.ToInt32(script, at + 68);
                    target[checksum] = 0;
                    target[checksum] = (byte)-target.AsSpan(start, length).ToArray().Sum(b => b);
                    break;
                default:
                    Assert.Fail("unknown command");
                    break;
            }
        }
        tables.Install(_memory);
        Assert.Equal(Read(tables.RsdpAddress, 36), rsdp);
        Assert.Equal(Read(tables.AcpiAddress, block.Length), block);
    }

    [Fact]
    public void BiosDataAreaLeadsToTheExtendedOne()
    {
        Install(1);
        Assert.Equal(0x9FC0, U16(0x40E));
        Assert.Equal(639, U16(0x413));
        Assert.Equal(0x3F8, U16(0x400));
        Assert.Equal(1, Byte(0x9_FC00));
    }

    private static (int ExitCode, string Output) RunIasl(DirectoryInfo directory, params string[] arguments)
    {
        ToolResult result = HostTool.Run("iasl", arguments, TimeSpan.FromMinutes(1), directory.FullName);
        return (result.ExitCode, result.Output + result.Error);
    }

    private FirmwareTables Install(int cpuCount)
    {
        var tables = new FirmwareTables(cpuCount);
        tables.Install(_memory);
        return tables;
    }

    /// <summary>The tables that a root table lists, by signature, with their checksums checked.</summary>
    private Dictionary<string, ulong> Tables(ulong root, int pointerSize)
    {
        Assert.Equal(0, Sum(root, (int)U32(root + 4)));
        var tables = new Dictionary<string, ulong>();
        for (ulong at = root + 36; at < root + U32(root + 4); at += (ulong)pointerSize)
        {
            ulong table = pointerSize == 4 ? U32(at) : U64(at);
            Assert.Equal(0, Sum(table, (int)U32(table + 4)));
            tables[Ascii(table, 4)] = table;
        }
        return tables;
    }

    private byte[] Read(ulong address, int count)
    {
        byte[] bytes = new byte[count];
        _memory.Read(new GuestPhysicalAddress(address), bytes);
        return bytes;
    }

    private byte Byte(ulong address) => Read(address, 1)[0];
    private ushort U16(ulong address) => BitConverter.ToUInt16(Read(address, 2));
    private uint U32(ulong address) => BitConverter.ToUInt32(Read(address, 4));
    private ulong U64(ulong address) => BitConverter.ToUInt64(Read(address, 8));
    private string Ascii(ulong address, int count) => Encoding.ASCII.GetString(Read(address, count));
    private int Sum(ulong address, int count) => Read(address, count).Sum(b => b) & 0xFF;
}
