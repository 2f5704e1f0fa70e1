using System;
using Vmm.Buses;
using Vmm.Devices.Pci;
using Vmm.Snapshots;
using Xunit;

namespace IoDevices.Tests;

public sealed class PciTests : IDisposable
{
    private readonly Board _board = new();

    public void Dispose() => _board.Dispose();

    [Fact]
    public void Scan_finds_bridges_and_nothing_else()
    {
        Assert.Equal(0x1237_8086u, _board.ReadConfig(0, 0, 0, 4));
        Assert.Equal(0x7000_8086u, _board.ReadConfig(1, 0, 0, 4));
        Assert.Equal(0x0600u, _board.ReadConfig(0, 0, 0x0A, 2));
        Assert.Equal(uint.MaxValue, _board.ReadConfig(2, 0, 0, 4));
        Assert.Equal(0xFFFFu, _board.ReadConfig(1, 1, 0, 2));
        _board.Out32(0xCF8, 0x8001_0000); // bus 1
        Assert.Equal(uint.MaxValue, _board.In32(0xCFC));
        _board.Out32(0xCF8, 0); // not enabled
        Assert.Equal(uint.MaxValue, _board.In32(0xCFC));
    }

    [Fact]
    public void Mechanism_1_is_probed_as_Linux_does()
    {
        _board.Out8(0xCFB, 1);
        _board.Out32(0xCF8, 0x8000_0000);
        Assert.Equal(0x8000_0000u, _board.In32(0xCF8));
        Assert.Equal(0x80, _board.In8(0xCFD));
        Assert.Equal(0x1237, _board.In16(0xCFE));
    }

    [Fact]
    public void Pam_registers_read_back_and_ids_do_not_change()
    {
        _board.WriteConfig(0, 0, 0x59, 1, 0x30);
        _board.WriteConfig(0, 0, 0x5A, 2, 0x3333);
        _board.WriteConfig(0, 0, 0x5C, 4, 0x3333_3333);
        Assert.Equal(0x30u, _board.ReadConfig(0, 0, 0x59, 1));
        Assert.Equal(0x33u, _board.ReadConfig(0, 0, 0x5A, 1));
        _board.WriteConfig(0, 0, 0, 4, 0);
        Assert.Equal(0x1237_8086u, _board.ReadConfig(0, 0, 0, 4));
    }

    [Fact]
    public void Port_CF9_reaches_the_reset_control_and_leaves_the_address_alone()
    {
        var reset = new RecordingPorts();
        _board.HostBridge.ResetControl = reset;
        _board.Out32(0xCF8, 0x8000_0800);
        _board.Out8(0xCF9, 6);
        Assert.Equal((0xCF9, 1, 6u), reset.LastWrite);
        Assert.Equal(0x8000_0800u, _board.In32(0xCF8));
    }

    [Fact]
    public void Bars_are_sized_and_moved()
    {
        var device = new TestFunction("t");
        _board.Bus.Add(device, 3);
        _board.WriteConfig(3, 0, 0x10, 4, uint.MaxValue);
        Assert.Equal(0xFFFF_F000u, _board.ReadConfig(3, 0, 0x10, 4));
        _board.WriteConfig(3, 0, 0x14, 4, uint.MaxValue);
        Assert.Equal(0xFFFF_FFE1u, _board.ReadConfig(3, 0, 0x14, 4));
        Assert.Equal(0u, _board.ReadConfig(3, 0, 0x18, 4));

        _board.WriteConfig(3, 0, 0x10, 4, 0xE000_1000);
        _board.WriteConfig(3, 0, 0x14, 4, 0xC020);
        Assert.Equal(ulong.MaxValue, _board.ReadMmio(0xE000_1010, 4)); // decoding is still off
        _board.WriteConfig(3, 0, 4, 2, 3);
        Assert.Equal(0x10u, _board.ReadMmio(0xE000_1010, 4));
        Assert.Equal(0x1000_0004u, _board.In32(0xC024));

        _board.WriteConfig(3, 0, 0x10, 4, 0xE000_2000);
        _board.WriteConfig(3, 0, 0x14, 4, 0xC040);
        Assert.Equal(ulong.MaxValue, _board.ReadMmio(0xE000_1010, 4));
        Assert.Equal(0x20u, _board.ReadMmio(0xE000_2020, 4));
        Assert.Equal(uint.MaxValue, _board.In32(0xC024));
        Assert.Equal(0x1000_0008u, _board.In32(0xC048));
        _board.WriteConfig(3, 0, 4, 2, 0);
        Assert.Equal(ulong.MaxValue, _board.ReadMmio(0xE000_2020, 4));
    }

