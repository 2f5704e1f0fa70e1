using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Dap.Tests.Oracles;
using Introspection.Programs;
using Introspection.State;
using Introspection.Unwinding;
using Replay.Recording;
using TestKit;
using Vmm.Platform;
using Xunit;

namespace Dap.Tests.Sessions;

/// <summary>The frames of every instruction that is ever executed are the calls that single steps have seen.</summary>
public sealed class UnwindingTests(Recordings recordings)
{
    private const int SamePlaceCount = 3;

    [Theory]
    [InlineData("O0")]
    [InlineData("O2")]
    public void Of_tasks_on_two_processors(string optimization)
    {
        using var guest = new TasksGuest(optimization, chaosSeed: 7);
        Compare(guest.Recording);
    }

    [Fact]
    public void Of_a_64_bit_kernel() => Compare(recordings.Two);

    [Fact]
    public void Of_a_32_bit_kernel()
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
                recorder.Run(2_000_000);
                recorder.Finish();
            }
            Compare(path);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Compare(string recording)
    {
        using GuestPrograms programs = TasksGuest.ProgramsOf(recording);
        SymbolSet symbols = programs.AsLinked;
        var seen = new Dictionary<(ulong, int), int>();
        var failures = new SortedDictionary<ulong, string>();
        int compared = 0, hidden = 0;
        _ = new CallOracle(recording, Visit);
        Assert.True(failures.Count == 0, $"{failures.Count} places of {seen.Count}, {compared} compared:\n{string.Join('\n', failures.Values)}");
        Assert.True(compared > 500);
        // Only some instructions of the scheduler lie between the two.
        Assert.True(hidden * 20 < compared, $"{hidden} of {compared} moments show no program");

        void Visit(GuestView view, Moment moment)
        {
            // Before there is a stack, nothing is to be unwound.
            if (moment.Frame.Depth == 0 || view.CodeSize == 16) return;
            (ulong, int) place = (moment.Code, moment.Frame.Depth);
            int times = seen.GetValueOrDefault(place);
            seen[place] = times + 1;
            // Rarer and rarer: the first times, the 10th, the 100th ...
            if (times >= SamePlaceCount && times != 10 && times != 100 && times != 1000) return;
            compared++;
            List<CallFrame> frames = new StackUnwinder(view, symbols).Walk();
            var expected = new List<string>();
            for (Activation? call = moment.Frame; call?.Parent is not null && view.Translate(call.ReturnCode) is not null; call = call.Parent)
            {
                // Between a kernel's load of CR3 and its switch of stacks, a program's memory is not to be seen below the kernel's frames.
                if (call.ParentAddressSpace != 0 && call.ParentAddressSpace != view.Vcpu.State.Cr3)
                {
                    hidden++;
                    break;
                }
                expected.Add($"{call.ReturnCode:x}/{call.ReturnStack:x}");
            }
            List<string> actual = [.. frames.Skip(1).Take(expected.Count).Select(frame => $"{frame.Code:x}/{frame.Stack:x}")];
            if (!expected.SequenceEqual(actual) && !failures.ContainsKey(moment.Code))
            {
                string found = string.Join(' ', frames.Skip(1).Select(f => $"{f.Code:x}/{f.Stack:x}({f.Origin})"));
                failures[moment.Code] = $"{symbols.NameOf(moment.Code, out ulong offset)}+{offset:x} ({moment.Code:x}) at {moment.At} cpu {moment.CpuIndex}: "
                    + $"{found} instead of {string.Join(' ', expected)}";
            }
        }
    }
}
