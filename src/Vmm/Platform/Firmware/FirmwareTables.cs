using System;
using Vmm.Memory;

namespace Vmm.Platform.Firmware;

/// <summary>
/// ACPI and MultiProcessor tables of a machine: ready to be placed below 1 MiB for kernels that we boot ourselves, or offered to a BIOS
/// through QEMU's fw_cfg, with the script that tells it how to link them (QEMU docs/specs/fw_cfg, SeaBIOS romfile_loader).
/// </summary>
public sealed class FirmwareTables
{
    private readonly AcpiTables _acpi;
    private readonly byte[] _placed, _rsdp, _unlinkedRsdp, _multiProcessor;

    /// <param name="cpuCount">1..8 vCPUs, whose APIC IDs are 0, 1, ...</param>
    public FirmwareTables(int cpuCount)
    {
        Invariant.Check(cpuCount is >= 1 and <= 255);
        _acpi = new AcpiTables(cpuCount);
        RsdpAddress = PlatformLayout.FirmwareTablesStart;
        uint acpiAddress = AlignUp((uint)RsdpAddress + AcpiTables.RsdpSizeBytes, AcpiTables.BlockAlignment);
        _rsdp = _acpi.Rsdp(acpiAddress);
        _unlinkedRsdp = _acpi.UnlinkedRsdp();
        AcpiAddress = acpiAddress;
        _placed = _acpi.PlacedAt(acpiAddress);
        uint multiProcessorAddress = AlignUp(acpiAddress + (uint)_placed.Length, 16);
        MultiProcessorAddress = multiProcessorAddress;
        _multiProcessor = MultiProcessorTables.Build(cpuCount, multiProcessorAddress);
        Invariant.Check(multiProcessorAddress + (ulong)_multiProcessor.Length <= PlatformLayout.FirmwareTablesEnd);
        TableLoaderScript = Firmware.TableLoaderScript.Build(_acpi);
    }

    /// <summary>Guest-physical address of the RSDP after <see cref="Install"/>.</summary>
    public ulong RsdpAddress { get; }
    /// <summary>Guest-physical address of the other ACPI tables after <see cref="Install"/>.</summary>
    public ulong AcpiAddress { get; }
    /// <summary>Guest-physical address of the MP floating pointer structure after <see cref="Install"/>.</summary>
    public ulong MultiProcessorAddress { get; }
    /// <summary>The RSDP that <see cref="Install"/> places, 36 bytes.</summary>
    public ReadOnlyMemory<byte> Rsdp => _rsdp;

    /// <summary>fw_cfg file "etc/acpi/tables": the tables, linked from offset 0.</summary>
    public ReadOnlyMemory<byte> FwCfgTables => _acpi.Block;
    /// <summary>fw_cfg file "etc/acpi/rsdp", to be linked.</summary>
    public ReadOnlyMemory<byte> FwCfgRsdp => _unlinkedRsdp;
    /// <summary>fw_cfg file "etc/table-loader": how the BIOS places and links the other two.</summary>
    public ReadOnlyMemory<byte> TableLoaderScript { get; }

    /// <summary>Places everything below 1 MiB, with the BIOS data area that leads kernels there.</summary>
    public void Install(PhysicalMemory memory)
    {
        memory.Write(new GuestPhysicalAddress(RsdpAddress), _rsdp);
        memory.Write(new GuestPhysicalAddress(AcpiAddress), _placed);
        memory.Write(new GuestPhysicalAddress(MultiProcessorAddress), _multiProcessor);
        BiosDataArea.Install(memory);
    }

    private static uint AlignUp(uint value, uint alignment) => (value + alignment - 1) & ~(alignment - 1);
}
