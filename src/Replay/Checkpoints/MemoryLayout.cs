using System;
using System.Buffers;
using System.Collections.Generic;
using Replay.Log;
using Vmm.Memory;
using Vmm.Platform;

namespace Replay.Checkpoints;

/// <summary>One of a machine's paged memories, as checkpoints know it.</summary>
/// <param name="Name">"ram", "disk0".</param>
/// <param name="PageCount">Its size.</param>
/// <param name="Image">What its untouched pages hold; empty for RAM, whose are zero.</param>
internal sealed record MemoryDescription(string Name, int PageCount, ReadOnlyMemory<byte> Image)
{
    /// <summary>The id of a page that was never written.</summary>
    public int UntouchedId => Image.IsEmpty ? PageId.Zero : PageId.Base;

    /// <summary>The image's content of a page, zero behind its end.</summary>
    public void ReadImagePage(int pageIndex, Span<byte> destination)
    {
        long offset = (long)pageIndex << PagedMemory.PageShift;
        int count = (int)Math.Clamp(Image.Length - offset, 0, destination.Length);
        if (count > 0) Image.Span.Slice((int)offset, count).CopyTo(destination);
        destination[count..].Clear();
    }

    /// <summary>What a page holds that a map has this id for, one of those that recordings have.</summary>
    public void ReadPage(PageStore store, int id, int pageIndex, Span<byte> destination)
    {
        if (id >= PageId.FirstStored) store.Read(id, destination);
        else if (id == PageId.Base) ReadImagePage(pageIndex, destination);
        else destination.Clear();
    }
}

/// <summary>All paged memories of a machine, in its order.</summary>
internal sealed class MemoryLayout(MemoryDescription[] memories)
{
    private const int MaxMemoryCount = 16;
    /// <summary>32 GiB.</summary>
    private const int MaxPageCount = 1 << 23;

    public ReadOnlySpan<MemoryDescription> Memories => memories;
    public int Count => memories.Length;
    public MemoryDescription this[int index] => memories[index];

    public static MemoryLayout Of(Machine machine)
    {
        var found = new MemoryDescription[machine.PagedMemories.Count];
        for (int i = 0; i < found.Length; i++)
        {
            PagedMemory memory = machine.PagedMemories[i];
            found[i] = new MemoryDescription(memory.Name, memory.PageCount,
                machine.Configuration.FindImage(memory.Name)?.Content ?? default);
        }
        return new MemoryLayout(found);
    }

    /// <summary>The same memories over the images of a configuration.</summary>
    public MemoryLayout With(MachineConfiguration configuration) =>
        new(Array.ConvertAll(memories, memory => memory with { Image = configuration.FindImage(memory.Name)?.Content ?? default }));

    public int[][] UntouchedMaps()
    {
        var maps = new int[memories.Length][];
        for (int i = 0; i < maps.Length; i++)
        {
            maps[i] = new int[memories[i].PageCount];
            if (memories[i].UntouchedId != 0) Array.Fill(maps[i], memories[i].UntouchedId);
        }
        return maps;
    }

    /// <summary>The same in arrays that may be longer, to be given back.</summary>
    public int[][] RentUntouchedMaps()
    {
        var maps = new int[memories.Length][];
        for (int i = 0; i < maps.Length; i++)
        {
            maps[i] = ArrayPool<int>.Shared.Rent(memories[i].PageCount);
            maps[i].AsSpan(0, memories[i].PageCount).Fill(memories[i].UntouchedId);
        }
        return maps;
    }

    public static void Return(int[][] rented)
    {
        foreach (int[] map in rented) ArrayPool<int>.Shared.Return(map);
    }

    public byte[] Encode()
    {
        var buffer = new ArrayBufferWriter<byte>();
        var w = new MessagePackWriter(buffer);
        w.WriteArrayHeader(memories.Length);
        foreach (MemoryDescription m in memories)
        {
            w.WriteArrayHeader(2);
            w.Write(m.Name);
            w.Write(m.PageCount);
        }
        w.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    /// <exception cref="MessagePackSerializationException">The bytes are not a layout.</exception>
    public static MemoryLayout Decode(ReadOnlyMemory<byte> payload, Func<string, ReadOnlyMemory<byte>> findImage)
    {
        var reader = new MessagePackReader(payload);
        int count = reader.ReadArrayHeader();
        if (count is < 1 or > MaxMemoryCount) throw new MessagePackSerializationException($"{count} memories are not possible");
        var found = new List<MemoryDescription>(count);
        for (int i = 0; i < count; i++)
        {
            if (reader.ReadArrayHeader() != 2)
                throw new MessagePackSerializationException("a memory has another number of elements than 2");
            string name = reader.ReadString() ?? "";
            int pageCount = reader.ReadInt32();
            if (name.Length is < 1 or > 16 || pageCount is < 1 or > MaxPageCount)
                throw new MessagePackSerializationException($"a memory of {pageCount} pages is not possible");
            found.Add(new MemoryDescription(name, pageCount, findImage(name)));
        }
        return new MemoryLayout(found.ToArray());
    }
}
