using System;
using System.IO;
using System.IO.Compression;
using TestKit;
using Xunit;

namespace Cli.Tests;

/// <summary>Bad files and positions: one clear sentence, the right exit code, and nothing left behind.</summary>
public sealed class BadInputTests(DemoRecording demo)
{
    [Fact]
    public void A_missing_kernel() => RefusesToRecord("missing.elf", null, "does not exist");

    [Fact]
    public void An_empty_kernel() => RefusesToRecord("empty.elf", [], "is empty");

    [Fact]
    public void A_truncated_kernel() => RefusesToRecord("cut.elf", File.ReadAllBytes(DemoRecording.Kernel)[..20000], "cut off");

    [Fact]
    public void A_kernel_for_AArch64()
    {
        // The ARM64 image header: "ARM\x64" at offset 56 (Linux, Documentation/arch/arm64/booting.rst).
        var image = new byte[4096];
        "MZ"u8.CopyTo(image);
        "ARM\x64"u8.CopyTo(image.AsSpan(56));
        RefusesToRecord("Image", image, "AArch64");
    }

    [Fact]
    public void An_ELF_file_for_AArch64()
    {
        byte[] elf = File.ReadAllBytes(DemoRecording.Kernel)[..8192];
        elf.AsSpan(0x1000).Clear(); // not the Multiboot header
        elf[18] = 183; // e_machine: EM_AARCH64
        RefusesToRecord("arm.elf", elf, "arm.elf");
    }

    [Fact]
    public void A_text_file_as_a_kernel() => RefusesToRecord("notes.txt", "just some notes"u8.ToArray(), "notes.txt");

    [Fact]
    public void A_directory_as_a_kernel() => Ttvm.Refuses(3, ["record", "-o", demo.PathOf("x.ttvm"), "--kernel", demo.Folder], "is a directory");

    [Fact]
    public void A_disk_that_is_not_one()
    {
        string disk = Write("disk.img", new byte[64 * 512]), output = demo.PathOf("disk.ttvm");
        Ttvm.Refuses(3, ["record", "-o", output, "--disk", disk], "disk.img");
        Ttvm.Refuses(3, ["record", "-o", output, "--kernel", DemoRecording.Kernel, "--disk", Write("empty.img", [])], "empty.img", "is empty");
        AssertNothingWritten(output);
    }

    [Fact]
    public void A_bad_input_script()
    {
        string script = Write("script.txt", "expect login:\nfrobnicate\n"u8.ToArray());
        Ttvm.Refuses(2, ["record", "-o", demo.PathOf("script.ttvm"), "--kernel", DemoRecording.Kernel, "--input", script], "script.txt, line 2", "frobnicate");
        Ttvm.Refuses(3, ["record", "-o", demo.PathOf("script.ttvm"), "--kernel", DemoRecording.Kernel, "--input", "/no/script"], "does not exist");
    }

    [Fact]
    public void An_output_that_exists_is_kept()
    {
        string output = Write("precious.ttvm", "precious"u8.ToArray());
        Ttvm.Refuses(2, ["record", "-o", output, "--kernel", DemoRecording.Kernel], "exists already", "--force");
        Assert.Equal("precious", File.ReadAllText(output));
        Ttvm.Refuses(3, ["record", "-o", demo.PathOf("no/such/folder.ttvm"), "--kernel", DemoRecording.Kernel], "directory");
    }

    [Fact]
    public void A_bad_kernel_does_not_replace_an_output_even_with_force()
    {
        string output = Write("kept.ttvm", "kept"u8.ToArray()), kernel = Write("bad.elf", "bad"u8.ToArray());
        Ttvm.Refuses(3, ["record", "-o", output, "--force", "--kernel", kernel], "bad.elf");
        Assert.Equal("kept", File.ReadAllText(output));
        Assert.False(Directory.Exists(output + ".partial"));
    }

