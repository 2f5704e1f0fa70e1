using System;
using System.Collections.Generic;

namespace Vmm.Platform.Firmware;

/// <summary>
/// The ACPI tables (ACPI 2.0 layout, which every later system reads) as one block of bytes plus the list of pointers and checksums in it,
/// so that the same block can be placed by us or, through fw_cfg, by a BIOS.
/// </summary>
internal sealed class AcpiTables
{
    public const int RsdpSizeBytes = 36, RsdpVersion1SizeBytes = 20;
    /// <summary>Offsets in the RSDP (ACPI 5.2.5.3).</summary>
    public const int RsdpChecksumOffset = 8, RsdpRsdtOffset = 16, RsdpXsdtOffset = 24, RsdpExtendedChecksumOffset = 32;
    /// <summary>Offset of the checksum in every system description table (ACPI 5.2.6).</summary>
    public const int ChecksumOffset = 9;
    private const int HeaderSizeBytes = 36, FacsSizeBytes = 64, FacsAlignment = 64;

    private readonly List<TablePointer> _pointers = [];
    private readonly List<TableRange> _checksums = [];
    private readonly TableBuilder _block = new();

    public AcpiTables(int cpuCount)
    {
        // The FACS comes first, so that the block's alignment is its own (ACPI 5.2.10: 64 bytes).
        int facs = Facs();
        int dsdt = Table("DSDT", 2, DifferentiatedSystemDescription.Build(cpuCount));
        int fadt = Table("FACP", 3, FixedDescription());
        Point(fadt + 36, 4, facs);
        Point(fadt + 40, 4, dsdt);
        Point(fadt + 140, 8, dsdt);
        int madt = Table("APIC", 3, MultipleApicDescription(cpuCount));

        RsdtOffset = Table("RSDT", 1, new byte[2 * 4]);
        Point(RsdtOffset + HeaderSizeBytes, 4, fadt);
        Point(RsdtOffset + HeaderSizeBytes + 4, 4, madt);
        XsdtOffset = Table("XSDT", 1, new byte[2 * 8]);
        Point(XsdtOffset + HeaderSizeBytes, 8, fadt);
        Point(XsdtOffset + HeaderSizeBytes + 8, 8, madt);
        Block = _block.ToArray();
        foreach (TablePointer pointer in _pointers) TableBuilder.PutU32(Block, pointer.Offset, (uint)pointer.Target);
    }

    public const int BlockAlignment = FacsAlignment;

    /// <summary>All tables but the RSDP, with pointers as offsets into this block and checksums zero.</summary>
    public byte[] Block { get; }
    public int RsdtOffset { get; }
    public int XsdtOffset { get; }
    public IReadOnlyList<TablePointer> Pointers => _pointers;
    public IReadOnlyList<TableRange> Checksums => _checksums;

    /// <summary>The block as it is when placed at <paramref name="address"/>.</summary>
    public byte[] PlacedAt(uint address)
    {
        byte[] bytes = (byte[])Block.Clone();
        foreach (TablePointer pointer in _pointers)
        {
            if (pointer.SizeBytes == 4) TableBuilder.PutU32(bytes, pointer.Offset, address + (uint)pointer.Target);
            else TableBuilder.PutU64(bytes, pointer.Offset, address + (ulong)pointer.Target);
        }
        foreach (TableRange table in _checksums) TableBuilder.SetChecksum(bytes.AsSpan(table.Offset, table.SizeBytes), ChecksumOffset);
        return bytes;
    }

    /// <summary>The root system description pointer, revision 2 (ACPI 5.2.5.3), for a block at <paramref name="blockAddress"/>.</summary>
    public byte[] Rsdp(uint blockAddress)
    {
        byte[] rsdp = UnlinkedRsdp();
        TableBuilder.PutU32(rsdp, RsdpRsdtOffset, blockAddress + (uint)RsdtOffset);
        TableBuilder.PutU64(rsdp, RsdpXsdtOffset, blockAddress + (ulong)XsdtOffset);
        TableBuilder.SetChecksum(rsdp.AsSpan(0, RsdpVersion1SizeBytes), RsdpChecksumOffset);
        TableBuilder.SetChecksum(rsdp, RsdpExtendedChecksumOffset);
        return rsdp;
    }

    /// <summary>The same with offsets in place of addresses, and no checksums.</summary>
    public byte[] UnlinkedRsdp() => new TableBuilder().Text("RSD PTR ", 8).U8(0).Text(OemId, 6).U8(2).U32((uint)RsdtOffset)
        .U32(RsdpSizeBytes).U64((ulong)XsdtOffset).Zeros(4).ToArray();

    private const string OemId = "TTVM";

    private void Point(int offset, int sizeBytes, int target) => _pointers.Add(new(offset, sizeBytes, target));