    [Fact]
    public void A_chip_at_fixed_ports_wins_and_survives_a_bar_on_top_of_it()
    {
        var chip = new RecordingPorts();
        _board.Ports.Map(0xC020, 1, chip);
        _board.Bus.Add(new TestFunction("t"), 3);
        _board.WriteConfig(3, 0, 0x14, 4, 0xC020);
        _board.WriteConfig(3, 0, 4, 2, 1);
        Assert.Equal(0xABu, _board.In8(0xC020));
        Assert.Equal(0x04u, _board.In8(0xC024));
        _board.WriteConfig(3, 0, 0x14, 4, 0xD000);
        Assert.Equal(0xABu, _board.In8(0xC020));
    }

    [Fact]
    public void Overlapping_bars_decode_the_same_after_restore()
    {
        TestFunction a = new("a", 1), b = new("b", 2);
        _board.Bus.Add(a, 3);
        _board.Bus.Add(b, 4);
        foreach (int device in new[] { 4, 3 })
        {
            _board.WriteConfig(device, 0, 0x10, 4, 0xE000_0000);
            _board.WriteConfig(device, 0, 4, 2, 2);
        }
        ulong before = _board.ReadMmio(0xE000_0000, 4);
        byte[] stateA = Board.SaveOf(a), stateB = Board.SaveOf(b);
        _board.WriteConfig(3, 0, 0x10, 4, 0xE800_0000);
        Board.RestoreTo(b, stateB);
        Board.RestoreTo(a, stateA);
        Assert.Equal(before, _board.ReadMmio(0xE000_0000, 4));
        Assert.Equal(stateA, Board.SaveOf(a));
        Assert.Equal(stateB, Board.SaveOf(b));
    }

    [Fact]
    public void Intx_goes_where_the_pirq_is_routed()
    {
        var device = new TestFunction("t");
        _board.Bus.Add(device, 3); // INTA of device 3 is PIRQC
        device.Drive(true);
        Assert.DoesNotContain(true, _board.IrqLevels);
        _board.WriteConfig(1, 0, 0x62, 1, 11);
        Assert.True(_board.IrqLevels[11]);
        _board.WriteConfig(1, 0, 0x62, 1, 5);
        Assert.False(_board.IrqLevels[11]);
        Assert.True(_board.IrqLevels[5]);
        Assert.Equal(0x08u, _board.ReadConfig(3, 0, 6, 2) & 8);
        _board.WriteConfig(3, 0, 4, 2, 0x400); // interrupt disable
        Assert.False(_board.IrqLevels[5]);
        _board.WriteConfig(3, 0, 4, 2, 0);
        Assert.True(_board.IrqLevels[5]);
        device.Drive(false);
        Assert.False(_board.IrqLevels[5]);
    }

    [Fact]
    public void Shared_pirq_stays_until_the_last_function_lets_go()
    {
        TestFunction a = new("a"), b = new("b");
        _board.Bus.Add(a, 3);
        _board.Bus.Add(b, 7); // the same PIRQ, four slots on
        _board.IsaBridge.Route(Board.Routes);
        a.Drive(true);
        b.Drive(true);
        a.Drive(false);
        Assert.True(_board.IrqLevels[11]);
        byte[] bridge = Board.SaveOf(_board.IsaBridge), state = Board.SaveOf(b);
        b.Drive(false);
        Assert.False(_board.IrqLevels[11]);
        Board.RestoreTo(_board.IsaBridge, bridge);
        Board.RestoreTo(b, state);
        _board.IrqLevels[11] = true; // the controller restores its own inputs
        Assert.Equal(bridge, Board.SaveOf(_board.IsaBridge));
        b.Drive(false);
        Assert.False(_board.IrqLevels[11]);
    }