    [Theory]
    [InlineData("info")]
    [InlineData("verify")]
    [InlineData("regs")]
    [InlineData("lockstep")]
    public void Files_that_are_no_recordings(string verb)
    {
        Ttvm.Refuses(3, [verb, demo.PathOf("none.ttvm")], "none.ttvm", "does not exist");
        // Of a directory, all recordings are verified.
        if (verb != "verify") Ttvm.Refuses(3, [verb, demo.Folder], "is a directory");
        Ttvm.Refuses(3, [verb, Write("text.ttvm", "just text"u8.ToArray())], "text.ttvm");
        Ttvm.Refuses(3, [verb, Write("nothing.ttvm", [])], "nothing.ttvm");
        Ttvm.Refuses(3, [verb, ForeignZip()], "foreign.ttvm");
        byte[] content = File.ReadAllBytes(demo.File);
        Ttvm.Refuses(3, [verb, Write("cut.ttvm", content[..(content.Length / 2)])], "cut.ttvm");
    }

    [Fact]
    public void Damage_anywhere_in_a_recording_is_found()
    {
        byte[] content = File.ReadAllBytes(demo.File);
        for (int i = 1; i < 12; i++)
        {
            byte[] damaged = [.. content];
            damaged[content.Length * i / 12] ^= 0x40;
            ToolResult result = Ttvm.Run("verify", Write("damaged.ttvm", damaged));
            Assert.True(result.ExitCode is 1 or 3, $"byte {content.Length * i / 12}: exit code {result.ExitCode}\n{result.Output}\n{result.Error}");
            Assert.Contains("damaged.ttvm", result.Error, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("99999999999", "past the end")]
    [InlineData("101%", "past the end")]
    [InlineData("soon", "not a position")]
    [InlineData("-5", "not a position")]
    [InlineData("12:x", "not a position")]
    public void Positions_that_are_none(string position, string words) => Ttvm.Refuses(2, ["regs", demo.File, "--at=" + position], words);

    [Fact]
    public void Numbers_that_are_none()
    {
        Ttvm.Refuses(2, ["regs", demo.File, "--cpu", "4"], "--cpu 4", "vCPUs 0 to 3");
        Ttvm.Refuses(2, ["mem", demo.File, "-a", "xyz"], "'xyz' is not an address", "no symbol is named so");
        Ttvm.Refuses(2, ["find", demo.File, "--breakpoint", "bank_deposits"], "'bank_deposits' is not an address", "there is bank_deposit");
        Ttvm.Refuses(2, ["find", demo.File, "--breakpoint", "bank_deposit+few"], "'bank_deposit+few' is not an address");
        Ttvm.Refuses(2, ["mem", demo.File, "-a", "0", "-n", "99999999999"], "too big");
        Ttvm.Refuses(2, ["back", demo.File, "--steps", "few"], "'few' is not a number");
        Ttvm.Refuses(2, ["find", demo.File], "exactly one thing to find");
        Ttvm.Refuses(2, ["find", demo.File, "--port", "1", "--cr", "3"], "exactly one thing to find");
        Ttvm.Refuses(2, ["find", demo.File, "--cr", "1"], "no CR1");
        Ttvm.Refuses(2, ["find", demo.File, "--port", "0x10000"], "too big");
        Ttvm.Refuses(2, ["exits", demo.File, "--from", "60%", "--at", "50%"], "exchange");
    }

    private void RefusesToRecord(string name, byte[]? content, params string[] words)
    {
        string kernel = content is null ? demo.PathOf(name) : Write(name, content), output = demo.PathOf(name + ".ttvm");
        Ttvm.Refuses(3, ["record", "-o", output, "--kernel", kernel], [name, .. words]);
        AssertNothingWritten(output);
    }

    private static void AssertNothingWritten(string output)
    {
        Assert.False(File.Exists(output));
        Assert.False(Directory.Exists(output + ".partial"));
    }

    // Tests run side by side: each has its own folder for names that are in the messages.
    private string Write(string name, byte[] content)
    {
        string folder = Directory.CreateDirectory(demo.PathOf(Guid.NewGuid().ToString("N"))).FullName;
        string path = Path.Combine(folder, name);
        File.WriteAllBytes(path, content);
        return path;
    }

    private string ForeignZip()
    {
        string path = Write("foreign.ttvm", []);
        File.Delete(path);
        using ZipArchive zip = ZipFile.Open(path, ZipArchiveMode.Create);
        using var writer = new StreamWriter(zip.CreateEntry("readme.txt").Open());
        writer.Write("not a recording");
        return path;
    }
}
