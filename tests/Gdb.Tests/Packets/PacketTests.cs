using System;
using System.Collections.Generic;
using System.Text;
using Gdb.Packets;
using Gdb.Sessions;
using Xunit;

namespace Gdb.Tests.Packets;

public sealed class PacketTests
{
    [Theory]
    [InlineData("OK", "$OK#9a")]
    [InlineData("", "$#00")]
    [InlineData("a#b", "$a}\u0003b#43")]
    [InlineData("}*$", "$}]}\n}\u0004#e2")]
    public void A_packet_is_data_with_escapes_and_a_checksum(string text, string packet)
    {
        Assert.Equal(packet, Encoding.Latin1.GetString(PacketEncoder.Encode(text)));
        Assert.Equal([new PacketInput(PacketInputKind.Packet, text)], Decode(packet));
    }

    [Fact]
    public void Every_byte_survives()
    {
        var text = new StringBuilder();
        for (int i = 0; i < 256; i++) text.Append((char)i);
        PacketInput input = Assert.Single(Decode(Encoding.Latin1.GetString(PacketEncoder.Encode(text.ToString()))));
        Assert.Equal(text.ToString(), input.Text);
    }

    [Fact]
    public void Signs_and_interrupts_stand_between_packets()
    {
        PacketInputKind[] kinds = [.. Decode("+-\u0003noise$g#67+").ConvertAll(input => input.Kind)];
        Assert.Equal([PacketInputKind.Acknowledgment, PacketInputKind.Retransmission, PacketInputKind.Interrupt, PacketInputKind.Packet, PacketInputKind.Acknowledgment], kinds);
    }

    [Theory]
    [InlineData("$g#68")]
    [InlineData("$g#zz")]
    [InlineData("$g#6z")]
    [InlineData("$}#7d")]
    public void A_wrong_checksum_is_told_and_the_next_packet_found(string bad)
    {
        List<PacketInput> inputs = Decode(bad + "$g#67");
        Assert.Contains(inputs, input => input.Kind == PacketInputKind.BadChecksum);
        Assert.Equal(new PacketInput(PacketInputKind.Packet, "g"), inputs[^1]);
    }

    [Fact]
    public void A_packet_that_begins_anew_counts() => Assert.Equal([new PacketInput(PacketInputKind.Packet, "g")], Decode("$m12$g#67"));

    [Fact]
    public void A_packet_without_end_takes_no_memory()
    {
        var decoder = new PacketDecoder();
        decoder.TryAdd((byte)'$', out _);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 10_000_000; i++) Assert.False(decoder.TryAdd((byte)'a', out _));
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1 << 20);
        byte sum = unchecked((byte)(10_000_000 * 'a'));
        PacketInput? end = null;
        foreach (char c in $"#{sum:x2}")
            if (decoder.TryAdd((byte)c, out PacketInput input)) end = input;
        Assert.Equal(PacketInputKind.TooLong, end?.Kind);
    }

    [Fact]
    public void Random_bytes_are_survived()
    {
        var random = new Random(1);
        var decoder = new PacketDecoder();
        for (int i = 0; i < 1_000_000; i++) decoder.TryAdd("$#+-}\u0003ab09"[random.Next(10)] is var c && random.Next(4) > 0 ? (byte)c : (byte)random.Next(256), out _);
    }

    [Theory]
    [InlineData("s:1;c", 0, true)]
    [InlineData("s:2", 1, false)]
    [InlineData("c", null, true)]
    [InlineData("C05:1;c", null, true)]
    [InlineData("s", ThreadId.Any, true)]
    [InlineData("S05:2;s;c:-1", 1, true)]
    public void Resumes_are_read(string actions, int? cpu, bool othersRun)
    {
        Assert.True(ResumeRequest.TryParse(actions, 2, out ResumeRequest request));
        Assert.Equal(new ResumeRequest(cpu, othersRun), request);
    }

    [Theory]
    [InlineData("")]
    [InlineData(";;")]
    [InlineData("x")]
    [InlineData("s:3")]
    [InlineData("s:")]
    [InlineData("s:p1.1")]
    [InlineData("C5")]
    [InlineData("Czz:1")]
    public void Bad_resumes_are_refused(string actions) => Assert.False(ResumeRequest.TryParse(actions, 2, out _));

    private static List<PacketInput> Decode(string bytes)
    {
        var decoder = new PacketDecoder();
        var inputs = new List<PacketInput>();
        foreach (char c in bytes)
            if (decoder.TryAdd((byte)c, out PacketInput input)) inputs.Add(input);
        return inputs;
    }
}
