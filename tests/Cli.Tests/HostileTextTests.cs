using System;
using System.IO;
using System.Linq;
using System.Text.Json;
using TestKit;
using Xunit;

namespace Cli.Tests;

/// <summary>A recording is a stranger's, and so are the names in it: a terminal gets nothing of them that it would obey.</summary>
public sealed class HostileTextTests : IDisposable
{
    // Colours, a title, an end of line that begins a false one, and what makes text run backwards.
    private const string Evil = "\u001b[31m\u001b]0;t\u0007\r\nend digest   false\u009b2J\u202egnol\u007f";
    private const string Function = "\u001b[2Jwiped";
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);

    private readonly string _folder = Directory.CreateTempSubdirectory("ttvm-text").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string PathOf(string name) => Path.Combine(_folder, name);

    [Fact]
    public void Nothing_of_a_recording_controls_the_terminal()
    {
        if (!OperatingSystem.IsLinux()) Requirement.HostCannot("files have such names on Linux");
        string kernel = PathOf($"k{Evil}.elf"), path = PathOf("evil.ttvm"), symbols = PathOf("symbols.elf");
        File.Copy(DemoRecording.Kernel, kernel);
        Ttvm.Good("record", "-q", "-o", path, "--kernel", kernel, "--append", Evil, "--memory", "16M", "--until", "count:700000");
        File.WriteAllText(path + ".bookmarks.json", JsonSerializer.Serialize(new
        {
            bookmarks = new[] { new { name = Evil, position = "5", note = Evil } },
            breakpoints = new[] { new { kind = "function", name = Evil, condition = Evil, logMessage = Evil } },
        }));
        string info = Check("info", path);
        Assert.Contains(@"command line: \u001b[31m\u001b]0;t\u0007\u000d\u000aend digest   false\u009b2J\u202egnol\u007f", info, StringComparison.Ordinal);
        Assert.Contains(@"bookmark     \u001b[31m", info, StringComparison.Ordinal);
        // No line is of their making.
        Assert.Equal(1, info.Split('\n').Count(static line => line.StartsWith("end digest ", StringComparison.Ordinal)));
        Assert.Equal(Evil, JsonDocument.Parse(Check("info", path, "--json")).RootElement.GetProperty("bookmarks")[0].GetProperty("note").GetString());

        HostTool.Require("objcopy", "binutils");
        ToolResult renamed = HostTool.Run("objcopy", ["--strip-debug", $"--redefine-sym=kernel_main={Function}", DemoRecording.Kernel, symbols], s_patience);
        Assert.True(renamed.ExitCode == 0, renamed.Error);
        Assert.Contains(@"\u001b[2Jwiped", Check("disasm", path, "--at", "end", "--address", Function, "--symbols", symbols), StringComparison.Ordinal);
        Check("stack", path, "--at", "end", "--symbols", symbols);
        Check("verify", path, "--log-level", "trace");
        Check("trim", path, "--from", "50%", "-o", PathOf("cut.ttvm"), "--log-level", "debug");
        Check("pack", path, "-o", PathOf("packed.ttvm"));
        Check("embed", path, "-o", PathOf("embedded.ttvm"), "--symbols", symbols);
        Check("unpack", path, "-o", PathOf("parts"));
        Check("console", path, "--positions");
        Check("diff", path, PathOf("cut.ttvm"));
        Check("find", path, "--text", Evil);
        Check("regs", PathOf("cut.ttvm"));
        Check("info", PathOf($"no{Evil}"));
    }

    /// <summary>What a guest prints is its own, and shown as it is.</summary>
    [Fact]
    public void A_guests_console_is_left_as_it_is()
    {
        string path = PathOf("echo.ttvm");
        Ttvm.Good("record", "-q", "-o", path, "--kernel", GuestImages.Own("echo.elf"), "--memory", "16M", "--input", Script());
        Assert.Contains("\u001b[31M", Ttvm.Good("console", path), StringComparison.Ordinal);
        Assert.Contains(@"\u001b[31M", Ttvm.Good("console", path, "--positions"), StringComparison.Ordinal);
    }

    private string Script()
    {
        string script = PathOf("script.txt");
        File.WriteAllText(script, "expect q ends\nsend \\x1b[31mq\n");
        return script;
    }

    private static string Check(params string[] arguments)
    {
        ToolResult result = Ttvm.Run(arguments);
        foreach (string text in (string[])[result.Output, result.Error])
            Assert.True(text.All(static c => c is '\n' or '\t' || c >= ' ' && c is not ('\u007f' or '\u202e') and not (> '\u007f' and < '\u00a0')), $"{arguments[0]}: {text}");
        return result.Output;
    }
}