    [Fact]
    public void Acpi_registers_follow_pmbase()
    {
        var registers = new RecordingPorts();
        _board.Bus.Add(new Piix4PowerManagement(registers, 0x600), 1, 3);
        Assert.Equal(0x7113_8086u, _board.ReadConfig(1, 3, 0, 4));
        Assert.Equal(0x80u, _board.ReadConfig(1, 0, 0x0E, 1) & 0x80); // function 0 says that there are more
        _board.WriteConfig(1, 3, 0x40, 4, 0xB000 | 1);
        Assert.Equal(uint.MaxValue, _board.In32(0xB004));
        _board.WriteConfig(1, 3, 0x80, 1, 1);
        _board.Out16(0xB004, 0x2000);
        Assert.Equal((0x604, 2, 0x2000u), registers.LastWrite);
        _board.WriteConfig(1, 3, 0x40, 4, 0x600);
        _board.Out16(0x604, 1);
        Assert.Equal((0x604, 2, 1u), registers.LastWrite);
        Assert.Equal(uint.MaxValue, _board.In32(0xB004));
        Assert.NotEqual(0u, _board.ReadConfig(1, 3, 0x58, 4) & 1u << 25);
    }

    [Fact]
    public void Firmwareless_assignment_gives_disjoint_addresses()
    {
        _board.Bus.Add(new TestFunction("a", 1), 3);
        _board.Bus.Add(new TestFunction("b", 2), 4);
        _board.IsaBridge.Route(Board.Routes);
        _board.Bus.AssignResources(0xC000, 0xE000_0000, Board.Routes);
        uint a = _board.ReadConfig(3, 0, 0x10, 4), b = _board.ReadConfig(4, 0, 0x10, 4);
        Assert.Equal((0xE000_0000u, 0xE000_1000u), (a, b));
        Assert.Equal(0x10u, _board.ReadMmio(a + 0x10, 4) & 0xFF);
        Assert.Equal(0x2000_0000u, _board.ReadMmio(b, 4));
        Assert.Equal((11u, 11u), (_board.ReadConfig(3, 0, 0x3C, 1), _board.ReadConfig(4, 0, 0x3C, 1)));
    }

    [Fact]
    public void Host_bridge_state_returns()
    {
        _board.Out32(0xCF8, 0x8000_0800);
        _board.WriteConfig(0, 0, 0x59, 1, 0x30);
        byte[] state = Board.SaveOf(_board.HostBridge);
        _board.WriteConfig(1, 0, 0x60, 1, 5);
        _board.WriteConfig(0, 0, 0x59, 1, 0);
        Board.RestoreTo(_board.HostBridge, state);
        Assert.Equal(state, Board.SaveOf(_board.HostBridge));
        Assert.Equal(0x8000_0058u, _board.In32(0xCF8));
        Assert.Equal(0x30, _board.In8(0xCFD));
    }

    [Fact]
    public void Cut_or_foreign_states_are_refused()
    {
        byte[] state = Board.SaveOf(_board.IsaBridge);
        Assert.Throws<StateFormatException>(() => _board.IsaBridge.Restore(new StateReader(state.AsMemory(0, state.Length - 3))));
        Assert.Throws<StateFormatException>(() => _board.IsaBridge.Restore(new StateReader(Board.SaveOf(_board.HostBridge))));
    }
}

internal sealed class RecordingPorts : IPortDevice
{
    public (int Port, int SizeBytes, uint Value) LastWrite { get; private set; }

    public uint ReadPort(PortNumber port, int sizeBytes) => 0xAB;

    public void WritePort(PortNumber port, int sizeBytes, uint value) => LastWrite = (port.Value, sizeBytes, value);
}

/// <summary>A function with a memory BAR and an I/O BAR that read as their own offsets.</summary>
internal sealed class TestFunction : PciDevice
{
    private readonly uint _tag;

    public TestFunction(string name, uint tag = 0)
        : base(name, new PciIdentity(0x1234, 0x5678, 0xFF_00_00))
    {
        _tag = tag;
        UseInterruptPin(1);
        AddMemoryBar(0, 4096);
        AddIoBar(1, 32);
    }

    public void Drive(bool asserted) => SetInterrupt(asserted);

    protected internal override ulong ReadRegion(int region, ulong offset, int sizeBytes) =>
        (uint)offset | (uint)region << 28 | (region == 0 ? _tag << 28 : 0);

    protected internal override void WriteRegion(int region, ulong offset, int sizeBytes, ulong value)
    {
    }

    protected override void SaveFunction(StateWriter writer)
    {
    }

    protected override void RestoreFunction(StateReader reader)
    {
    }
}
