using System;
using System.IO;
using System.IO.Compression;
using System.Linq;
using System.Text;
using Introspection.Linux;
using Introspection.State;
using Replay.Packages;
using Replay.Recording;
using Replay.Timelines;
using TestKit;
using Vmm.Platform;
using Xunit;

namespace Introspection.Tests.Linux;

/// <summary>
/// A recording of Debian's kernel that tells about itself on the console: /proc/kallsyms and more, between lines BEGIN and END. Made when first asked for, so that tests
/// that are left out cost nothing.
/// </summary>
public abstract class LinuxRecording : IDisposable
{
    // Its own init over that of the initramfs: what is read last is what the test compares at that very moment.
    private const string Init = """
        #!/bin/sh
        export PATH=/bin HOME=/
        mount -t proc proc /proc
        mount -t sysfs sysfs /sys
        mount -t devtmpfs devtmpfs /dev 2>/dev/null
        echo 0 >/proc/sys/kernel/kptr_restrict
        while read -r module; do insmod "/modules/$module.ko"; done </modules/order
        sleep 1000 &
        show() { echo "BEGIN $1"; cat; echo "END $1"; }
        busybox base64 /sys/kernel/notes | show notes
        sha256sum /sys/kernel/btf/vmlinux /bin/busybox | show hashes
        gzip -c /proc/kallsyms | busybox base64 | show kallsyms
        cat /proc/modules | show modules
        show version </proc/version
        echo "BEGIN tasks"
        for process in /proc/[0-9]*; do read -r line <$process/stat; echo "$line"; done
        echo "END tasks"
        echo "BEGIN maps"
        while read -r line; do echo "$line"; done </proc/1/maps
        echo "END maps"
        poweroff -f

        """;

    private readonly Lazy<RecordingFile> _file;
    private readonly string _folder = Directory.CreateTempSubdirectory("ttvm-linux").FullName;
    private readonly Lazy<Timeline> _timeline;

    /// <param name="options">For the kernel's command line.</param>
    /// <param name="init">Another script for process 1; null: the one that tells all.</param>
    /// <param name="cpuCount">Of the machine.</param>
    /// <param name="chaos">Seed of the scheduler; null: turns of equal length.</param>
    /// <param name="isGeneric">Debian's kernel for any machine; else that for virtual ones.</param>
    protected LinuxRecording(string options, string? init = null, int cpuCount = 2, ulong? chaos = null, bool isGeneric = false)
    {
        _file = new Lazy<RecordingFile>(() => Record(options, init ?? Init, cpuCount, chaos, isGeneric));
        _timeline = new Lazy<Timeline>(() => new Timeline(_file.Value));
    }

    public RecordingFile File => _file.Value;

    public Timeline Timeline => _timeline.Value;

    /// <summary>What the guest printed, carriage returns removed.</summary>
    public string Console { get; private set; } = "";

    /// <summary>The kernel at the moment at which the guest has told all.</summary>
    public LinuxKernel AtEnd(KernelImage? known = null)
    {
        Timeline.Seek(Timeline.Start);
        Assert.NotNull(Timeline.FindConsole("END maps", reverse: false));
        LinuxKernel? kernel = LinuxKernel.TryFind(View, known);
        Assert.NotNull(kernel);
        return kernel;
    }

    /// <summary>Memory as the vCPU whose turn it is sees it.</summary>
    public GuestView View => new(Timeline.Machine, Timeline.Machine.Vcpus[Timeline.Machine.CurrentCpuIndex]);

    /// <summary>The lines between BEGIN and END.</summary>
    public string[] Section(string name)
    {
        _ = File;
        int start = Console.IndexOf($"BEGIN {name}\n", StringComparison.Ordinal), end = Console.IndexOf($"END {name}\n", StringComparison.Ordinal);
        Assert.True(start >= 0 && end > start, $"the guest printed no {name}");
        return Console[start..end].Split('\n', StringSplitOptions.RemoveEmptyEntries)[1..];
    }

    /// <summary>A section that was printed packed.</summary>
    public byte[] Bytes(string name) => Convert.FromBase64String(string.Concat(Section(name)));

    /// <summary>The lines of a section that was printed as gzip's base64.</summary>
    public string[] Unpacked(string name)
    {
        using var gzip = new StreamReader(new GZipStream(new MemoryStream(Bytes(name)), CompressionMode.Decompress));
        return gzip.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    public void Dispose()
    {
        if (_timeline.IsValueCreated) _timeline.Value.Dispose();
        if (_file.IsValueCreated) _file.Value.Dispose();
        Directory.Delete(_folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    private RecordingFile Record(string options, string init, int cpuCount, ulong? chaos, bool isGeneric)
    {
        byte[] initramfs = System.IO.File.ReadAllBytes(GuestImages.InitramfsWithDrivers(isGeneric ? "linux-amd64" : "linux-cloud-amd64"));
        string kernel = isGeneric ? GuestImages.LinuxKernel() : GuestImages.LinuxCloudKernel();
        // The kernel looks for the next archive at a multiple of 4.
        byte[] initrd = [.. initramfs, .. new byte[-initramfs.Length & 3], .. new CpioWriter().Add("init", init).Finish()];
        var configuration = new MachineConfiguration
        {
            CpuCount = cpuCount, ChaosSeed = chaos, MemorySizeBytes = 256 << 20, CommandLine = $"console=ttyS0 quiet {options}",
            Images = [new MachineImage("kernel", "vmlinuz", System.IO.File.ReadAllBytes(kernel)), new MachineImage("initrd", "initrd", initrd)],
        };
        string path = Path.Combine(_folder, "linux.ttvm");
        using (var recorder = new Recorder(configuration, new NoInput(), new FixedHost(), new RecorderOptions { Path = path, RecordedFrom = "a test" }))
        {
            recorder.Run(12_000_000_000);
            recorder.Finish();
        }
        RecordingFile file = RecordingFile.Open(path);
        Console = Encoding.Latin1.GetString(file.Console.ReadBytes(file.End)).Replace("\r", "", StringComparison.Ordinal);
        return file;
    }

    private sealed class FixedHost : IHostServices
    {
        private byte _next;

        public ulong ReadMonotonicNanoseconds() => 0;

        public void FillRandom(Span<byte> destination)
        {
            foreach (ref byte b in destination) b = _next++;
        }
    }
}

/// <summary>The kernel puts itself somewhere, as Debian's do.</summary>
public sealed class SlidingLinux() : LinuxRecording("");

/// <summary>The kernel is where it was linked.</summary>
public sealed class FixedLinux() : LinuxRecording("nokaslr");

/// <summary>The kernel has page tables of its own: user mode's map hardly anything of it.</summary>
public sealed class IsolatedLinux() : LinuxRecording("pti=on");

/// <summary>The kernel for any machine, which has more in it, and more modules.</summary>
public sealed class GenericLinux() : LinuxRecording("", isGeneric: true);
