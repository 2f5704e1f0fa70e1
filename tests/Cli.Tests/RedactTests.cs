using System;
using System.IO;
using System.Linq;
using System.Text;
using System.Text.Json;
using TestKit;
using Xunit;

namespace Cli.Tests;

/// <summary>`ttvm redact`, as a user has it.</summary>
public sealed class RedactTests : IDisposable
{
    private const string Idle = "the-idle-secret-9071", Summed = "the-summed-secret-8812", Password = "open-sesame-4711";

    private readonly string _folder = Directory.CreateTempSubdirectory("ttvm-redact").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void What_is_named_is_gone_and_everything_says_what_is_missing()
    {
        string whole = Record(), redacted = PathOf("redacted.ttvm");
        byte[] before = File.ReadAllBytes(whole);
        string made = Ttvm.Good("redact", whole, "-o", redacted, "--symbol", "summed", "--text", Idle, "--input", Password);
        Assert.Contains("without the symbol summed, 22 bytes; 1 text; 1 text that was typed", made, StringComparison.Ordinal);
        Assert.Contains("1 stretch, ", made, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllBytes(whole));
        Assert.Equal(["input.txt", "redacted.ttvm", "secrets.ttvm"], Directory.GetFileSystemEntries(_folder).Select(Path.GetFileName).Order());

        JsonElement info = Json("info", redacted);
        JsonElement hole = Assert.Single(info.GetProperty("holes").EnumerateArray());
        Assert.Equal(3, info.GetProperty("redacted").GetArrayLength());
        ulong from = ulong.Parse(hole.GetProperty("from").GetString()!), to = ulong.Parse(hole.GetProperty("to").GetString()!);
        // `lodsb` at `summing` is the first to read it.
        JsonElement reading = Json("find", whole, "--breakpoint", "summing");
        Assert.Equal(reading.GetProperty("position").GetString(), hole.GetProperty("from").GetString());
        Assert.Contains($"hole         after {from}, up to {to}: memory was redacted", Ttvm.Good("info", redacted), StringComparison.Ordinal);
        Assert.Contains("; 1 stretch cannot be replayed, as the recording was redacted, in", Ttvm.Good("verify", redacted), StringComparison.Ordinal);
        Assert.Equal(1, Json("verify", redacted).GetProperty("holeCount").GetInt32());

        string sentence = $"position {from + 5} cannot be replayed: memory was redacted; it replays up to {from} and again from {to}";
        foreach (string verb in (string[])["regs", "stack", "back", "forward"]) Ttvm.Refuses(1, [verb, redacted, "--at", $"{from + 5}"], sentence);
        Ttvm.Refuses(1, ["trim", redacted, "--to", $"{from + 5}", "-o", PathOf("cut.ttvm")], sentence);
        string[] rerun = ["rerun", redacted, "--kernel", whole, "-o", PathOf("rerun.ttvm")];
        string[][] whatNeedsAll = [["diff", redacted, whole], ["diff", whole, redacted], ["bisect", redacted], ["lockstep", redacted], rerun];
        foreach (string[] verb in whatNeedsAll)
            Ttvm.Refuses(1, verb, "was redacted", $"`ttvm {verb[0]}` needs the whole recording");

        Assert.Contains($"between positions {from} and {to} nothing can be replayed", Ttvm.Good("forward", redacted, "--at", $"{from - 2}", "--steps", "9"), StringComparison.Ordinal);
        Assert.Contains($"=> {to}", Ttvm.Good("forward", redacted, "--at", $"{from}"), StringComparison.Ordinal);
        Assert.Contains($"=> {from}", Ttvm.Good("back", redacted, "--at", $"{to}"), StringComparison.Ordinal);
        ToolResult found = Ttvm.Expect(0, "find", redacted, "--port", "0xf4");
        Assert.Equal($"ttvm: what lies after position {from} and before {to} was passed over: it cannot be replayed, memory was redacted", found.Error.TrimEnd());
        Assert.Equal("", Ttvm.Expect(0, "find", redacted, "--port", "0xf4", "--from", $"{to}").Error);
        Assert.Contains("passed over", Ttvm.Expect(1, "find", redacted, "--port", "0x1234", "--reverse").Error, StringComparison.Ordinal);
        // The log has all of the output; what was printed where nothing replays cannot be stood at.
        Assert.Contains("sum AAAAAHKM", Ttvm.Good("console", redacted), StringComparison.Ordinal);
        Assert.Contains("passed over", Ttvm.Expect(1, "find", redacted, "--console", "sum AAA").Error, StringComparison.Ordinal);
        Assert.Contains("thanks", Ttvm.Expect(0, "replay", redacted).Output, StringComparison.Ordinal);
    }

