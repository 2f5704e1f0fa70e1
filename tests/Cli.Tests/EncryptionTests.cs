using System;
using System.IO;
using TestKit;
using Xunit;

namespace Cli.Tests;

/// <summary>Encrypted recordings, as a user has them: every verb opens them, and nothing decrypts them by accident.</summary>
public sealed class EncryptionTests(DemoRecording demo)
{
    private const string Passphrase = "correct horse battery staple";
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);

    [Fact]
    public void Whoever_has_the_passphrase_has_the_recording()
    {
        (string secret, string[] file) = Make("whole");
        foreach (string[] verb in (string[][])[["info"], ["verify"], ["regs", "--at", "50%"], ["stack"], ["console"], ["back", "--steps", "3"]])
        {
            string plain = Ttvm.Good([verb[0], demo.File, .. verb[1..]]), opened = Ttvm.Good([verb[0], secret, .. verb[1..], .. file]);
            if (verb[0] is "regs" or "stack" or "console") Assert.Equal(plain, opened);
        }
        ToolResult byVariable = HostTool.Run("/usr/bin/env", [$"TTVM_PASSPHRASE={Passphrase}", Ttvm.Program, "regs", secret], s_patience);
        Assert.Equal(Ttvm.Good("regs", demo.File), byVariable.Output);
        // As `<(...)` of a shell gives it: a pipe, which can be read once.
        ToolResult byPipe = HostTool.Run("/bin/bash", ["-c", $"{Ttvm.Program} regs {secret} --passphrase-file <(echo {Passphrase})"], s_patience);
        Assert.Equal(byVariable.Output, byPipe.Output);
        Ttvm.Refuses(2, ["info", secret], "is encrypted", "--passphrase-file", "TTVM_PASSPHRASE");
        string wrong = Write("wrong.txt", "correct horse battery stable\n"), empty = Write("empty.txt", "");
        Ttvm.Refuses(3, ["info", secret, "--passphrase-file", wrong], "the passphrase is another one");
        Ttvm.Refuses(3, ["verify", secret, "--passphrase-file", wrong], "the passphrase is another one");
        Ttvm.Refuses(3, ["info", secret, "--passphrase-file", empty], "is empty");
        Ttvm.Refuses(3, ["info", secret, "--passphrase-file", demo.PathOf("no.txt")], "does not exist");
    }

    [Theory]
    [InlineData(Passphrase, true)]
    [InlineData("another", false)]
    public void An_editor_opens_it(string passphrase, bool isRight)
    {
        (string secret, _) = Make($"edited-{isRight}");
        string[] command = ["/usr/bin/env", $"TTVM_PASSPHRASE={passphrase}", Ttvm.Program, "dap"];
        DapTalk talk = DapTalk.Of(command, ("initialize", """{"adapterID":"x"}"""), ("launch", $$"""{"program":"{{secret}}"}"""));
        Assert.Equal(isRight, talk.IsGood(2));
        if (!isRight) Assert.Contains("the passphrase is another one", talk.AnswerTo(2), StringComparison.Ordinal);
    }

    [Fact]
    public void Damage_is_one_sentence()
    {
        (string secret, string[] file) = Make("damaged");
        byte[] bytes = File.ReadAllBytes(secret);
        File.WriteAllBytes(secret, bytes[..^1]);
        Ttvm.Refuses(3, ["info", secret, .. file], "was cut off");
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(secret, bytes);
        Ttvm.Refuses(3, ["verify", secret, .. file], "are not as they were encrypted");
    }

    [Fact]
    public void Only_decrypt_decrypts()
    {
        (string secret, string[] file) = Make("kept");
        byte[] before = File.ReadAllBytes(secret);
        Ttvm.Refuses(2, ["embed", secret, .. file], "is encrypted", "-o");
        Assert.Equal(before, File.ReadAllBytes(secret));
        Assert.Contains("will not be: `ttvm encrypt`", Ttvm.Expect(0, ["trim", secret, "--from", "50%", "-o", demo.PathOf("kept-trimmed.ttvm"), .. file]).Error, StringComparison.Ordinal);
        string back = demo.PathOf("kept-back.ttvm");
        Ttvm.Refuses(3, ["encrypt", secret, "-o", back, .. file], "encrypted already");
        Ttvm.Refuses(3, ["decrypt", demo.File, "-o", back, .. file], "is not encrypted");
        Ttvm.Good(["decrypt", secret, "-o", back, .. file]);
        Assert.Equal(File.ReadAllBytes(demo.File), File.ReadAllBytes(back));
        // In its place, and there and back.
        Ttvm.Good(["encrypt", back, .. file]);
        Assert.NotEqual(File.ReadAllBytes(demo.File), File.ReadAllBytes(back));
        Ttvm.Good(["decrypt", back, .. file]);
        Assert.Equal(File.ReadAllBytes(demo.File), File.ReadAllBytes(back));
        Ttvm.Refuses(2, ["encrypt", back, "-o", demo.PathOf("never.ttvm")], "no passphrase to encrypt with");
        Assert.False(File.Exists(demo.PathOf("never.ttvm")));
    }

    [Fact]
    public void Packing_can_encrypt()
    {
        string packed = demo.PathOf("packed-secret.ttvm"), plain = demo.PathOf("packed-plain.ttvm"), back = demo.PathOf("packed-back.ttvm");
        string[] file = ["--passphrase-file", Write("pack.txt", Passphrase)];
        Ttvm.Good(["pack", demo.File, "-o", packed, "--encrypt", .. file]);
        Ttvm.Good("pack", demo.File, "-o", plain);
        Ttvm.Refuses(2, ["info", packed], "is encrypted");
        Ttvm.Good(["decrypt", packed, "-o", back, .. file]);
        Assert.Equal(File.ReadAllBytes(plain), File.ReadAllBytes(back));
    }

    /// <summary>Typed at a terminal, it is not shown there.</summary>
    [Fact]
    public void A_passphrase_is_asked_for_without_showing_it()
    {
        HostTool.Require("python3", "python3");
        (string secret, _) = Make("asked");
        ToolResult result = HostTool.Run("python3", [Repository.PathOf("tests/Cli.Tests/reader/at_terminal.py"), "passphrase of", Passphrase, Ttvm.Program, "regs", secret], s_patience);
        string text = result.Output;
        Assert.True(result.ExitCode == 0, $"{text}\n{result.Error}");
        Assert.Contains($"passphrase of {secret}: ", text, StringComparison.Ordinal);
        Assert.Contains("RAX", text, StringComparison.Ordinal);
        Assert.DoesNotContain("battery", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_reader_that_knows_only_the_description_decrypts_the_same()
    {
        HostTool.Require("python3", "python3");
        string secret = demo.PathOf("described.ttvm"), plain = demo.PathOf("described-plain.ttvm"), original = Repository.PathOf("traces/demo64-mcs.ttvm");
        Ttvm.Good("encrypt", original, "-o", secret, "--passphrase-file", Write("described.txt", Passphrase));
        string reader = Repository.PathOf("tests/Cli.Tests/reader/read_encrypted.py");
        ToolResult result = HostTool.Run("python3", [reader, secret, Passphrase, plain], s_patience);
        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Equal("600000 3\n", result.Output);
        Assert.Equal(File.ReadAllBytes(original), File.ReadAllBytes(plain));
        Assert.NotEqual(0, HostTool.Run("python3", [reader, secret, "another", plain], s_patience).ExitCode);
    }

    private (string Secret, string[] File) Make(string name)
    {
        string secret = demo.PathOf($"{name}-secret.ttvm");
        string[] file = ["--passphrase-file", Write($"{name}.txt", Passphrase + "\n")];
        Ttvm.Good(["encrypt", demo.File, "-o", secret, .. file]);
        return (secret, file);
    }

    private string Write(string name, string text)
    {
        string path = demo.PathOf(name);
        File.WriteAllText(path, text);
        return path;
    }
}
