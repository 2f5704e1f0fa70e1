using System;
using System.Collections.Generic;
using Vmm.Buses;
using Vmm.Devices;
using Vmm.Devices.Ata;
using Vmm.Devices.Pci;
using Vmm.Devices.Virtio;
using Vmm.Inputs;
using Vmm.Memory;
using Vmm.Platform.Firmware;
using Vmm.Snapshots;
using Vmm.Time;

namespace Vmm.Platform;

/// <summary>What chips need from the machine around them.</summary>
/// <param name="Clock">Guest time.</param>
/// <param name="Timers">Where deadlines are kept.</param>
/// <param name="Signal">Told when interrupt outputs may have changed.</param>
/// <param name="Power">Told of power-off and reset.</param>
/// <param name="Cpus">INIT, SIPI and NMI.</param>
/// <param name="CurrentCpu">Whose access it is.</param>
/// <param name="Entropy">Random bytes.</param>
/// <param name="Outputs">Where output goes, by channel.</param>
internal sealed record ChipsetServices(IClock Clock, TimerQueue Timers, IInterruptSignal Signal, IPowerControl Power, ICpuControl Cpus, ICurrentCpu CurrentCpu,
    IEntropySource Entropy, Func<OutputChannel, IByteSink> Outputs);

/// <summary>The board: every chip, wired. The only place that knows which interrupt input and which port belongs to whom.</summary>
internal sealed class Chipset : IMsiSink
{
    private const int VirtioFirstSlot = 4;
    private const uint FirstPciPort = 0xC000, FirstPciAddress = 0xE000_0000;

    private readonly ApicBus _apicBus;
    private readonly List<ISnapshotted> _parts = [];

    public Chipset(MachineConfiguration configuration, PhysicalMemory memory, FirmwareTables tables, ChipsetServices services)
    {
        (IClock clock, TimerQueue timers) = (services.Clock, services.Timers);
        Pic = Part(new InterruptController8259(services.Signal));
        _apicBus = new ApicBus(services.Cpus);
        LocalApics = new LocalApic[configuration.CpuCount];
        for (int i = 0; i < LocalApics.Length; i++)
        {
            LocalApics[i] = Part(new LocalApic(i, clock, timers, _apicBus, services.Signal));
            _apicBus.Attach(LocalApics[i]);
        }
        IoApic = Part(new IoApic(_apicBus));
        _apicBus.Attach(IoApic);
        memory.Mmio.Map(new GuestPhysicalAddress(PlatformLayout.LocalApicBase), 0x1000, new LocalApicPage(LocalApics, services.CurrentCpu));
        memory.Mmio.Map(new GuestPhysicalAddress(PlatformLayout.IoApicBase), 0x1000, IoApic);
        MapPorts(Pic, (0x20, 2), (0xA0, 2), (0x4D0, 2));

        var isa = new IrqLine[16];
        var fanOut = new IsaIrqFanOut(Pic, IoApic);
        for (int i = 0; i < isa.Length; i++) isa[i] = new IrqLine(fanOut, i);

        Timer = Part(new Timer8254(clock, timers, isa[PlatformLayout.TimerIrq]));
        MapPorts(Timer, (0x40, 4));
        MapPorts(Part(new SystemControlPortB(clock, Timer)), (0x61, 1));
        RealTimeClock = Part(new RealTimeClock(clock, timers, isa[PlatformLayout.RtcIrq], configuration.StartTimeSeconds));
        RealTimeClock.SetMemorySize(memory.LowSizeBytes, memory.HighSizeBytes);
        MapPorts(RealTimeClock, (0x70, 2));
        Serial =
        [
            Part(new Uart16550(0, clock, timers, isa[PlatformLayout.Serial1Irq], services.Outputs(OutputChannel.Serial0), PlatformLayout.Serial1Port)),
            Part(new Uart16550(1, clock, timers, isa[PlatformLayout.Serial2Irq], services.Outputs(OutputChannel.Serial1), PlatformLayout.Serial2Port)),
        ];
        MapPorts(Serial[0], (PlatformLayout.Serial1Port, 8));
        MapPorts(Serial[1], (PlatformLayout.Serial2Port, 8));
        Keyboard = Part(new KeyboardController8042(isa[PlatformLayout.KeyboardIrq], isa[PlatformLayout.MouseIrq], services.Power));
        MapPorts(Keyboard, (0x60, 1), (0x64, 1));
        Vga = Part(new VgaText(clock));
        MapPorts(Vga, (0x3B0, 0x30));
        PowerManagement = Part(new AcpiPowerManagement(clock, timers, isa[PlatformLayout.SciIrq], services.Power, PlatformLayout.Pm1aEventPort,
            PlatformLayout.SleepTypeSoftOff, is32Bit: true));
        MapPorts(PowerManagement, (PlatformLayout.Pm1aEventPort, 12));
        MapPorts(new DebugExit(services.Power), (0xF4, 4));
        MapPorts(new DebugConsole(services.Outputs(OutputChannel.DebugConsole)), (0xE9, 1));

        var apicInputs = new IrqLine[4];
        for (int i = 0; i < 4; i++) apicInputs[i] = new IrqLine(IoApic, 16 + i);
        BuildPci(configuration, memory, services, isa, apicInputs);
        if (configuration.Boot == BootKind.Bios) BuildFirmwareConfiguration(configuration, memory, tables);
        else InitializeAsFirmware();
    }

