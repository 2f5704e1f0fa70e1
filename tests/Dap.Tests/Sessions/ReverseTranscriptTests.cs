using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using TestKit;
using Xunit;

namespace Dap.Tests.Sessions;

/// <summary>
/// What is said while someone steps back by source lines: through recursion, inlined copies, interrupts, system calls and switches of tasks. Below each step is the
/// stack that it has led to. Addresses and positions, which another compiler would change, are blanked: that they are right, brute force shows.
/// </summary>
public sealed partial class ReverseTranscriptTests
{
    private const string MainSource = "guests/tasks/main.c", UserSource = "guests/tasks/user.c";
    private const string Flags = """__asm__ volatile("pushq %0; popfq" : : "r"(flags) : "memory", "cc");""";
    private const string Over = "stepBack", Into = "ttvm/reverseStepIn", Out = "ttvm/reverseStepOut";

    [Theory]
    [InlineData("O0")]
    [InlineData("O2")]
    [InlineData("inlined")]
    public void Steps_back_by_source_lines(string optimization)
    {
        using var guest = new TasksGuest(optimization, chaosSeed: 7);
        using TestClient client = TestClient.Launched(guest.Recording);
        client.Note("recursion, inlined or not: over calls, into them, and out");
        Arrive(client, MainSource, "return a + b;", "thread_round");
        Steps(client, Over, Over, Over);
        Arrive(client, MainSource, "return a + b;", "thread_round");
        Steps(client, Into, Into, Into, Out, Out, Out);
        client.Note("an interrupt: out of its handler to what it has interrupted");
        Arrive(client, MainSource, "*apic(0x0b0) = 0;", "thread_round");
        Steps(client, Over, Over, Out, Over, Out);
        client.Note("a program's loop with calls, which interrupts interrupt");
        Arrive(client, UserSource, "own += sum;");
        Steps(client, Over, Over, Into, Out);
        client.Note("a switch of tasks: over it to where the task was left, perhaps on the other vCPU, and out of the kernel's functions");
        Arrive(client, MainSource, Flags);
        Steps(client, Over, Over, Over, Out);
        Arrive(client, MainSource, Flags);
        Steps(client, Into, Into, Into, Into, Into, Out, Out, Out);
        client.Note("a system call: back over it, other tasks having run in it");
        Arrive(client, UserSource, "if (round % 2 == 1)");
        Steps(client, Over, Over, Over, Over);
        Arrive(client, UserSource, "for (u64 round = 0; round < 20; round++) {");
        Arrive(client, UserSource, "if (round % 2 == 1)");
        Steps(client, Into, Into, Into, Into, Out, Out);
        Golden.Check($"reverse-{optimization}", Blanked(client.Transcript));
    }

    [Fact]
    public void Steps_by_statements_and_back()
    {
        using var guest = new TasksGuest("O0", chaosSeed: 7);
        using TestClient client = TestClient.Launched(guest.Recording, steppingGranularity: "statement");
        client.Note("the three statements of a for, forwards and back, over the calls of its body");
        Arrive(client, UserSource, "for (u64 i = 0; i <= round % 3; i++)");
        Step(null, "next", "next", "next", "next", "next", "next", Over, Over, Over, Over, Over, Over);
        client.Note("into the body's call, back into it, out of it");
        Step(null, "next", "next", "next", "next", "next", "next", "stepIn", "stepOut", Into, Into, Out, Over);
        client.Note("a step by lines goes over what is left of the line, in both directions");
        Arrive(client, UserSource, "for (u64 i = 0; i <= round % 3; i++)");
        Step("line", "next", "next", Over, Over);
        client.Note("statement is what it was said to be, an instruction an instruction");
        Step("statement", "next", Over);
        Step("instruction", "next", Over);
        Golden.Check("statements", Blanked(client.Transcript));

        void Step(string? granularity, params string[] commands)
        {
            foreach (string command in commands)
            {
                var arguments = new JsonObject { ["threadId"] = (int)client.Quietly("ttvm/position", "{}")["threadId"]! };
                if (granularity is not null) arguments["granularity"] = granularity;
                int threadId = (int)client.Move(command, arguments.ToJsonString())["threadId"]!;
                client.Note($"thread {threadId}: {StackOf(client, threadId, withColumn: true).First()}");
            }
        }
    }

    // To the next time that a line is come to; with a function, to the next time that it is on the stack.
    private static void Arrive(TestClient client, string source, string text, string? function = null)
    {
        client.Note($"to {Path.GetFileName(source)}: {text}");
        SetBreakpoint(client, source, LineOf(source, text));
        for (int tries = 0; ; tries++)
        {
            Assert.True(tries < 1000, $"{text} is never come to below {function}");
            client.Quietly("continue", """{"threadId":1}""");
            client.Quietly("ttvm/nothing", "{}");
            JsonNode stop = client.TakeStopped();
            Assert.Equal("breakpoint", (string?)stop["reason"]);
            int threadId = (int)stop["threadId"]!;
            if (function is not null && !StackOf(client, threadId).Any(line => line.StartsWith(function, StringComparison.Ordinal))) continue;
            SetBreakpoint(client, source);
            Look(client, threadId);
            return;
        }
    }

    private static void SetBreakpoint(TestClient client, string source, params int[] lines)
    {
        var arguments = new JsonObject
        {
            ["source"] = new JsonObject { ["path"] = Repository.PathOf(source) },
            ["breakpoints"] = new JsonArray([.. lines.Select(line => new JsonObject { ["line"] = line })]),
        };
        client.Quietly("setBreakpoints", arguments.ToJsonString());
    }

    private static void Steps(TestClient client, params string[] commands)
    {
        foreach (string command in commands)
        {
            int threadId = (int)client.Quietly("ttvm/position", "{}")["threadId"]!;
            Look(client, (int)client.Move(command, $$"""{"threadId":{{threadId}}}""")["threadId"]!);
        }
    }

    private static void Look(TestClient client, int threadId) => client.Note($"thread {threadId}: {string.Join(" < ", StackOf(client, threadId))}");

    private static IEnumerable<string> StackOf(TestClient client, int threadId, bool withColumn = false) =>
        client.Quietly("stackTrace", $$"""{"threadId":{{threadId}}}""")["stackFrames"]!.AsArray()
            .Select(frame => $"{frame!["name"]} {frame["source"]?["name"]}:{frame["line"]}{(withColumn ? $":{frame["column"]}" : "")}");

    private static int LineOf(string source, string text) => 1 + Array.FindIndex(File.ReadAllLines(Repository.PathOf(source)), line => line.Trim() == text);

    private static string Blanked(string transcript) => PositionOrAddress().Replace(transcript, "#");

    [GeneratedRegex("(?<=[\" ])[0-9]{3,}(:[0-9]+)?(?=[\", ])|0x[0-9a-f]+")]
    private static partial Regex PositionOrAddress();
}
