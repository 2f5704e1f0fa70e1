using System;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Net.Sockets;
using System.Text;
using TestKit;
using Xunit;

namespace Cli.Tests;

/// <summary>What a verb that reads a recording can do to the machine that it runs on: nothing but what its command line names.</summary>
public sealed class SandboxTests(DemoRecording demo)
{
    /// <summary>What a verb has to say about its sandbox, on this host.</summary>
    private static readonly Lazy<string> s_remark = new(static () => Ttvm.Run("info", Repository.PathOf("traces/echo.ttvm")).Error);

    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);
    // For any user.
    private static readonly string[] s_possible =
    [
        "read /etc/passwd", "list /", "write beside the recording", "write to /tmp", "open the recording to write", "start a program", "make a TCP socket", "make a UDP socket",
        "make a Unix socket", "listen on a port", "signal the parent process", "trace a process",
    ];
    private static readonly string[] s_calls = ["start a program", "make a TCP socket", "trace a process", "signal the parent process", "change a file's mode"];

    /// <summary>The same attempts succeed without a sandbox: they are real ones.</summary>
    [Fact]
    public void All_that_was_possible_before_is_denied_within()
    {
        RequireLinux();
        string[] within = Attempts(Ttvm.Expect(0, "sandbox", demo.File).Output);
        ToolResult without = Ttvm.Expect(1, "sandbox", demo.File, "--no-sandbox");
        Assert.Contains("WARNING: --no-sandbox", without.Error, StringComparison.Ordinal);
        string[] before = Attempts(without.Output);
        Assert.Equal(within.Select(static line => line[9..]), before.Select(static line => line[9..]));
        Assert.All(within, static line => Assert.StartsWith("denied ", line, StringComparison.Ordinal));
        Assert.All(s_possible, possible => Assert.Contains($"ALLOWED  {possible}", before));
    }

    [Fact]
    public void What_may_be_touched_is_what_is_named()
    {
        RequireLinux();
        string output = Ttvm.Good("sandbox", demo.File, "--symbols", DemoRecording.Kernel);
        Assert.Contains($"\n  {demo.File}\n", Between(output, "may read", "may write"), StringComparison.Ordinal);
        Assert.Contains($"\n  {DemoRecording.Kernel}\n", Between(output, "may read", "may write"), StringComparison.Ordinal);
        Assert.DoesNotContain(demo.Folder, Between(output, "may write", "may read, for"), StringComparison.Ordinal);
        Assert.Contains("\nnetwork\n  none\n", output, StringComparison.Ordinal);
        // Where a file is to be written, its directory may be, and attempts there succeed.
        ToolResult writing = Ttvm.Expect(1, "sandbox", demo.File, "-o", demo.PathOf("x.ttvm"));
        Assert.Contains($"\n  {demo.Folder}\n", Between(writing.Output, "may write", "may read, for"), StringComparison.Ordinal);
        Assert.Equal(["ALLOWED  write beside the recording", "ALLOWED  open the recording to write"],
            Attempts(writing.Output).Where(static line => line.StartsWith("ALLOWED", StringComparison.Ordinal)));
    }

    /// <summary>The kernel says the same, and a debugger still gets in where the verb listens.</summary>
    [Theory]
    [InlineData(true, "2", "1")]
    [InlineData(false, "0", "0")]
    public void The_kernel_knows_of_it(bool isWanted, string seccomp, string noNewPrivileges)
    {
        RequireLinux();
        using Process process = Ttvm.Start(["gdb", demo.File, "--port", "0", .. isWanted ? Array.Empty<string>() : ["--no-sandbox"]]);
        try
        {
            string line = process.StandardOutput.ReadLine()!;
            string status = File.ReadAllText($"/proc/{process.Id}/status");
            Assert.Contains($"\nSeccomp:\t{seccomp}\n", status, StringComparison.Ordinal);
            Assert.Contains($"\nNoNewPrivs:\t{noNewPrivileges}\n", status, StringComparison.Ordinal);
            // All threads, not only the first.
            foreach (string thread in Directory.GetDirectories($"/proc/{process.Id}/task"))
                Assert.Contains($"\nSeccomp:\t{seccomp}\n", File.ReadAllText(Path.Combine(thread, "status")), StringComparison.Ordinal);
            using var client = new TcpClient("127.0.0.1", int.Parse(line[(line.LastIndexOf(':') + 1)..], System.Globalization.CultureInfo.InvariantCulture));
            client.GetStream().Write("$?#3f"u8);
            Assert.Equal((byte)'+', (byte)client.GetStream().ReadByte());
        }
        finally
        {
            process.Kill();
            process.WaitForExit();
        }
    }

    /// <summary>A debug adapter is told of files only later: it can start and connect to nothing, but files are the user's, unless these are named.</summary>
    [Theory]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public void A_debug_adapter_is_locked_in_as_far_as_it_is_told(bool isNamed, bool opensOther)
    {
        RequireLinux();
        string other = demo.PathOf($"other-{isNamed}.ttvm");
        File.Copy(demo.File, other);
        string[] command = [Ttvm.Program, "dap", .. isNamed ? (string[])["--only", demo.File] : []];
        DapTalk talk = DapTalk.Of(command, ("initialize", """{"adapterID":"x"}"""), ("launch", $$"""{"program":"{{other}}"}"""), ("launch", $$"""{"program":"{{demo.File}}"}"""));
        Assert.Contains("\nSeccomp:\t2\n", talk.ProcessStatus, StringComparison.Ordinal);
        Assert.Equal(opensOther, talk.IsGood(2));
        // Only one is debugged: the second is refused where the first was not.
        Assert.Equal(!opensOther, talk.IsGood(3));
    }

    /// <summary>Where no file can be made, bookmarks are written into the one that there is, by any number of sessions; and nothing else is.</summary>
    [Fact]
    public void A_debug_adapter_that_is_locked_in_keeps_bookmarks()
    {
        RequireLinux();
        string folder = Directory.CreateDirectory(demo.PathOf("bookmarked")).FullName, path = Path.Combine(folder, "r.ttvm"), kept = path + ".bookmarks.json";
        File.Copy(demo.File, path);
        (string, string) initialize = ("initialize", """{"adapterID":"x"}"""), launch = ("launch", $$"""{"program":"{{path}}"}""");
        (string, string) Set(string name) => ("ttvm/setBookmark", $$"""{"name":"{{name}}","position":"1000"}""");
        string[] command = [Ttvm.Program, "dap", "--only", path];

        DapTalk without = DapTalk.Of(command, initialize, launch, Set("none"), ("ttvm/bookmarks", "{}"));
        Assert.Contains("the bookmarks cannot be written", without.AnswerTo(3), StringComparison.Ordinal);
        Assert.True(without.IsGood(4), without.AnswerTo(4));
        Assert.Equal([path], Directory.GetFiles(folder));

        File.WriteAllText(kept, "");
        DapTalk first = DapTalk.Of(command, initialize, launch, ("ttvm/bookmarks", "{}"), Set("a long name, which a shorter file no longer has"), Set("second"));
        Assert.All((int[])[3, 4, 5], request => Assert.True(first.IsGood(request), first.AnswerTo(request)));
        DapTalk second = DapTalk.Of(command, initialize, launch, ("ttvm/removeBookmark", """{"name":"a long name, which a shorter file no longer has"}"""), ("ttvm/bookmarks", "{}"));
        Assert.Contains("\"name\":\"second\"", second.AnswerTo(4), StringComparison.Ordinal);
        Assert.DoesNotContain("a long name", File.ReadAllText(kept), StringComparison.Ordinal);
        Assert.Equal([path, kept], Directory.GetFiles(folder).Order(StringComparer.Ordinal));
        // Others that may make files replace it.
        Assert.True(DapTalk.Of([Ttvm.Program, "dap"], initialize, launch, Set("third")).IsGood(3));
        Assert.Contains("third", Ttvm.Good("info", path), StringComparison.Ordinal);
    }

    /// <summary>Symbols may be read where they are named, with their debug files; a recording is locked in by them alone, too.</summary>
    [Fact]
    public void A_debug_adapter_reads_the_symbols_that_are_named()
    {
        RequireLinux();
        string symbols = demo.PathOf("named.elf"), other = demo.PathOf("unnamed.elf");
        File.Copy(DemoRecording.Kernel, symbols);
        File.Copy(DemoRecording.Kernel, other);
        foreach (string path in (string[])[symbols, other])
        {
            DapTalk talk = DapTalk.Of([Ttvm.Program, "dap", "--only", demo.File, "--only-read", symbols], ("initialize", """{"adapterID":"x"}"""),
                ("launch", $$"""{"program":"{{demo.File}}","symbols":["{{path}}"]}"""), ("ttvm/position", "{}"));
            Assert.True(talk.IsGood(2), talk.AnswerTo(2));
            Assert.Equal(path == other, talk.Said("going on without it"));
        }
    }

    /// <summary>Debug information may call any file a source; what the user has not named is not packed and shared.</summary>
    [Fact]
    public void A_symbol_file_cannot_ask_for_files()
    {
        RequireLinux();
        HostTool.Require("gcc", "gcc");
        string folder = Directory.CreateDirectory(demo.PathOf("asking")).FullName, secret = demo.PathOf("secret.txt");
        string source = Path.Combine(folder, "asks.c"), elf = Path.Combine(folder, "asks.elf");
        File.WriteAllText(secret, "nobody else's business\n");
        File.WriteAllText(source, $"# 1 \"{secret}\"\nvoid _start(void) {{ for (;;); }}\n");
        ToolResult compiled = HostTool.Run("gcc", ["-g", "-nostdlib", "-static", "-fno-pie", "-no-pie", "-o", elf, source], s_patience);
        Assert.True(compiled.ExitCode == 0, compiled.Error);
        // It has the name in it.
        File.Delete(source);
        string[] sandbox = ["-o", Path.Combine(folder, "within.ttvm")], none = ["-o", Path.Combine(folder, "without.ttvm"), "--no-sandbox"];
        foreach (string[] how in (string[][])[sandbox, none])
        {
            ToolResult embedded = HostTool.Run(Ttvm.Program, ["embed", demo.File, "--symbols", elf, .. how], s_patience, folder);
            Assert.True(embedded.ExitCode == 0, embedded.Error);
            string parts = how[1] + ".parts";
            Ttvm.Good("unpack", how[1], "-o", parts);
            // Frames of sources have the path as it is.
            string sources = Path.Combine(parts, "sources");
            Assert.Equal(how == none, File.Exists(sources) && File.ReadAllText(sources, Encoding.Latin1).Contains(secret, StringComparison.Ordinal));
        }
    }

    [Fact]
    public void One_that_only_seems_to_be_there_is_found_out()
    {
        RequireLinux();
        ToolResult result = HostTool.Run("/usr/bin/env", ["TTVM_SANDBOXED=/etc/passwd", Ttvm.Program, "info", demo.File], s_patience);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("the sandbox does not hold", result.Error, StringComparison.Ordinal);
        Assert.Equal("", result.Output);
    }

    /// <summary>An older kernel, as far as a process can tell: its call for Landlock does not exist.</summary>
    [Fact]
    public void Without_Landlock_what_remains_is_used_and_that_is_said()
    {
        RequireLinux();
        HostTool.Require("python3", "python3");
        ToolResult result = HostTool.Run("python3", [Repository.PathOf("tests/Cli.Tests/reader/without_landlock.py"), Ttvm.Program, "sandbox", demo.File], s_patience);
        Assert.Equal(1, result.ExitCode);
        Assert.Equal("ttvm: the sandbox is not whole: this kernel has no Landlock, so files are not confined; system calls are\n", result.Error);
        string[] attempts = Attempts(result.Output);
        foreach (string file in (string[])["read /etc/passwd", "list /", "write to /tmp"]) Assert.Contains($"ALLOWED  {file}", attempts);
        Assert.All(s_calls, call => Assert.Contains($"denied   {call}", attempts));
    }

    [Fact]
    public void What_is_not_named_is_refused_in_one_sentence()
    {
        RequireLinux();
        // What a file that was read asks for is no reason to open it.
        string secret = demo.PathOf("hidden.pem"), part = demo.PathOf("part-of-nothing.json");
        File.WriteAllText(secret, "x");
        File.WriteAllText(part, $$"""{"ttvmShard":1,"kind":"locks","shard":"1/1","recording":"{{secret}}","identity":"x","question":"locks","limit":1,"result":null}""");
        Ttvm.Refuses(3, ["merge", part], secret, "--no-sandbox");
    }

    private static void RequireLinux()
    {
        if (!OperatingSystem.IsLinux()) Requirement.HostCannot("Landlock and seccomp are Linux's");
        if (s_remark.Value.Contains("is not whole", StringComparison.Ordinal)) Requirement.HostCannot($"there is no whole sandbox here: {s_remark.Value}");
    }

    private static string[] Attempts(string output) => [.. output[(output.IndexOf("attempts\n", StringComparison.Ordinal) + 9)..].TrimEnd().Split('\n').Select(static line => line[2..])];

    private static string Between(string text, string from, string to)
    {
        int start = text.IndexOf(from, StringComparison.Ordinal), end = text.IndexOf(to, start + from.Length, StringComparison.Ordinal);
        return text[(start + from.Length)..end];
    }
}