    public PortBus Ports { get; } = new();
    public InterruptController8259 Pic { get; }
    public LocalApic[] LocalApics { get; }
    public IoApic IoApic { get; }
    public Timer8254 Timer { get; }
    public RealTimeClock RealTimeClock { get; }
    public Uart16550[] Serial { get; }
    public KeyboardController8042 Keyboard { get; }
    public VgaText Vga { get; }
    public AcpiPowerManagement PowerManagement { get; }
    public VirtioConsole VirtioConsole { get; private set; } = null!;
    public VirtioBalloon VirtioBalloon { get; private set; } = null!;
    public List<Disk> Disks { get; } = [];

    /// <summary>Every chip with state, in the order of a snapshot.</summary>
    public IReadOnlyList<ISnapshotted> Parts => _parts;

    public void SendMessage(ulong address, uint data) => _apicBus.SendMsi(address, data);

    private T Part<T>(T part) where T : ISnapshotted
    {
        _parts.Add(part);
        return part;
    }

    private void MapPorts(IPortDevice device, params ReadOnlySpan<(int First, int Count)> ranges)
    {
        foreach ((int first, int count) in ranges) Ports.Map(first, count, device);
    }

    private void BuildPci(MachineConfiguration configuration, PhysicalMemory memory, ChipsetServices services, IrqLine[] isa, IrqLine[] apicInputs)
    {
        Piix3IsaBridge isaBridge = Part(new Piix3IsaBridge(isa, apicInputs));
        var bus = new PciBus(Ports, memory.Mmio, isaBridge);
        PciHostBridge hostBridge = Part(new PciHostBridge(bus, Ports));
        ResetControl reset = Part(new ResetControl(services.Power));
        hostBridge.ResetControl = reset;
        MapPorts(reset, (0x92, 1));
        bus.Add(isaBridge, PlatformLayout.IsaBridgeSlot);

        for (int i = 0; i < 4; i++)
            if (configuration.FindImage($"disk{i}") is { } image) Disks.Add(new Disk($"disk{i}", image.Content));
        bool virtioDisks = configuration.DiskInterface == DiskInterface.Virtio;
        Disk? AtaDisk(int i) => !virtioDisks && i < Disks.Count ? Disks[i] : null;
        AtaChannel primary = Part(new AtaChannel("ata0", Ports, 0x1F0, 0x3F6, isa[PlatformLayout.PrimaryAtaIrq], AtaDisk(0), AtaDisk(1), hasDma: true));
        AtaChannel secondary = Part(new AtaChannel("ata1", Ports, 0x170, 0x376, isa[PlatformLayout.SecondaryAtaIrq], AtaDisk(2), AtaDisk(3), hasDma: true));
        bus.Add(Part(new Piix3Ide(memory, primary, secondary)), PlatformLayout.IsaBridgeSlot, 1);
        Piix4PowerManagement power = Part(new Piix4PowerManagement(PowerManagement, PlatformLayout.Pm1aEventPort));
        bus.Add(power, PlatformLayout.IsaBridgeSlot, 3);

        VirtioConsole = Part(new VirtioConsole("virtio-console", services.Outputs(OutputChannel.VirtioConsole), memory, this));
        bus.Add(VirtioConsole, VirtioFirstSlot);
        bus.Add(Part(new VirtioEntropy("virtio-entropy", services.Entropy, memory, this)), VirtioFirstSlot + 1);
        VirtioBalloon = Part(new VirtioBalloon("virtio-balloon", memory, this));
        bus.Add(VirtioBalloon, VirtioFirstSlot + 2);
        for (int i = 0; virtioDisks && i < Disks.Count; i++)
            bus.Add(Part(new VirtioBlock($"virtio-block{i}", Disks[i], memory, this)), VirtioFirstSlot + 3 + i);

        if (configuration.Boot == BootKind.Bios) return;
        power.Enable(PlatformLayout.Pm1aEventPort);
        isaBridge.Route(PlatformLayout.LegacyIrqOfPirq);
        bus.AssignResources(FirstPciPort, FirstPciAddress, PlatformLayout.LegacyIrqOfPirq);
    }

    /// <summary>What SeaBIOS asks for: memory map, ACPI tables, the number of processors, a serial console instead of a display.</summary>
    private void BuildFirmwareConfiguration(MachineConfiguration configuration, PhysicalMemory memory, FirmwareTables tables)
    {
        FwCfg firmware = Part(new FwCfg(Ports, memory));
        firmware.AddUInt16(FwCfg.CpuCount, (ushort)configuration.CpuCount);
        firmware.AddUInt16(FwCfg.MaximumCpus, (ushort)configuration.CpuCount);
        firmware.AddUInt64(FwCfg.RamSize, memory.RamSizeBytes);
        firmware.AddFile("etc/acpi/tables", tables.FwCfgTables);
        firmware.AddFile("etc/acpi/rsdp", tables.FwCfgRsdp);
        firmware.AddFile("etc/table-loader", tables.TableLoaderScript);
        firmware.AddFile("etc/sercon-port", new byte[] { 0xF8, 0x03 });
        RealTimeClock.SetBootOrder(2, 0, 0);
    }

    /// <summary>The state in which a PC's firmware hands over: 8259s at vectors 8 and 70h, all masked; virtual wire mode.</summary>
    private void InitializeAsFirmware()
    {
        Span<(int Port, byte Value)> commands = [(0x20, 0x11), (0x21, 0x08), (0x21, 0x04), (0x21, 0x01), (0xA0, 0x11), (0xA1, 0x70), (0xA1, 0x02), (0xA1, 0x01),
            (0x21, 0xFF), (0xA1, 0xFF)];
        foreach ((int port, byte value) in commands) Ports.Write(new PortNumber((ushort)port), 1, value);
        LocalApics[0].EnableVirtualWire();
    }
}