    [Fact]
    public void It_is_packed_signed_and_encrypted_as_any_other()
    {
        HostTool.Require("openssl", "openssl");
        string redacted = PathOf("redacted.ttvm"), parts = PathOf("parts"), again = PathOf("again.ttvm"), packed = PathOf("packed.ttvm"), signed = PathOf("signed.ttvm");
        Ttvm.Good("redact", Record(), "-o", redacted, "--symbol", "summed");
        string holes = Json("info", redacted).GetProperty("holes").ToString();

        Ttvm.Good("unpack", redacted, "-o", parts);
        foreach (string file in Directory.GetFiles(parts, "*", SearchOption.AllDirectories)) Assert.True(File.ReadAllBytes(file).AsSpan().IndexOf(Encoding.ASCII.GetBytes(Summed)) < 0, file);
        Ttvm.Good("pack", parts, "-o", again);
        Assert.Equal(File.ReadAllBytes(redacted), File.ReadAllBytes(again));
        Ttvm.Good("pack", redacted, "-o", packed);

        string key = PathOf("key.pem"), open = PathOf("open.ttvm"), secret = PathOf("secret.ttvm"), passphrase = PathOf("passphrase.txt");
        HostTool.Run("openssl", ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key], TimeSpan.FromMinutes(1));
        Ttvm.Good("sign", packed, "--key", key, "-o", signed);
        Ttvm.Good("sign", signed, "--key", key, "--check");
        File.WriteAllText(passphrase, "correct horse\n");
        Ttvm.Good("encrypt", signed, "-o", secret, "--passphrase-file", passphrase);
        Ttvm.Good("decrypt", secret, "-o", open, "--passphrase-file", passphrase);
        Assert.Equal(File.ReadAllBytes(signed), File.ReadAllBytes(open));
        foreach (string path in (string[])[packed, signed, open])
        {
            Assert.Equal(holes, Json("info", path).GetProperty("holes").ToString());
            Ttvm.Good("verify", path);
        }
        // An encrypted one is redacted as well; the result is not encrypted, which is said.
        ToolResult plain = Ttvm.Expect(0, "redact", secret, "-o", PathOf("plain.ttvm"), "--text", Idle, "--passphrase-file", passphrase);
        Assert.Contains("will not be", plain.Error, StringComparison.Ordinal);
        Assert.Equal(holes, Json("info", PathOf("plain.ttvm")).GetProperty("holes").ToString());
    }

    [Fact]
    public void An_editor_stops_at_the_edges_and_goes_over_them()
    {
        string redacted = PathOf("redacted.ttvm");
        Ttvm.Good("redact", Record(), "-o", redacted, "--symbol", "summed");
        JsonElement hole = Assert.Single(Json("info", redacted).GetProperty("holes").EnumerateArray());
        string from = hole.GetProperty("from").GetString()!, to = hole.GetProperty("to").GetString()!;
        DapTalk talk = DapTalk.Of([Ttvm.Program, "dap"], ("initialize", """{"adapterID":"x"}"""), ("launch", $$"""{"program":"{{redacted}}"}"""), ("configurationDone", "{}"),
            ("continue", """{"threadId":1}"""), ("continue", """{"threadId":1}"""), ("reverseContinue", """{"threadId":1}"""), ("reverseContinue", """{"threadId":1}"""),
            ("ttvm/seek", $$"""{"position":"{{ulong.Parse(from) + 1}}"}"""), ("threads", "{}"));
        Assert.False(talk.IsGood(8));
        Assert.Contains($"position {ulong.Parse(from) + 1} cannot be replayed: memory was redacted", talk.AnswerTo(8), StringComparison.Ordinal);
        Assert.True(talk.Has("\"reason\":\"hole\""));
        Assert.True(talk.Has($"Edge of what was redacted, at {from}"));
        Assert.True(talk.Has($"Edge of what was redacted, at {to}"));
        Assert.True(talk.Has($"Between positions {from} and {to} nothing can be replayed: memory was redacted. Continuing in the same direction goes on behind it."));
        Assert.True(talk.Has("End of the recording"));
    }

    [Theory]
    [InlineData("there is nothing to take out")]
    [InlineData("4 to 4096 bytes", "--text", "abc")]
    [InlineData("4 to 4096 bytes", "--input", "")]
    [InlineData("is no row of bytes", "--bytes", "00112")]
    [InlineData("is no row of bytes", "--bytes", "0011zz44")]
    [InlineData("4 to 4096 bytes", "--bytes", "001122")]
    [InlineData("is no range", "--range", "0x100000")]
    [InlineData("is no range", "--range", "+5")]
    [InlineData("is no range", "--physical", "5+")]
    [InlineData("is not an address", "--physical", "five+5")]
    [InlineData("is empty", "--range", "0x1000-0x1000")]
    [InlineData("is empty", "--range", "0x2000-0x1000")]
    [InlineData("is empty", "--range", "0x1000+0")]
    [InlineData("is too big", "--range", "0+0x80000000")]
    [InlineData("is too big", "--range", "0xffffffffffffffff+2")]
    [InlineData("belong to --all-input", "--text", "hello", "--from", "5")]
    [InlineData("lies behind", "--all-input", "--from", "50%", "--to", "10%")]
    [InlineData("is not a position", "--all-input", "--from", "there")]
    [InlineData("past the end", "--all-input", "--to", "99999999999")]
    [InlineData("no symbol is named 'nothing'", "--symbol", "nothing")]
    [InlineData("the size of 'asking' is not known", "--symbol", "asking")]
    public void Senseless_command_lines_are_one_sentence(string words, params string[] options)
    {
        string whole = Record(), output = PathOf("out.ttvm");
        Ttvm.Refuses(2, ["redact", whole, "-o", output, .. options], words);
        AssertNothingMade();
    }

    [Fact]
    public void What_cannot_be_done_leaves_nothing_behind()
    {
        string whole = Record(), output = PathOf("out.ttvm");
        byte[] before = File.ReadAllBytes(whole);
        Ttvm.Refuses(1, ["redact", whole, "-o", output, "--text", "nowhere at all"], "nothing of what was named is in the recording");
        Ttvm.Refuses(1, ["redact", whole, "-o", output, "--physical", "0xfffff000+8"], "nothing of what was named is in the recording");
        Ttvm.Refuses(1, ["redact", whole, "-o", output, "--process", "sh"], "no Linux kernel runs");
        Ttvm.Refuses(2, ["redact", whole, "-o", whole, "--force", "--text", Idle], "is the recording itself");
        string link = PathOf("link.ttvm");
        File.CreateSymbolicLink(link, whole);
        Ttvm.Refuses(2, ["redact", link, "-o", whole, "--force", "--text", Idle], "is the recording itself");
        Ttvm.Refuses(2, ["redact", whole, "-o", link, "--force", "--text", Idle], "is the recording itself");
        File.Delete(link);
        Ttvm.Refuses(3, ["redact", PathOf("none.ttvm"), "-o", output, "--text", Idle], "does not exist");
        AssertNothingMade();
        File.WriteAllText(output, "mine");
        Ttvm.Refuses(2, ["redact", whole, "-o", output, "--text", Idle], "exists already");
        Assert.Equal("mine", File.ReadAllText(output));
        string list = PathOf("list.txt");
        Ttvm.Refuses(3, ["redact", whole, "-o", output, "--force", "--texts", list], "does not exist");
        File.WriteAllText(list, "\n\n");
        Ttvm.Refuses(2, ["redact", whole, "-o", output, "--force", "--texts", list], "has no text");
        File.WriteAllText(list, $"{Idle}\nabc\n");
        Ttvm.Refuses(2, ["redact", whole, "-o", output, "--force", "--texts", list], "4 to 4096 bytes");
        Assert.Equal("mine", File.ReadAllText(output));
        File.WriteAllText(list, $"{Idle}\n\n{Password}\n");
        Assert.Contains("without 2 texts", Ttvm.Good("redact", whole, "-o", output, "--texts", list, "--force"), StringComparison.Ordinal);
        Assert.True(File.ReadAllBytes(output).AsSpan().IndexOf(Encoding.ASCII.GetBytes(Idle)) < 0);
        File.Delete(output);
        File.Delete(list);
        AssertNothingMade();
        Assert.Equal(before, File.ReadAllBytes(whole));
        // A damaged one is told of, whatever was written of the other by then.
        byte[] damaged = [.. before];
        for (int i = damaged.Length / 3; i < damaged.Length / 2; i++) damaged[i] ^= 0x55;
        File.WriteAllBytes(whole, damaged);
        Ttvm.Refuses(3, ["redact", whole, "-o", output, "--text", Idle], "is damaged");
        AssertNothingMade();
    }

    [Fact]
    [Trait("Category", "Slow")]
    public void A_process_of_Linux_and_what_was_typed_in_its_shell_are_taken_out()
    {
        string whole = PathOf("linux.ttvm"), script = PathOf("input.txt");
        File.WriteAllText(script, $"expect ttvm# \nwait 200000\nsend read -s p; echo $p | md5sum\\r\nwait 30000000\nsend {Password}\\r\nexpect ttvm# \nsend poweroff -f\\r\n");
        Ttvm.Good("record", "-q", "-o", whole, "--kernel", GuestImages.LinuxCloudKernel(), "--initrd", GuestImages.Initramfs(), "--append", "console=ttyS0 panic=-1 ttvm.shell",
            "--input", script);
        string typed = PathOf("typed.ttvm");
        ToolResult result = Ttvm.Expect(0, "redact", whole, "-o", typed, "--input", Password);
        Assert.Contains("image 'initrd' is compressed (gzip)", result.Error, StringComparison.Ordinal);
        Ttvm.Good("verify", typed);
        AssertNowhere(typed, Password);
        JsonElement hole = Assert.Single(Json("info", typed).GetProperty("holes").EnumerateArray());
        Assert.Equal("input or output was redacted", hole.GetProperty("why").GetString());

        string without = PathOf("without.ttvm");
        Ttvm.Good("redact", whole, "-o", without, "--process", "gzip");
        Ttvm.Good("verify", without);
        foreach (JsonElement one in Json("info", without).GetProperty("holes").EnumerateArray())
            Assert.Contains("redacted", one.GetProperty("why").GetString(), StringComparison.Ordinal);
        Ttvm.Refuses(1, ["redact", whole, "-o", PathOf("none.ttvm"), "--process", "nobody"], "no process nobody runs in");
    }

    private static void AssertNowhere(string path, string text)
    {
        string parts = path + ".parts";
        Ttvm.Good("unpack", path, "-o", parts);
        foreach (string file in Directory.GetFiles(parts, "*", SearchOption.AllDirectories)) Assert.True(File.ReadAllBytes(file).AsSpan().IndexOf(Encoding.ASCII.GetBytes(text)) < 0, file);
    }

    private void AssertNothingMade() => Assert.Equal(["input.txt", "secrets.ttvm"], Directory.GetFileSystemEntries(_folder).Select(Path.GetFileName).Order());

    private string PathOf(string name) => Path.Combine(_folder, name);

    private string Record()
    {
        string path = PathOf("secrets.ttvm"), script = PathOf("input.txt");
        File.WriteAllText(script, $"expect password: \nwait 3000\nsend {Password}\\r\n");
        Ttvm.Good("record", "-q", "-o", path, "--kernel", GuestImages.Own("secrets.elf"), "--memory", "2M", "--checkpoint-interval", "7000", "--input", script);
        return path;
    }

    private static JsonElement Json(params string[] arguments) => JsonDocument.Parse(Ttvm.Good([.. arguments, "--json"])).RootElement;
}
