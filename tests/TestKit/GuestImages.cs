using System;
using System.Collections.Concurrent;
using System.IO;

namespace TestKit;

/// <summary>
/// Guests to boot: our own, built with gcc when first asked for, and Debian's, fetched when first asked for. Every method returns an
/// absolute path to a file that exists, or skips or fails the test as <see cref="Requirement"/> says.
/// </summary>
public static class GuestImages
{
    private static readonly Lazy<string?> s_ownProblem = new(() => Prepare("make", ["-C", "guests", "-j2"], "guests.lock"));
    private static readonly Lazy<string?> s_busyboxProblem = new(() => Prepare("guests/build-busybox.sh", [], "busybox.lock"));
    private static readonly Lazy<string?> s_debianProblem = new(() => Prepare("guests/fetch-debian.sh", [], "debian.lock"));
    private static readonly ConcurrentDictionary<string, Lazy<string?>> s_driverProblems = new();
    private static readonly Lazy<string?> s_initramfsProblem = new(() => Prepare("guests/make-initramfs.sh", [], "debian.lock"));

    /// <summary>The 64-bit SMP demo kernel as committed. It is always there: no compiler is needed.</summary>
    public static string PrebuiltDemo64 => Repository.PathOf("guests/prebuilt/demo64.elf");

    /// <summary>The 64-bit SMP demo kernel, built from its source.</summary>
    public static string Demo64() => Own("demo64.elf");

    /// <summary>The 32-bit demo kernel.</summary>
    public static string Demo32() => Own("demo32.elf");

    /// <summary>One of our kernels by file name: "conformance64.elf".</summary>
    public static string Own(string fileName)
    {
        foreach (string tool in (string[])["make", "gcc", "ld", "nasm"])
            if (HostTool.Find(tool) is null) Requirement.Missing($"{tool} is not installed", "apt-get install gcc binutils make nasm");
        return Ready(s_ownProblem, Path.Combine(Repository.Artifacts, "guests", fileName), "make -C guests");
    }

    /// <summary>Debian's generic kernel, a bzImage.</summary>
    public static string LinuxKernel() => Debian("linux-amd64/vmlinuz");

    /// <summary>Debian's kernel for virtual machines, a bzImage.</summary>
    public static string LinuxCloudKernel() => Debian("linux-cloud-amd64/vmlinuz");

    /// <summary>GNU Mach, a 32-bit Multiboot ELF.</summary>
    public static string GnuMach() => Debian("gnumach/gnumach");

    /// <summary>memtest86+ for 64 bits, which starts like a Linux kernel.</summary>
    public static string Memtest64() => Debian("memtest86+/memtest86+x64.bin");

    /// <summary>SeaBIOS, 256 KiB.</summary>
    public static string SeaBios() => Debian("seabios/bios-256k.bin");

    /// <summary>
    /// The Linux guests' initramfs: it prints "ttvm: init reached", runs a workload, prints "ttvm: workload done" and powers off.
    /// </summary>
    public static string Initramfs()
    {
        HostTool.Require("cpio", "cpio");
        Debian("busybox/busybox");
        return Ready(s_initramfsProblem, Path.Combine(DebianFolder, "initramfs.cpio.gz"), "guests/make-initramfs.sh");
    }

    /// <summary>The same with the virtio and ATA disk drivers of one of Debian's kernels.</summary>
    /// <param name="kernel">"linux-amd64" or "linux-cloud-amd64".</param>
    public static string InitramfsWithDrivers(string kernel)
    {
        HostTool.Require("cpio", "cpio");
        Debian("busybox/busybox");
        string modules = Path.GetDirectoryName(Debian($"{kernel}/modules/ata_piix.ko"))!, path = Path.Combine(modules, "../initramfs.cpio.gz");
        Lazy<string?> problem = s_driverProblems.GetOrAdd(kernel,
            _ => new Lazy<string?>(() => Prepare("guests/make-initramfs.sh", ["--modules", modules, path], "debian.lock")));
        return Ready(problem, path, "guests/make-initramfs.sh");
    }

    /// <summary>A disk image that boots Debian's GRUB.</summary>
    /// <param name="configuration">The text of grub.cfg.</param>
    /// <param name="files">What the disk has in /boot.</param>
    public static byte[] GrubDisk(string configuration, params string[] files)
    {
        Debian("grub/boot.img");
        string folder = Directory.CreateTempSubdirectory("grub").FullName;
        try
        {
            string disk = Path.Combine(folder, "disk.img"), text = Path.Combine(folder, "grub.cfg");
            File.WriteAllText(text, configuration);
            ToolResult result = HostTool.Run(Repository.PathOf("guests/make-grub-disk.sh"), [disk, text, .. files], TimeSpan.FromMinutes(2));
            if (result.ExitCode != 0) Requirement.Missing(LastLine(result.Error), "apt-get install e2fsprogs");
            return File.ReadAllBytes(disk);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Debian's busybox, built from its source package with debug information.</summary>
    public static string BusyboxWithSymbols()
    {
        string path = Path.Combine(DebianFolder, "busybox-debug/busybox");
        return File.Exists(path) ? path : Ready(s_busyboxProblem, path, "guests/build-busybox.sh");
    }

    /// <summary>A file of Debian's by its name under artifacts/debian.</summary>
    public static string Debian(string relativePath)
    {
        string path = Path.Combine(DebianFolder, relativePath);
        return File.Exists(path) ? path : Ready(s_debianProblem, path, "guests/fetch-debian.sh");
    }

    private static string DebianFolder =>
        Environment.GetEnvironmentVariable("TTVM_DEBIAN") is { Length: > 0 } folder ? folder : Path.Combine(Repository.Artifacts, "debian");

    private static string Ready(Lazy<string?> problem, string path, string remedy)
    {
        if (problem.Value is { } text) Requirement.Missing(text, remedy);
        if (!File.Exists(path)) Requirement.Missing($"{Repository.RelativePath(path)} was not made", remedy);
        return path;
    }

    // Several test processes may want the same images at once: the first makes them, the others wait for its lock.
    private static string? Prepare(string program, string[] arguments, string lockName)
    {
        Directory.CreateDirectory(Repository.Artifacts);
        using FileStream held = WaitForLock(Path.Combine(Repository.Artifacts, lockName));
        string path = program.Contains('/', StringComparison.Ordinal) ? Repository.PathOf(program) : program;
        ToolResult result = HostTool.Run(path, arguments, TimeSpan.FromMinutes(15));
        return result.ExitCode == 0 ? null : $"{program} failed: {LastLine(result.Error.Length > 0 ? result.Error : result.Output)}";
    }

    private static FileStream WaitForLock(string path)
    {
        DateTime end = DateTime.UtcNow.AddMinutes(15);
        while (true)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (DateTime.UtcNow < end)
            {
                System.Threading.Thread.Sleep(100);
            }
        }
    }

    private static string LastLine(string text)
    {
        string trimmed = text.TrimEnd();
        return trimmed[(trimmed.LastIndexOf('\n') + 1)..];
    }
}
