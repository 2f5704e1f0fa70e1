using System;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using TestKit;
using Xunit;

namespace Cli.Tests;

/// <summary>
/// Disks that are full or not to be written, processes that are killed while they write, and several at work on one recording: one sentence, nothing lost, and nothing left that looks whole.
/// </summary>
public sealed class DiskTests(DemoRecording demo)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);

    /// <summary>What writes a recording, of a recording in a folder. {0} is the recording, {1} what is written.</summary>
    public static TheoryData<string> Writers() => ["pack {0} -o {1}", "pack {0} -o {1} --checkpoint-distance 600000", "trim {0} --from 30% -o {1}", "embed {0} -o {1} --symbols {2}"];

    [Theory]
    [MemberData(nameof(Writers))]
    public void A_disk_that_gets_full(string command)
    {
        string folder = FolderWith("full", out string source), disk = Directory.CreateDirectory(Path.Combine(folder, "disk")).FullName, left = Path.Combine(folder, "left");
        string written = Path.Combine(disk, "out.ttvm");
        // Full at the first part that is written, at later ones, and when the parts are put together.
        int failed = 0;
        foreach (int size in (int[])[40, 120, 150, 180, 220])
        {
            ToolResult one = RunOnSmallDisk(disk, size, $"\"$0\" {Command(command, source, written)}", $"{left}-{size}");
            if (one.ExitCode == 0) continue;
            failed++;
            IsOneSentence(one, 3, "No space left");
            Assert.Empty(Names($"{left}-{size}"));
        }
        Assert.True(failed >= 3, $"only {failed} disks were too small");
        // What was there before stays.
        ToolResult result = RunOnSmallDisk(disk, 40, $"(printf precious >{written}; exec \"$0\" {Command(command, source, written)} --force)", left + "2");
        IsOneSentence(result, 3, "No space left");
        Assert.Equal(["out.ttvm"], Names(left + "2"));
        Assert.Equal("precious", File.ReadAllText(Path.Combine(left + "2", "out.ttvm")));
        Ttvm.Good("verify", source);
    }

    [Fact]
    public void A_disk_that_gets_full_while_a_guest_is_recorded()
    {
        string folder = FolderWith("full-record", out _), disk = Directory.CreateDirectory(Path.Combine(folder, "disk")).FullName, left = Path.Combine(folder, "left");
        string path = Path.Combine(disk, "new.ttvm"), arguments = $"--cpus 2 --memory 16M --checkpoint-interval 100000 --append 'rounds=1000000 think=1000'";
        ToolResult result = RunOnSmallDisk(disk, 400, $"\"$0\" record -q -o {path} --kernel {DemoRecording.Kernel} {arguments}", left);
        IsOneSentence(result, 3, "cannot be written", "No space left");
        Assert.Equal(["new.ttvm.partial"], Names(left));
        // What had been written is a recording.
        path = Path.Combine(left, "new.ttvm");
        Ttvm.Good("recover", path + ".partial");
        Ttvm.Good("verify", path);
    }

    [Theory]
    [InlineData("record -q -o {1} --kernel {2}")]
    [InlineData("pack {0} -o {1}")]
    [InlineData("trim {0} --from 30% -o {1}")]
    [InlineData("embed {0} -o {1} --symbols {2}")]
    [InlineData("unpack {0} -o {1}")]
    public void A_disk_that_is_not_to_be_written(string command)
    {
        string folder = FolderWith("read-only", out string source);
        string written = Path.Combine(folder, "out.ttvm");
        ToolResult result = RunUnshared($"mount --bind {folder} {folder} && mount -o remount,ro,bind {folder} && exec \"$0\" {Command(command, source, written)}");
        IsOneSentence(result, 3, "Read-only file system");
        Assert.Equal(["demo.ttvm"], Names(folder));
    }

    /// <summary>kill -9 at random moments: what is written is whole or not there, what was read is untouched, and the next try is told what is left.</summary>
    [Theory]
    [InlineData("pack {0} -o {1}", 11)]
    [InlineData("trim {0} --from 10% -o {1}", 12)]
    public void Killed_while_it_writes(string command, int seed)
    {
        string folder = FolderWith($"killed-{seed}", out string source), written = Path.Combine(folder, "out.ttvm");
        byte[] content = File.ReadAllBytes(source);
        var random = new Random(seed);
        int killed = 0;
        for (int round = 0; round < 12; round++)
        {
            using (Process process = Ttvm.Start(Command(command, source, written).Split(' ')))
            {
                // From when it writes on.
                while (!process.HasExited && !Directory.Exists(written + ".partial")) Thread.Sleep(1);
                Thread.Sleep(random.Next(150));
                process.Kill();
                process.WaitForExit();
            }
            Assert.Equal(content, File.ReadAllBytes(source));
            bool isLeft = Directory.Exists(written + ".partial");
            if (File.Exists(written)) Ttvm.Good("verify", written);
            else
            {
                killed++;
                if (isLeft) Ttvm.Refuses(3, ["info", written], "an unfinished one is there");
            }
            if (isLeft)
            {
                File.Delete(written);
                Ttvm.Refuses(3, Command(command, source, written).Split(' '), "out.ttvm.partial exists already", "remove the directory");
                Directory.Delete(written + ".partial", recursive: true);
            }
            File.Delete(written);
        }
        Assert.True(killed > 0, "it was never caught in the act");
        // Whatever else was left is in nobody's way, and goes.
        Ttvm.Good(Command(command, source, written).Split(' '));
        Assert.Equal(["demo.ttvm", "out.ttvm"], Names(folder));
        Ttvm.Good("verify", written);
    }

    /// <summary>Readers do not disturb each other, nor do bookmarks that are written meanwhile, nor what replaces the file.</summary>
    [Fact]
    public async Task Several_at_work_on_one_recording()
    {
        string folder = FolderWith("shared", out string source), packed = Path.Combine(folder, "packed.ttvm");
        Task<ToolResult> Start(params string[] arguments) => Task.Run(() => Ttvm.Run(arguments), TestContext.Current.CancellationToken);
        Task<ToolResult>[] readers =
        [
            Start("verify", source), Start("regs", source, "--at", "50%"), Start("info", source), Start("trim", source, "--from", "50%", "-o", Path.Combine(folder, "end.ttvm")),
            Start("rerun", source, "-o", Path.Combine(folder, "again.ttvm")), Start("pack", source, "-o", packed), Start("pack", source, "-o", packed),
        ];
        ToolResult[] results = await Task.WhenAll(readers);
        // Of two that write the same file one may be refused; the other's is whole.
        foreach (ToolResult result in results[..^2]) Assert.True(result.ExitCode is 0 or 1 && !result.Error.Contains("this is a bug", StringComparison.Ordinal), result.Error);
        Assert.Contains(results[^2..], static result => result.ExitCode == 0);
        foreach (ToolResult result in results[^2..].Where(static result => result.ExitCode != 0)) IsOneSentence(result, result.ExitCode, "exists already");
        Ttvm.Good("verify", source, packed, Path.Combine(folder, "end.ttvm"));
        Assert.DoesNotContain(Names(folder), static name => name.EndsWith(".partial", StringComparison.Ordinal) || name.EndsWith(".tmp", StringComparison.Ordinal));
    }

    private string FolderWith(string name, out string recording)
    {
        string folder = Directory.CreateDirectory(demo.PathOf($"disk-{name}-{Guid.NewGuid():N}")).FullName;
        recording = Path.Combine(folder, "demo.ttvm");
        File.Copy(demo.File, recording);
        return folder;
    }

    private static string Command(string command, string source, string written) => string.Format(CultureInfo.InvariantCulture, command, source, written, DemoRecording.Kernel);

    private static string[] Names(string folder) => [.. Directory.EnumerateFileSystemEntries(folder).Select(static path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    /// <summary>Runs a command where a folder is a disk of so many KiB; afterwards what is on that is in another folder.</summary>
    private static ToolResult RunOnSmallDisk(string disk, int sizeKibibytes, string command, string left) => RunUnshared(
        $"mount -t tmpfs -o size={sizeKibibytes}k tmpfs {disk} || exit; {command}; code=$?; cp -r {disk} {left}; exit $code");

    /// <summary>Runs a script that may mount what nobody else sees.</summary>
    private static ToolResult RunUnshared(string script)
    {
        HostTool.Require("unshare", "util-linux");
        ToolResult result = HostTool.Run("unshare", ["-rm", "/bin/bash", "-c", script, Ttvm.Program], s_patience);
        if (result.Error.StartsWith("unshare:", StringComparison.Ordinal)) Requirement.HostCannot("namespaces cannot be made here: unshare -rm does not work");
        return result;
    }

    private static void IsOneSentence(ToolResult result, int exitCode, params string[] words)
    {
        Assert.True(result.ExitCode == exitCode, $"exit code {result.ExitCode}: {result.Output}{result.Error}");
        string message = result.Error.TrimEnd();
        Assert.StartsWith("ttvm: ", message, StringComparison.Ordinal);
        Assert.DoesNotContain("\n", message, StringComparison.Ordinal);
        foreach (string word in words) Assert.Contains(word, message, StringComparison.Ordinal);
    }
}
