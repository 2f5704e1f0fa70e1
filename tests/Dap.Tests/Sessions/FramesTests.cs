using System.Collections.Generic;
using System.IO;
using System.Text.Json.Nodes;
using Replay.Recording;
using TestKit;
using Vmm.Platform;
using Xunit;

namespace Dap.Tests.Sessions;

/// <summary>Frames lead out of interrupt handlers that were written in assembler, without unwind information.</summary>
public sealed class FramesTests(Recordings recordings)
{
    [Fact]
    public void Out_of_interrupts_of_a_32_bit_kernel()
    {
        string folder = Directory.CreateTempSubdirectory("ttvm-dap").FullName, path = Path.Combine(folder, "demo32.ttvm");
        try
        {
            var configuration = new MachineConfiguration
            {
                CpuCount = 1, MemorySizeBytes = 32 << 20, Images = [new MachineImage("kernel", "demo32.elf", File.ReadAllBytes(GuestImages.Demo32()))],
            };
            using (var recorder = new Recorder(configuration, new NoInput(), new StandingHost(), new RecorderOptions { Path = path, RecordedFrom = "a test" }))
            {
                recorder.Run(20_000_000);
                recorder.Finish();
            }
            LeadsOut(path);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void Out_of_interrupts_of_a_64_bit_kernel() => LeadsOut(recordings.One);

    // Each instruction of a handler's way in, and of the C function that it calls, has the interrupted program at the end of its frames.
    private static void LeadsOut(string recording)
    {
        using TestClient client = TestClient.Launched(recording, "30%");
        client.Body("setExceptionBreakpoints", """{"filters":["interrupts"]}""");
        string interrupted;
        do
        {
            Assert.Equal("exception", (string?)client.Move("continue")["reason"]);
            interrupted = Names(client)[^1];
        }
        while (interrupted != "user_main");
        client.Body("setExceptionBreakpoints", """{"filters":[]}""");
        string last = "";
        for (int i = 0; last != "trap_dispatch"; i++)
        {
            Assert.True(i < 60, "the handler calls nothing");
            client.Move("stepIn", """{"threadId":1,"granularity":"instruction"}""");
            List<string> names = Names(client);
            Assert.Equal("user_main (user)", names[^1]);
            Assert.True(names.Count > 1, string.Join(", ", names));
            last = names[0];
        }
    }

    private static List<string> Names(TestClient client)
    {
        var names = new List<string>();
        foreach (JsonNode? frame in client.Body("stackTrace", """{"threadId":1}""")["stackFrames"]!.AsArray()) names.Add((string)frame!["name"]!);
        return names;
    }
}
