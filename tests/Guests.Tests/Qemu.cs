using System;
using System.Collections.Generic;
using TestKit;

namespace Guests.Tests;

/// <summary>Boots a guest in QEMU's emulator, the reference that our machine is compared with.</summary>
internal static class Qemu
{
    /// <summary>isa-debug-exit turns a written code into the status code * 2 + 1.</summary>
    public static int StatusOf(int debugExitCode) => (debugExitCode * 2) + 1;

    /// <summary>What the guest wrote to its serial port (carriage returns removed), and QEMU's exit status.</summary>
    public static ToolResult Run(string kernel, int cpuCount = 1, string commandLine = "", string cpu = "max", string? initrd = null, int seconds = 60)
    {
        HostTool.Require("qemu-system-x86_64", "qemu-system-x86");
        List<string> arguments =
        [
            "-accel", "tcg", "-cpu", cpu, "-m", "256M", "-smp", $"{cpuCount}", "-display", "none", "-serial", "stdio", "-monitor", "none",
            "-no-reboot", "-device", "isa-debug-exit,iobase=0xf4,iosize=4", "-kernel", kernel,
        ];
        if (commandLine.Length > 0) arguments.AddRange(["-append", commandLine]);
        if (initrd is not null) arguments.AddRange(["-initrd", initrd]);
        ToolResult result = HostTool.Run("qemu-system-x86_64", arguments, TimeSpan.FromSeconds(seconds));
        return result with { Output = result.Output.Replace("\r", "", StringComparison.Ordinal) };
    }

    /// <summary>Boots a disk by QEMU's SeaBIOS. Two serial ports, as our machine has them.</summary>
    /// <param name="disk">A raw image, which is not changed.</param>
    /// <param name="memoryMiB">RAM.</param>
    /// <param name="seconds">At most so long.</param>
    public static ToolResult RunDisk(string disk, int memoryMiB, int seconds)
    {
        HostTool.Require("qemu-system-x86_64", "qemu-system-x86");
        string[] arguments =
        [
            "-accel", "tcg", "-m", $"{memoryMiB}M", "-display", "none", "-serial", "stdio", "-serial", "null", "-monitor", "none", "-no-reboot",
            "-device", "isa-debug-exit,iobase=0xf4,iosize=4", "-drive", $"file={disk},format=raw,if=ide,snapshot=on",
        ];
        ToolResult result = HostTool.Run("qemu-system-x86_64", arguments, TimeSpan.FromSeconds(seconds));
        return result with { Output = result.Output.Replace("\r", "", StringComparison.Ordinal) };
    }
}
