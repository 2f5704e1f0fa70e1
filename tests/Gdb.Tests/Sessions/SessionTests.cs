using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Xml.Linq;
using Gdb.Packets;
using Replay.Packages;
using Replay.Redaction;
using Replay.Timelines;
using Vmm.Cpu;
using Vmm.Platform;
using Vmm.Time;
using Xunit;

namespace Gdb.Tests.Sessions;

/// <summary>What packets are answered with, and that steps and stops agree with the timeline.</summary>
public sealed class SessionTests(DemoRecordings recordings) : IClassFixture<DemoRecordings>
{
    // The kernel's code and data are mapped there from early on: a late position has all of it.
    private const ulong LedgerTotal = 0xFFFF_FFFF_8010_4048;

    private RecordingFile Recording => recordings.Demo.File;

    [Fact]
    public void The_handshake_tells_what_is_there()
    {
        using var served = new ServedRecording(Recording, Recording.End);
        using var client = new PacketClient(served.Port);
        string supported = client.Ask("qSupported:multiprocess+;swbreak+;hwbreak+");
        foreach (string feature in (string[])["PacketSize=4000", "qXfer:features:read+", "ReverseStep+", "ReverseContinue+", "swbreak+", "hwbreak+", "QStartNoAckMode+"])
            Assert.Contains(feature, supported.Split(';'));
        Assert.Equal("OK", client.Ask("QStartNoAckMode"));
        client.SendRaw("+");
        Assert.Equal("m1,2", client.Ask("qfThreadInfo"));
        Assert.Equal("l", client.Ask("qsThreadInfo"));
        Assert.Equal("T05thread:1;", client.Ask("?"));
        Assert.Equal("vCont;c;C;s;S", client.Ask("vCont?"));
        Assert.Contains("vCPU 1: halted, ring 0, 64-bit code", System.Text.Encoding.UTF8.GetString(Convert.FromHexString(client.Ask("qThreadExtraInfo,2"))));
        Assert.Equal("OK", client.Ask("T2"));
        Assert.StartsWith("E", client.Ask("T3"));
        Assert.Equal("", client.Ask("vMustReplyEmpty"));
    }

