using System;
using System.Buffers;
using System.Globalization;
using System.IO;
using System.Text;
using Replay.Log;
using TestKit;
using Xunit;

namespace Replay.Tests.Log;

/// <summary>The writer's bytes against the specification and against npm's @msgpack/msgpack; the reader against the writer and against
/// rubbish.</summary>
public sealed class MessagePackTests
{
    private static readonly long[] s_integers =
    [
        0, 1, 127, 128, 255, 256, 65535, 65536, uint.MaxValue, uint.MaxValue + 1L, long.MaxValue, -1, -32, -33, -128, -129, -32768, -32769,
        int.MinValue, int.MinValue - 1L, long.MinValue,
    ];

    private static readonly int[] s_lengths = [0, 1, 15, 16, 31, 32, 255, 256, 65535, 65536];

    [Theory]
    [InlineData(0, "00")]
    [InlineData(127, "7f")]
    [InlineData(128, "cc80")]
    [InlineData(256, "cd0100")]
    [InlineData(65536, "ce00010000")]
    [InlineData(4294967296, "cf0000000100000000")]
    [InlineData(-1, "ff")]
    [InlineData(-32, "e0")]
    [InlineData(-33, "d0df")]
    [InlineData(-129, "d1ff7f")]
    [InlineData(-32769, "d2ffff7fff")]
    [InlineData(-2147483649, "d3ffffffff7fffffff")]
    public void Integers_take_the_shortest_form(long value, string expected)
    {
        var buffer = new ArrayBufferWriter<byte>();
        var w = new MessagePackWriter(buffer);
        w.Write(value);
        w.Flush();
        Assert.Equal(expected, Convert.ToHexStringLower(buffer.WrittenSpan));
        Assert.Equal(value, new MessagePackReader(buffer.WrittenMemory).ReadInt64());
    }

    [Fact]
    public void Everything_written_is_read_back()
    {
        ReadOnlyMemory<byte> bytes = WriteEverything();
        var r = new MessagePackReader(bytes);
        Assert.Equal(4 + s_integers.Length + 3 * s_lengths.Length, r.ReadArrayHeader());
        Assert.True(r.TryReadNil());
        Assert.True(r.ReadBoolean());
        Assert.False(r.ReadBoolean());
        Assert.Equal(1.5, r.ReadDouble());
        foreach (long value in s_integers) Assert.Equal(value, r.ReadInt64());
        foreach (int length in s_lengths)
        {
            Assert.Equal(Binary(length), r.ReadBinary().ToArray());
            Assert.Equal(Text(length), r.ReadString());
            Assert.Equal(length, r.ReadArrayHeader());
            for (int i = 0; i < length; i++) Assert.Equal((uint)(i & 0x7F), r.ReadUInt32());
        }
        Assert.True(r.End);
        var skipper = new MessagePackReader(bytes);
        skipper.Skip();
        Assert.True(skipper.End);
    }

    [Fact]
    public void An_independent_implementation_reads_and_writes_the_same_bytes()
    {
        HostTool.Require("node", "nodejs npm");
        string folder = Path.Combine(Repository.Artifacts, "msgpack");
        Directory.CreateDirectory(folder);
        File.Copy(Repository.PathOf("tests/Replay.Tests/Log/package.json"), Path.Combine(folder, "package.json"), overwrite: true);
        if (!Directory.Exists(Path.Combine(folder, "node_modules", "@msgpack", "msgpack")))
        {
            ToolResult install = HostTool.Run("npm", ["install", "--no-audit", "--no-fund", "--prefix", folder], TimeSpan.FromMinutes(5));
            if (install.ExitCode != 0) Requirement.Missing("@msgpack/msgpack is not installed", $"npm install --prefix {folder}");
        }
        string input = Path.Combine(folder, "everything.msgpack");
        File.WriteAllBytes(input, WriteEverything().ToArray());
        File.WriteAllText(Path.Combine(folder, "compare.js"), CompareScript());
        ToolResult result = HostTool.Run("node", [Path.Combine(folder, "compare.js"), input], TimeSpan.FromMinutes(1));
        Assert.True(result.ExitCode == 0, result.Error + result.Output);
        Assert.Equal("same", result.Output.Trim());
    }

