namespace Vmm.Platform.Firmware;

/// <summary>
/// QEMU's "etc/table-loader": 128-byte commands by which a BIOS allocates the ACPI files, turns offsets into addresses and computes
/// checksums (SeaBIOS src/fw/romfile_loader.h describes the format).
/// </summary>
internal static class TableLoaderScript
{
    public const string TablesFile = "etc/acpi/tables", RsdpFile = "etc/acpi/rsdp";
    private const int CommandSizeBytes = 128, FileNameSizeBytes = 56;
    private const uint Allocate = 1, AddPointer = 2, AddChecksum = 3;
    private const byte HighMemory = 1, FSegment = 2;

    public static byte[] Build(AcpiTables tables)
    {
        var script = new TableBuilder();
        Command(script, Allocate, RsdpFile).U32(16).U8(FSegment);
        Command(script, Allocate, TablesFile).U32(AcpiTables.BlockAlignment).U8(HighMemory);
        foreach (TablePointer pointer in tables.Pointers) Link(script, TablesFile, pointer.Offset, pointer.SizeBytes);
        foreach (TableRange table in tables.Checksums)
            Sum(script, TablesFile, AcpiTables.ChecksumOffset + table.Offset, table.Offset, table.SizeBytes);
        Link(script, RsdpFile, AcpiTables.RsdpRsdtOffset, 4);
        Link(script, RsdpFile, AcpiTables.RsdpXsdtOffset, 8);
        Sum(script, RsdpFile, AcpiTables.RsdpChecksumOffset, 0, AcpiTables.RsdpVersion1SizeBytes);
        Sum(script, RsdpFile, AcpiTables.RsdpExtendedChecksumOffset, 0, AcpiTables.RsdpSizeBytes);
        return script.AlignTo(CommandSizeBytes).ToArray();
    }

    /// <summary>Begins a command; what the previous one left of its 128 bytes is zero.</summary>
    private static TableBuilder Command(TableBuilder script, uint command, string file) =>
        script.AlignTo(CommandSizeBytes).U32(command).Text(file, FileNameSizeBytes, '\0');

    /// <summary>Adds the address of the tables file to the offset that stands at a place.</summary>
    private static void Link(TableBuilder script, string inFile, int offset, int sizeBytes) =>
        Command(script, AddPointer, inFile).Text(TablesFile, FileNameSizeBytes, '\0').U32((uint)offset).U8((byte)sizeBytes);

    private static void Sum(TableBuilder script, string file, int checksumOffset, int start, int sizeBytes) =>
        Command(script, AddChecksum, file).U32((uint)checksumOffset).U32((uint)start).U32((uint)sizeBytes);
}
