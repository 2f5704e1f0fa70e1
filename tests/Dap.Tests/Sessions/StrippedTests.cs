using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text.Json.Nodes;
using Replay.Recording;
using TestKit;
using Vmm.Platform;
using Xunit;

namespace Dap.Tests.Sessions;

/// <summary>Guests without any symbol: functions are guessed, in kernels and in programs.</summary>
public sealed class StrippedTests
{
    private const string Thread1 = """{"threadId":1}""";

    [Fact]
    public void A_kernel_without_symbols()
    {
        HostTool.Require("strip", "binutils");
        string folder = Directory.CreateTempSubdirectory("ttvm-dap").FullName, path = Path.Combine(folder, "stripped.ttvm"), kernel = Path.Combine(folder, "stripped.elf");
        try
        {
            ToolResult result = HostTool.Run("strip", ["-o", kernel, GuestImages.PrebuiltDemo64], TimeSpan.FromMinutes(1));
            Assert.True(result.ExitCode == 0, result.Error);
            var configuration = new MachineConfiguration
            {
                CpuCount = 1, MemorySizeBytes = 32 << 20, Images = [new MachineImage("kernel", "stripped.elf", File.ReadAllBytes(kernel))],
            };
            using (var recorder = new Recorder(configuration, new NoInput(), new StandingHost(), new RecorderOptions { Path = path, CheckpointInterval = 200_000, RecordedFrom = "a test" }))
            {
                recorder.Run(100_000_000);
                recorder.Finish();
            }
            using TestClient client = TestClient.Launched(path);
            // bank_deposit, where the symbols that were taken away have it.
            client.Ask("setFunctionBreakpoints", """{"breakpoints":[{"name":"bank_deposit"}]}""");
            client.Ask("setInstructionBreakpoints", """{"breakpoints":[{"instructionReference":"0xffffffff80102ccb"}]}""");
            client.Ask("continue", Thread1);
            client.Ask("stackTrace", Thread1);
            foreach (string command in (string[])["bt", "info locals", "info scope", "info address account", "info threads"])
                client.Ask("evaluate", new JsonObject { ["expression"] = command, ["context"] = "repl" }.ToJsonString());
            client.Ask("stepOut", Thread1);
            client.Ask("stackTrace", Thread1);
            Golden.Check("stripped", client.Transcript);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}

/// <summary>A program of a Linux guest.</summary>
[Trait("Category", "Slow")]
public sealed class StrippedProgramTests(StrippedProgramsGuest guest) : IClassFixture<StrippedProgramsGuest>
{
    [Fact]
    public void Its_frames_below_the_kernel_have_guessed_functions()
    {
        HostTool.Require("nm", "binutils");
        using TestClient client = TestClient.Launched(guest.Recording, "end");
        Dictionary<string, ulong> symbols = HostTool.Run("nm", [guest.WithSymbols], TimeSpan.FromMinutes(1)).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split(' ')).Where(words => words.Length == 3 && words[1] is "t" or "T")
            .ToDictionary(words => words[2], words => ulong.Parse(words[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture));
        client.Body("setFunctionBreakpoints", """{"breakpoints":[{"name":"__x64_sys_exit"}]}""");
        for (int i = 0; i < 2; i++)
        {
            int thread = (int)client.Move("reverseContinue")["threadId"]!;
            JsonArray frames = (JsonArray)client.Body("stackTrace", $$"""{"threadId":{{thread}}}""")["stackFrames"]!;
            string[] users = [.. frames.Select(frame => (string)frame!["name"]!).Where(name => name.EndsWith(" (user)", StringComparison.Ordinal))];
            Assert.Equal(2, users.Length);
            Assert.Equal(symbols["system_call"], OffsetOf(users[0], symbols["system_call"]));
            Assert.Equal(symbols["_start"], OffsetOf(users[1], symbols["_start"]));
        }
    }

    // Where a guessed function begins in its file: programs are mapped at pages.
    private static ulong OffsetOf(string name, ulong expected)
    {
        int end = name.IndexOf('?', StringComparison.Ordinal);
        Assert.True(name.StartsWith("sub_", StringComparison.Ordinal) && end > 0, name);
        ulong start = ulong.Parse(name.AsSpan(4, end - 4), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        return (expected & ~0xFFFUL) | (start & 0xFFF);
    }
}