    [Fact]
    public void A_run_over_a_hole_says_so()
    {
        string path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid()}.ttvm");
        try
        {
            // The sum that every vCPU works with all the time.
            var plan = new RedactionPlan { Descriptions = ["a sum"], Select = static _ => [new SelectedMemory([(LedgerTotal & 0xFF_FFFF, 8)])] };
            Assert.NotEmpty(RecordingRedactor.Redact(Recording, path, plan, overwrite: false, cancellation: TestContext.Current.CancellationToken).Holes);
            using RecordingFile redacted = RecordingFile.Open(path);
            using var served = new ServedRecording(redacted, redacted.Start);
            using var client = new PacketClient(served.Port);
            // A search for something that is not there.
            Assert.Equal("OK", client.Ask("Z1,1000,1"));
            string text = "", packet = client.Ask("c");
            for (; packet[0] == 'O'; packet = client.NextPacket()) text += System.Text.Encoding.UTF8.GetString(Convert.FromHexString(packet[1..]));
            Assert.Contains("passed over", text, StringComparison.Ordinal);
            Assert.EndsWith("replaylog:end;", packet, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void Registers_are_those_of_the_description()
    {
        using var served = new ServedRecording(Recording, Recording.End);
        using var timeline = new Timeline(Recording);
        timeline.Seek(Recording.End);
        using var client = new PacketClient(served.Port);
        var xml = "";
        for (string part = "m"; part[0] == 'm'; xml += part[1..]) part = client.Ask(string.Create(CultureInfo.InvariantCulture, $"qXfer:features:read:target.xml:{xml.Length:x},3f0"));
        XElement target = XDocument.Parse(xml.Replace("<!DOCTYPE target SYSTEM \"gdb-target.dtd\">", "", StringComparison.Ordinal)).Root!;
        Assert.Equal("i386:x86-64", target.Element("architecture")!.Value);
        for (int cpu = 0; cpu < 2; cpu++)
        {
            client.Ask($"Hg{cpu + 1}");
            VcpuState s = timeline.Machine.Vcpus[cpu].State;
            var expected = new Dictionary<string, ulong>
            {
                ["rax"] = s.General[0], ["rbx"] = s.General[3], ["rsp"] = s.General[4], ["r15"] = s.General[15], ["rip"] = s.Rip, ["eflags"] = s.ReadRFlags(),
                ["cs"] = s.Segments[SegmentIndex.Cs].Selector, ["gs_base"] = s.Segments[SegmentIndex.Gs].Base, ["cr0"] = s.Cr0, ["cr2"] = s.Cr2, ["cr3"] = s.Cr3,
                ["cr4"] = s.Cr4, ["efer"] = s.Efer, ["mxcsr"] = s.Mxcsr, ["fctrl"] = s.X87Control,
            };
            string all = client.Ask("g");
            int at = 0;
            foreach (XElement register in target.Descendants("reg"))
            {
                int digits = int.Parse(register.Attribute("bitsize")!.Value, CultureInfo.InvariantCulture) / 4;
                string alone = client.Ask(string.Create(CultureInfo.InvariantCulture, $"p{int.Parse(register.Attribute("regnum")!.Value, CultureInfo.InvariantCulture):x}"));
                Assert.Equal(all.Substring(at, digits), alone);
                at += digits;
                if (!expected.Remove(register.Attribute("name")!.Value, out ulong value)) continue;
                byte[] bytes = new byte[8];
                Convert.FromHexString(alone).CopyTo(bytes, 0);
                Assert.Equal(value, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            }
            Assert.Equal(all.Length, at);
            Assert.Empty(expected);
        }
    }

    [Theory]
    [InlineData("m")]
    [InlineData("m1")]
    [InlineData("m,")]
    [InlineData("mzz,4")]
    [InlineData("m11112222333344445555,1")]
    [InlineData("p")]
    [InlineData("pffff")]
    [InlineData("P0")]
    [InlineData("P0=12")]
    [InlineData("P0=zz")]
    [InlineData("G00")]
    [InlineData("M1000,4:00")]
    [InlineData("M1000,1")]
    [InlineData("X1000,4:a")]
    [InlineData("Hg9")]
    [InlineData("Hx1")]
    [InlineData("H")]
    [InlineData("Z0")]
    [InlineData("Z0,zz,1")]
    [InlineData("Z2,1000,0")]
    [InlineData("Z2,1000,ffffffffffffffff")]
    [InlineData("vCont;s:9")]
    [InlineData("vCont;")]
    [InlineData("c1000")]
    [InlineData("qThreadExtraInfo,77")]
    [InlineData("qXfer:features:read:target.xml:x,y")]
    [InlineData("qXfer:features:read:other.xml:0,100")]
    [InlineData("qRcmd,zz")]
    [InlineData("qRcmd,1")]
    public void A_malformed_packet_is_an_error(string packet)
    {
        using var served = new ServedRecording(Recording, Recording.End);
        using var client = new PacketClient(served.Port);
        Assert.Matches("^E[0-9a-f]{2}$", client.Ask(packet));
        Assert.Equal("QC1", client.Ask("qC"));
    }

    [Theory]
    [InlineData("Z9,1000,1")]
    [InlineData("bx")]
    [InlineData("vFile:open:2f,0,0")]
    [InlineData("qUnknown")]
    [InlineData("QUnknown:1")]
    [InlineData("!")]
    [InlineData("\u0001\u0002")]
    public void An_unknown_packet_is_answered_with_an_empty_one(string packet)
    {
        using var served = new ServedRecording(Recording, Recording.End);
        using var client = new PacketClient(served.Port);
        Assert.Equal("", client.Ask(packet));
    }

    [Fact]
    public void Bad_checksums_are_refused_and_lost_answers_sent_again()
    {
        using var served = new ServedRecording(Recording, Recording.End);
        using var client = new PacketClient(served.Port);
        client.SendRaw("$qC#00");
        Assert.Equal(PacketInputKind.Retransmission, client.Next().Kind);
        client.SendRaw("$qC#b4");
        Assert.Equal(PacketInputKind.Acknowledgment, client.Next().Kind);
        Assert.Equal("QC1", client.Next().Text);
        client.SendRaw("-");
        Assert.Equal("QC1", client.Next().Text);
        Assert.Matches("^E", client.Ask(new string('m', 0x5000)));
    }

    [Fact]
    public void Rubbish_is_survived()
    {
        var random = new Random(5);
        using var served = new ServedRecording(Recording, Recording.End);
        for (int round = 0; round < 20; round++)
        {
            using var client = new PacketClient(served.Port);
            client.Ask("QStartNoAckMode");
            for (int i = 0; i < 50; i++)
            {
                var text = new char[random.Next(0, 40)];
                for (int j = 0; j < text.Length; j++) text[j] = random.Next(3) > 0 ? ",:;=0123456789abcdefpPqQ"[random.Next(23)] : (char)random.Next(256);
                // Neither a farewell nor a search of the whole recording; what is left of those letters is tested elsewhere.
                string packet = "mMXgGpPHTZzqQv?!ABEFIR"[random.Next(22)] + new string(text);
                client.Ask(packet);
            }
            client.SendRaw("$unfinished");
        }
        using var last = new PacketClient(served.Port);
        Assert.Equal("QC1", last.Ask("qC"));
    }

    [Fact]
    public void Steps_of_one_vcpu_forward_and_back_are_each_others_inverse()
    {
        using var served = new ServedRecording(Recording, new Position(Recording.End.InstructionCount / 2));
        using var client = new PacketClient(served.Port);
        client.Ask("QStartNoAckMode");
        for (int cpu = 1; cpu <= 2; cpu++)
        {
            var states = new List<string>();
            client.Ask($"Hg{cpu}");
            for (int i = 0; i < 60; i++)
            {
                states.Add(client.Ask("g"));
                Assert.Equal($"T05thread:{cpu};", client.Ask($"vCont;s:{cpu};c"));
            }
            client.Ask($"Hc{cpu}");
            for (int i = states.Count - 1; i >= 0; i--)
            {
                Assert.Equal($"T05thread:{cpu};", client.Ask("bs"));
                client.Ask($"Hg{cpu}");
                Assert.Equal(states[i], client.Ask("g"));
            }
            client.Ask("Hc0");
        }
    }

    [Fact]
    public void Both_ends_are_told_as_often_as_asked()
    {
        using var served = new ServedRecording(Recording, new Position(3));
        using var client = new PacketClient(served.Port);
        for (int i = 0; i < 2; i++) Assert.Equal("T05thread:1;replaylog:begin;", client.Ask("bc"));
        for (int i = 0; i < 2; i++) Assert.Equal("T05thread:1;replaylog:begin;", client.Ask("bs"));
        Assert.Contains("position 0 of", client.Monitor("position"));
        for (int i = 0; i < 2; i++) Assert.Equal("T05thread:1;replaylog:end;", client.Ask("vCont;c"));
        for (int i = 0; i < 2; i++) Assert.Equal("T05thread:1;replaylog:end;", client.Ask("vCont;s:1;c"));
        Assert.Contains($"position {Recording.End} of", client.Monitor("position"));
        // This one was never started when the recording began.
        Assert.Equal("T05thread:2;replaylog:end;", client.Ask("vCont;s:2;c"));
    }

    [Fact]
    public void Watches_meet_every_write_in_both_directions()
    {
        var writes = new List<MachineEvent>();
        using (var timeline = new Timeline(Recording))
        {
            timeline.Seek(Recording.End);
            while (writes.Count < 5 && timeline.LastWrite(LedgerTotal, 8, isPhysical: false) is { } write) writes.Add(write);
        }
        using var served = new ServedRecording(Recording, Recording.End);
        using var client = new PacketClient(served.Port);
        Assert.Equal("OK", client.Ask($"Z2,{LedgerTotal:x},8"));
        foreach (MachineEvent write in writes)
        {
            Assert.Equal($"T05thread:{write.CpuIndex + 1};watch:{LedgerTotal:x};", client.Ask("bc"));
            Assert.Contains($"position {write.At} of", client.Monitor("position"));
        }
        writes.Reverse();
        foreach (MachineEvent write in writes)
        {
            Assert.Equal($"T05thread:{write.CpuIndex + 1};watch:{LedgerTotal:x};", client.Ask("vCont;c"));
            Assert.Contains($"position {write.At.InstructionCount + 1} of", client.Monitor("position"));
        }
        Assert.Equal($"T05thread:{writes[^1].CpuIndex + 1};watch:{LedgerTotal:x};", client.Ask("bs"));
        Assert.Equal($"T05thread:{writes[^1].CpuIndex + 1};watch:{LedgerTotal:x};", client.Ask($"vCont;s:{writes[^1].CpuIndex + 1};c"));
        Assert.Equal("OK", client.Ask($"z2,{LedgerTotal:x},8"));
        Assert.Equal("T05thread:1;replaylog:end;", client.Ask("c"));
    }

    [Fact]
    public void A_change_opens_a_diversion_and_the_recording_stays()
    {
        var origin = new Position(Recording.End.InstructionCount - 1000);
        using var served = new ServedRecording(Recording, origin);
        using var client = new PacketClient(served.Port);
        string registers = client.Ask("g"), memory = client.Ask($"m{LedgerTotal:x},8");
        Assert.Equal("OK", client.Ask($"X{LedgerTotal:x},0:"));
        Assert.DoesNotContain("diversion", client.Monitor("position"), StringComparison.Ordinal);
        Assert.Equal("E0e", client.Ask("M7000000000000,1:00"));
        Assert.Equal("E01", client.Ask("P12=ffff0000"));
        Assert.DoesNotContain("diversion", client.Monitor("position"), StringComparison.Ordinal);

        Assert.Equal("OK", client.Ask($"M{LedgerTotal:x},8:0102030405060708"));
        Assert.Equal("OK", client.Ask("P0=1122334455667788"));
        Assert.Contains("in a diversion from " + origin, client.Monitor("position"));
        Assert.Equal("0102030405060708", client.Ask($"m{LedgerTotal:x},8"));
        Assert.Equal("1122334455667788", client.Ask("p0"));
        string notice = client.Ask("vCont;s:1;c");
        Assert.StartsWith("O", notice);
        Assert.Contains("the recording does not change", System.Text.Encoding.UTF8.GetString(Convert.FromHexString(notice.AsSpan(1))));
        Assert.Equal("T05thread:1;", client.NextPacket());
        Assert.StartsWith("O", client.Ask("bs"));
        Assert.Equal("T02thread:1;", client.NextPacket());
        Assert.Equal(memory, client.Ask($"m{LedgerTotal:x},8"));
        Assert.Equal(registers, client.Ask("g"));
        Assert.Contains("no diversion", client.Monitor("return"));
    }

    [Fact]
    public void Monitor_commands_answer_in_sentences()
    {
        using var served = new ServedRecording(Recording, Recording.End);
        using var client = new PacketClient(served.Port);
        Assert.Contains("lastwrite", client.Monitor("help"));
        Assert.Contains("position 1000 of", client.Monitor("seek 1_000"));
        Assert.Contains("past the end", client.Monitor("seek 99999999999"));
        Assert.Contains("is not a position", client.Monitor("seek nowhere"));
        Assert.Contains("position 1000 of", client.Monitor("position"));
        Assert.Contains("since the start", client.Monitor("lastwrite ffffffff80104048"));
        client.Monitor("seek end");
        Assert.Contains("by the instruction at 0x", client.Monitor($"lastwrite 0x{LedgerTotal:x} 8"));
        Assert.Contains($"position {Recording.End} of", client.Monitor("position"));
        Assert.Contains("physical", client.Monitor($"walk 0x{LedgerTotal:x}"));
        Assert.Contains("not mapped", client.Monitor("walk 700000000000"));
        Assert.Contains("is not an address", client.Monitor("walk here"));
        Assert.Contains("is not a size", client.Monitor("lastwrite 1000 0"));
        Assert.Contains("Syscall", client.Monitor("exits"));
        Assert.Contains("monitor help", client.Monitor("dance"));
        Assert.Contains("monitor help", client.Monitor("seek"));
    }

    [Fact]
    public void An_interrupt_right_behind_a_resume_stops_it()
    {
        using var served = new ServedRecording(Recording, Position.Start);
        using var client = new PacketClient(served.Port);
        client.Ask("QStartNoAckMode");
        client.Ask("Z0,1234567,1");
        client.SendRaw("$vCont;c#a8\u0003");
        Assert.Equal("T02thread:1;", client.NextPacket());
        // One that comes when nothing runs is void.
        client.SendRaw("\u0003");
        Assert.Equal("QC1", client.Ask("qC"));
        Assert.Equal("T05thread:1;replaylog:end;", client.Ask("vCont;c"));
    }

    [Fact]
    public void Detaching_leaves_the_server_and_killing_ends_it()
    {
        using var served = new ServedRecording(Recording, new Position(1000));
        using (var client = new PacketClient(served.Port))
        {
            client.Ask("vCont;s:1;c");
            Assert.Equal("OK", client.Ask("D"));
        }
        using (var client = new PacketClient(served.Port)) Assert.Contains("position 1001 of", client.Monitor("position"));
        using (var client = new PacketClient(served.Port)) Assert.Equal("OK", client.Ask("vKill;1"));
        Assert.True(served.Ends(TimeSpan.FromSeconds(60)));
    }
}