    /// <summary>Appends a table: the common header (ACPI 5.2.6), then <paramref name="body"/>.</summary>
    private int Table(string signature, byte revision, byte[] body)
    {
        _block.AlignTo(16);
        int offset = _block.SizeBytes;
        int size = HeaderSizeBytes + body.Length;
        _block.Text(signature, 4).U32((uint)size).U8(revision).U8(0).Text(OemId, 6).Text("TTVM" + signature, 8).U32(1)
            .Text("TTVM", 4).U32(1).Bytes(body);
        _checksums.Add(new(offset, size));
        return offset;
    }

    private int Facs()
    {
        int offset = _block.SizeBytes;
        _block.Text("FACS", 4).U32(FacsSizeBytes).Zeros(24).U8(1).Zeros(FacsSizeBytes - 33);
        return offset;
    }

    /// <summary>
    /// The FADT after its header (ACPI 5.2.9). SMI_CMD is 0: the machine is in ACPI mode from the start, SCI_EN always reads 1.
    /// </summary>
    private static byte[] FixedDescription()
    {
        const byte pm1EventSize = 4, pm1ControlSize = 2, timerSize = 4;
        const ushort noC2 = 0x0FFF, noC3 = 0x0FFF;
        const byte cmosCentury = 0x32;
        const ushort legacyDevices = 1, keyboardController8042 = 2;
        const uint writeBackInvalidate = 1 << 0, c1Works = 1 << 2, noSleepButton = 1 << 5, timerHas32Bits = 1 << 8;
        const uint resetRegister = 1 << 10;

        var t = new TableBuilder();
        t.U32(0).U32(0).U8(0).U8(0).U16(PlatformLayout.SciIrq).U32(0).Zeros(4);
        t.U32(PlatformLayout.Pm1aEventPort).U32(0).U32(PlatformLayout.Pm1aControlPort).U32(0).U32(0);
        t.U32(PlatformLayout.PmTimerPort).U32(0).U32(0);
        t.U8(pm1EventSize).U8(pm1ControlSize).U8(0).U8(timerSize).U8(0).U8(0).U8(0).U8(0);
        t.U16(noC2).U16(noC3).U16(0).U16(0).U8(0).U8(0).U8(0).U8(0).U8(cmosCentury).U16(legacyDevices | keyboardController8042).U8(0);
        t.U32(writeBackInvalidate | c1Works | noSleepButton | timerHas32Bits | resetRegister);
        PortAddress(t, PlatformLayout.ResetPort, 8);
        t.U8(PlatformLayout.ResetValue).Zeros(3).U64(0).U64(0);
        PortAddress(t, PlatformLayout.Pm1aEventPort, 8 * pm1EventSize);
        NoAddress(t);
        PortAddress(t, PlatformLayout.Pm1aControlPort, 8 * pm1ControlSize);
        NoAddress(t);
        NoAddress(t);
        PortAddress(t, PlatformLayout.PmTimerPort, 8 * timerSize);
        NoAddress(t);
        NoAddress(t);
        Invariant.Check(HeaderSizeBytes + t.SizeBytes == 244);
        return t.ToArray();
    }

    /// <summary>A generic address structure in the system I/O space (ACPI 5.2.3.2).</summary>
    private static void PortAddress(TableBuilder t, ushort port, int bitWidth)
    {
        byte accessSize = (byte)(bitWidth switch { 8 => 1, 16 => 2, _ => 3 });
        t.U8(1).U8((byte)bitWidth).U8(0).U8(accessSize).U64(port);
    }

    private static void NoAddress(TableBuilder t) => t.U8(1).Zeros(11);

    /// <summary>The MADT after its header (ACPI 5.2.12).</summary>
    private static byte[] MultipleApicDescription(int cpuCount)
    {
        const uint pcCompatible = 1;
        const ushort activeHighLevel = 0xD, busDefault = 0;
        var t = new TableBuilder();
        t.U32((uint)PlatformLayout.LocalApicBase).U32(pcCompatible);
        for (int i = 0; i < cpuCount; i++) t.U8(0).U8(8).U8((byte)i).U8((byte)i).U32(1);
        t.U8(1).U8(12).U8(PlatformLayout.IoApicId).U8(0).U32((uint)PlatformLayout.IoApicBase).U32(0);
        t.U8(2).U8(10).U8(0).U8(PlatformLayout.TimerIrq).U32(PlatformLayout.TimerGlobalInterrupt).U16(busDefault);
        t.U8(2).U8(10).U8(0).U8(PlatformLayout.SciIrq).U32(PlatformLayout.SciIrq).U16(activeHighLevel);
        // NMI arrives at LINT1 of every local APIC.
        t.U8(4).U8(6).U8(0xFF).U16(busDefault).U8(1);
        return t.ToArray();
    }
}

/// <summary>A pointer inside the tables.</summary>
/// <param name="Offset">Where it is.</param>
/// <param name="SizeBytes">4 or 8.</param>
/// <param name="Target">Offset of what it points to.</param>
internal readonly record struct TablePointer(int Offset, int SizeBytes, int Target);

/// <summary>A table inside the block.</summary>
internal readonly record struct TableRange(int Offset, int SizeBytes);
