using System;
using System.Collections.Generic;
using Symbols.Images;

namespace Introspection.Linux;

/// <summary>A file as far as a process has it mapped and in memory: what is not there ends a window.</summary>
internal sealed class MappedFileImage : ImageSource
{
    private readonly AddressSpaceReader _memory;
    private readonly List<LinuxMapping> _mappings;

    /// <param name="memory">The process's.</param>
    /// <param name="mappings">All of one file.</param>
    /// <param name="name">What messages call it.</param>
    internal MappedFileImage(AddressSpaceReader memory, List<LinuxMapping> mappings, string name)
    {
        _memory = memory;
        // Where a file is mapped twice, what the process cannot have changed is the file.
        _mappings = mappings;
        _mappings.Sort(static (a, b) => IsWritable(a).CompareTo(IsWritable(b)));
        Name = name;
        foreach (LinuxMapping mapping in mappings) Length = Math.Max(Length, (long)Math.Min(mapping.FileOffset + (mapping.End - mapping.Start), int.MaxValue));
    }

    public override string Name { get; }

    public override long Length { get; }

    public override ReadOnlyMemory<byte> Window(long offset, int count)
    {
        if (offset < 0 || offset >= Length || count <= 0) return default;
        byte[] bytes = new byte[Math.Min(count, Length - offset)];
        int done = 0;
        while (done < bytes.Length)
        {
            int read = ReadPart((ulong)offset + (ulong)done, bytes.AsSpan(done));
            if (read == 0) break;
            done += read;
        }
        return bytes.AsMemory(0, done);
    }

    private int ReadPart(ulong offset, Span<byte> destination)
    {
        foreach (LinuxMapping mapping in _mappings)
        {
            if (offset < mapping.FileOffset || offset - mapping.FileOffset >= mapping.End - mapping.Start) continue;
            ulong left = mapping.End - mapping.Start - (offset - mapping.FileOffset);
            int count = (int)Math.Min((ulong)destination.Length, left);
            if (_memory.Read(mapping.Start + (offset - mapping.FileOffset), destination[..count]) is > 0 and int read) return read;
        }
        return 0;
    }

    private static int IsWritable(LinuxMapping mapping) => (mapping.Flags & 2) != 0 ? 1 : 0;
}
