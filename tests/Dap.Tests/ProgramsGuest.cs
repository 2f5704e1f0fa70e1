using System;
using System.IO;
using Replay.Recording;
using TestKit;
using Vmm.Platform;
using Xunit;

namespace Dap.Tests;

/// <summary>A recording of Debian's kernel that starts guests/steps.c twice, each time wherever the kernel likes.</summary>
public class ProgramsGuest : IDisposable
{
    private const string Init = """
        #!/bin/sh
        export PATH=/bin
        /steps
        busybox true
        /steps
        poweroff -f

        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("ttvm-dap").FullName;
    private readonly Lazy<string> _recording;
    private readonly string _options;
    private readonly bool _isStripped;

    public ProgramsGuest() : this("") { }

    /// <param name="options">For the kernel's command line.</param>
    /// <param name="isStripped">The guest's copy of the program has no symbols.</param>
    protected ProgramsGuest(string options, bool isStripped = false)
    {
        _options = options;
        _isStripped = isStripped;
        _recording = new Lazy<string>(() => Record(8_000_000_000));
    }

    public static string Source => Repository.PathOf("tests/Dap.Tests/guests/steps.c");

    /// <summary>Made when first asked for.</summary>
    public string Recording => _recording.Value;

    /// <summary>The program as it was compiled.</summary>
    public string WithSymbols => Path.Combine(_folder, "steps");

    /// <summary>The beginning of a boot, before the kernel is there.</summary>
    public string Beginning => Record(500_000);

    public void Dispose()
    {
        Directory.Delete(_folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>What a guest is started from instead of a recording: the kernel, and its initial RAM disk with the program.</summary>
    public (string Kernel, string Initrd) Images()
    {
        string kernel = Path.Combine(_folder, "vmlinuz"), initrd = Path.Combine(_folder, "initrd");
        File.Copy(GuestImages.LinuxCloudKernel(), kernel, overwrite: true);
        File.WriteAllBytes(initrd, Initrd());
        return (kernel, initrd);
    }

    private byte[] Initrd()
    {
        HostTool.Require("gcc", "gcc");
        string program = Path.Combine(_folder, "steps");
        ToolResult result = HostTool.Run("gcc", ["-g", "-O0", "-nostdlib", "-static-pie", "-fPIE", "-fno-stack-protector", "-Wl,--build-id", "-o", program, Source], TimeSpan.FromMinutes(1));
        Assert.True(result.ExitCode == 0, result.Error);
        if (_isStripped)
        {
            HostTool.Require("strip", "binutils");
            result = HostTool.Run("strip", ["-o", Path.Combine(_folder, "stripped"), program], TimeSpan.FromMinutes(1));
            Assert.True(result.ExitCode == 0, result.Error);
            program = Path.Combine(_folder, "stripped");
        }
        byte[] initramfs = File.ReadAllBytes(GuestImages.Initramfs());
        // The kernel looks for the next archive at a multiple of 4.
        return [.. initramfs, .. new byte[-initramfs.Length & 3], .. new CpioWriter().Add("init", Init).Add("steps", File.ReadAllBytes(program)).Finish()];
    }

    private string Record(ulong instructionCount)
    {
        var configuration = new MachineConfiguration
        {
            CpuCount = 2, MemorySizeBytes = 256 << 20, CommandLine = $"console=ttyS0 quiet {_options}",
            Images = [new MachineImage("kernel", "vmlinuz", File.ReadAllBytes(GuestImages.LinuxCloudKernel())), new MachineImage("initrd", "initrd", Initrd())],
        };
        string path = Path.Combine(_folder, $"{instructionCount}.ttvm");
        using var recorder = new Recorder(configuration, new NoInput(), new RandomHost(), new RecorderOptions { Path = path, RecordedFrom = "a test" });
        recorder.Run(instructionCount);
        recorder.Finish();
        return path;
    }

    // Its numbers differ from call to call, so that the kernel puts programs at different places.
    internal sealed class RandomHost : IHostServices
    {
        private readonly Random _random = new(3);

        public ulong ReadMonotonicNanoseconds() => 0;

        public void FillRandom(Span<byte> destination) => _random.NextBytes(destination);
    }
}

/// <summary>The kernel has page tables of its own.</summary>
public sealed class IsolatedProgramsGuest() : ProgramsGuest("pti=on");

/// <summary>The program has no symbols in the guest.</summary>
public sealed class StrippedProgramsGuest() : ProgramsGuest("", isStripped: true);
