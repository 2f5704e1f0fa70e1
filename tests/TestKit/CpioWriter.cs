using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;

namespace TestKit;

/// <summary>Writes cpio archives of the format newc, entry by entry.</summary>
public sealed class CpioWriter
{
    private readonly List<byte> _output = [];
    private uint _inode = 1;

    public CpioWriter Add(string path, ReadOnlySpan<byte> data, uint mode = 0x81ed, uint inode = 0, uint linkCount = 1)
    {
        uint[] fields = [inode == 0 ? _inode++ : inode, mode, 0, 0, linkCount, 0, (uint)data.Length, 0, 0, 0, 0, (uint)Encoding.UTF8.GetByteCount(path) + 1, 0];
        var header = new StringBuilder("070701");
        foreach (uint field in fields) header.Append(field.ToString("x8", CultureInfo.InvariantCulture));
        _output.AddRange(Encoding.UTF8.GetBytes(header + path + "\0"));
        Pad();
        _output.AddRange(data);
        Pad();
        return this;
    }

    public CpioWriter Add(string path, string text, uint mode = 0x81ed) => Add(path, Encoding.UTF8.GetBytes(text), mode);

    public byte[] Finish()
    {
        Add("TRAILER!!!", []);
        return [.. _output];
    }

    private void Pad()
    {
        while (_output.Count % 4 != 0) _output.Add(0);
    }
}
