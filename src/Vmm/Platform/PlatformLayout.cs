using System;

namespace Vmm.Platform;

/// <summary>
/// Where everything of the platform is: addresses, ports and interrupt wiring that the chips, the firmware tables and the boot loaders must
/// agree about. A guest learns them from the tables, so a change here is a change of the machine.
/// </summary>
public static class PlatformLayout
{
    // ---- Memory.

    /// <summary>The BIOS data area (segment 0x40): serial ports, memory size and the EBDA's segment are what kernels read of it.</summary>
    public const ulong BiosDataArea = 0x400;
    /// <summary>The extended BIOS data area: the last KiB of conventional memory.</summary>
    public const ulong ExtendedBiosDataArea = 0x9_FC00;
    /// <summary>Text memory of the VGA adapter in colour modes.</summary>
    public const ulong VgaTextMemory = 0xB_8000;
    /// <summary>Start of the upper memory area: no RAM for a kernel from here to 1 MiB.</summary>
    public const ulong UpperMemoryArea = 0xA_0000;
    /// <summary>Where ACPI and MP tables lie when no BIOS places them: both searches (ACPI 5.2.5.1, MP 1.4 chapter 4) look here.</summary>
    public const ulong FirmwareTablesStart = 0xF_0000;
    /// <summary>First byte after the room for firmware tables: the minimal BIOS follows.</summary>
    public const ulong FirmwareTablesEnd = 0xF_E000;
    public const ulong OneMebibyte = 0x10_0000;

    /// <summary>Every vCPU's local APIC at reset (SDM 3A 10.4.1).</summary>
    public const ulong LocalApicBase = 0xFEE0_0000;
    /// <summary>The I/O APIC (82093AA datasheet); its APIC ID is 0 and its first input is global system interrupt 0.</summary>
    public const ulong IoApicBase = 0xFEC0_0000;
    public const int IoApicId = 0;
    public const int IoApicInputCount = 24;

    /// <summary>Guest-physical addresses that PCI functions may decode: first and last byte.</summary>
    public const uint PciHoleStart = 0xC000_0000, PciHoleLast = 0xFEBF_FFFF;

    // ---- Ports.

    /// <summary>ACPI fixed hardware (ACPI 4.8.3): PM1a status and enable, 4 bytes.</summary>
    public const ushort Pm1aEventPort = 0x600;
    /// <summary>PM1a control, 2 bytes.</summary>
    public const ushort Pm1aControlPort = 0x604;
    /// <summary>The power-management timer, 4 bytes: 32 bits that count at 3.579545 MHz.</summary>
    public const ushort PmTimerPort = 0x608;
    /// <summary>SLP_TYP of S5 (soft off) as the DSDT tells it.</summary>
    public const int SleepTypeSoftOff = 5;
    /// <summary>The reset control register of Intel's chipsets; <see cref="ResetValue"/> written to it resets the machine.</summary>
    public const ushort ResetPort = 0xCF9;
    public const byte ResetValue = 6;
    public const ushort PciConfigAddressPort = 0xCF8, PciConfigDataPort = 0xCFC;
    public const ushort Serial1Port = 0x3F8, Serial2Port = 0x2F8;

    // ---- Interrupts.

    public const int TimerIrq = 0, KeyboardIrq = 1, Serial2Irq = 3, Serial1Irq = 4, RtcIrq = 8, MouseIrq = 12;
    public const int PrimaryAtaIrq = 14, SecondaryAtaIrq = 15;
    /// <summary>The ACPI system control interrupt: level-triggered, active high.</summary>
    public const int SciIrq = 9;
    /// <summary>The I/O APIC input that the 8254 drives, as on every PC: IRQ 0 is input 2.</summary>
    public const int TimerGlobalInterrupt = 2;

    public const int PciSlotCount = 32, PciPinCount = 4, PirqCount = 4;
    /// <summary>The PCI-to-ISA bridge with its power management function, whose interrupt is the SCI.</summary>
    public const int IsaBridgeSlot = 1;

    /// <summary>The 8259 inputs of PIRQA..PIRQD, as the firmware programs the bridge: shared and level-triggered.</summary>
    public static ReadOnlySpan<byte> LegacyIrqOfPirq => [10, 10, 11, 11];

    /// <summary>Which of PIRQA..PIRQD (0..3) a PCI interrupt pin is wired to: each slot is turned by one, as on the 440FX boards.</summary>
    /// <param name="slot">Device number on bus 0, 0..31.</param>
    /// <param name="pin">0 for INTA# .. 3 for INTD#.</param>
    public static int Pirq(int slot, int pin) => (slot + pin - 1) & (PirqCount - 1);

    /// <summary>The I/O APIC input of the same pin: PIRQA..PIRQD are inputs 16..19.</summary>
    public static int PciGlobalInterrupt(int slot, int pin) => IsSystemControlInterrupt(slot, pin) ? SciIrq : 16 + Pirq(slot, pin);

    /// <summary>The 8259 input of the same pin. It drives this and its I/O APIC input together.</summary>
    public static int PciLegacyIrq(int slot, int pin) => IsSystemControlInterrupt(slot, pin) ? SciIrq : LegacyIrqOfPirq[Pirq(slot, pin)];

    private static bool IsSystemControlInterrupt(int slot, int pin) => slot == IsaBridgeSlot && pin == 0;
}