    [Fact]
    public void Rubbish_is_refused_without_believing_any_length()
    {
        var random = new Random(1);
        var bytes = new byte[64];
        for (int round = 0; round < 100_000; round++)
        {
            random.NextBytes(bytes);
            try
            {
                var r = new MessagePackReader(bytes);
                while (!r.End) r.Skip();
            }
            catch (MessagePackSerializationException)
            {
                // The one exception that is allowed.
            }
        }
        byte[] nested = new byte[1000];
        Array.Fill(nested, (byte)0x91);
        Assert.Throws<MessagePackSerializationException>(() => new MessagePackReader(nested).Skip());
        byte[] huge = [0xdd, 0xff, 0xff, 0xff, 0xff];
        Assert.Throws<MessagePackSerializationException>(() => { new MessagePackReader(huge).ReadArrayHeader(); });
    }

    private static ReadOnlyMemory<byte> WriteEverything()
    {
        var buffer = new ArrayBufferWriter<byte>();
        var w = new MessagePackWriter(buffer);
        w.WriteArrayHeader(4 + s_integers.Length + 3 * s_lengths.Length);
        w.WriteNil();
        w.Write(true);
        w.Write(false);
        w.Write(1.5);
        foreach (long value in s_integers) w.Write(value);
        foreach (int length in s_lengths)
        {
            w.Write(Binary(length));
            w.Write(Text(length));
            w.WriteArrayHeader(length);
            for (int i = 0; i < length; i++) w.Write(i & 0x7F);
        }
        w.Flush();
        return buffer.WrittenMemory;
    }

    private static byte[] Binary(int length)
    {
        var bytes = new byte[length];
        for (int i = 0; i < length; i++) bytes[i] = (byte)(i * 7);
        return bytes;
    }

    private static string Text(int length)
    {
        // Some are two bytes in UTF-8, so that lengths in bytes and in characters differ.
        var text = new StringBuilder(length);
        for (int i = 0; i < length; i++) text.Append(i % 10 == 3 ? 'é' : (char)('a' + i % 26));
        return text.ToString();
    }

    private static string CompareScript()
    {
        var integers = new StringBuilder();
        foreach (long value in s_integers) integers.Append(CultureInfo.InvariantCulture, $"{value}n,");
        return $$"""
            // Builds the same value as MessagePackTests does, encodes it, and compares the bytes.
            const { encode, decode } = require('@msgpack/msgpack');
            const fs = require('fs');
            const ours = fs.readFileSync(process.argv[2]);
            const value = [null, true, false, 1.5];
            for (const n of [{{integers}}])
              value.push(n >= -(2n ** 31n) && n < 2n ** 32n ? Number(n) : n);
            for (const length of [{{string.Join(',', s_lengths)}}]) {
              value.push(Uint8Array.from({ length }, (_, i) => i * 7));
              value.push(Array.from({ length }, (_, i) => i % 10 === 3 ? 'é' : String.fromCharCode(97 + i % 26)).join(''));
              value.push(Array.from({ length }, (_, i) => i & 0x7f));
            }
            // A bigint goes as 64 bits whatever its size: the shortest form too for those that need it.
            const theirs = Buffer.from(encode(value, { useBigInt64: true }));
            decode(ours, { useBigInt64: true });
            if (ours.equals(theirs)) console.log('same');
            else {
              let i = 0;
              while (i < ours.length && ours[i] === theirs[i]) i++;
              console.log(`differ at ${i}: ours ${ours.subarray(i, i + 12).toString('hex')}, theirs ${theirs.subarray(i, i
                  + 12).toString('hex')}`);
            }
            """;
    }
}
