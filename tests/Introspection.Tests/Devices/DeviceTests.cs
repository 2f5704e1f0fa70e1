using System.Collections.Generic;
using Introspection.Devices;
using Replay.Replaying;
using Vmm.Time;
using Xunit;

namespace Introspection.Tests.Devices;

/// <summary>Looking at chips says something of each, and changes nothing.</summary>
public sealed class DeviceTests(Recordings recordings)
{
    [Fact]
    public void Looking_changes_nothing()
    {
        using var replayer = new Replayer(recordings.File);
        replayer.RunTo(new Position(recordings.File.End.InstructionCount / 2));
        var digest = replayer.Digest();
        List<DeviceView> first = DeviceReader.Read(replayer.Machine);
        Assert.Equal(digest, replayer.Digest());
        List<DeviceView> second = DeviceReader.Read(replayer.Machine);
        Assert.Equal(first.ConvertAll(static one => one.Summary), second.ConvertAll(static one => one.Summary));
        replayer.RunTo(recordings.File.End);
    }

    [Fact]
    public void Every_chip_is_there()
    {
        using var replayer = new Replayer(recordings.File);
        replayer.RunTo(new Position(recordings.File.End.InstructionCount / 2));
        List<DeviceView> devices = DeviceReader.Read(replayer.Machine);
        List<string> names = devices.ConvertAll(static one => one.Name);
        foreach (string name in (string[])["8259A interrupt controllers", "Local APIC 0", "Local APIC 3", "I/O APIC", "8254 timer", "MC146818A real-time clock", "16550A serial port 0",
            "16550A serial port 1", "8042 keyboard controller", "VGA", "ACPI power management", "ATA channel 0", "PCI pciHost", "PCI virtio-console"])
            Assert.Contains(name, names);
        Assert.All(devices, static one => Assert.NotEmpty(one.Registers));
        // The demo kernel masks the 8259s and lets the APIC timers tick.
        Assert.StartsWith("all masked", devices[names.IndexOf("8259A interrupt controllers")].Summary, System.StringComparison.Ordinal);
        Assert.Contains("periodic, fires in", devices[names.IndexOf("Local APIC 0")].Summary, System.StringComparison.Ordinal);
        Assert.Contains("115200 baud 8N1", devices[names.IndexOf("16550A serial port 0")].Summary, System.StringComparison.Ordinal);
    }
}
