using System;
using System.Text;
using Introspection.Text;
using Symbols;
using Symbols.Elf;
using Vmm.Memory;
using Vmm.Platform;

namespace Introspection.Origins;

/// <summary>
/// Where bytes of memory come from that nothing has written: a segment of an ELF kernel by its program headers; of any other image, the one place that has the same bytes around them.
/// </summary>
internal static class ImageOrigins
{
    private const int Around = 32;

    /// <param name="machine">Any moment of the recording before which the bytes were not written.</param>
    /// <param name="physical">The first byte.</param>
    /// <param name="sizeBytes">At most 16.</param>
    public static Explanation Explain(Machine machine, ulong physical, int sizeBytes)
    {
        Span<byte> bytes = stackalloc byte[sizeBytes];
        machine.Memory.Read(new GuestPhysicalAddress(physical), bytes);
        string value = ValueLocation.Text(Number(bytes));
        MachineConfiguration configuration = machine.Configuration;
        if (configuration.FindImage("kernel") is { } kernel && SegmentOffset(kernel, physical, bytes) is { } offset)
            return Explanation.End(OriginKind.Image, $"{value}: {kernel.Name} at file offset {Hexadecimal.Of(offset)}");
        if (CommandLineIndex(machine, physical) is { } index) return Explanation.End(OriginKind.Image, $"{value}: character {index} of the kernel's command line");
        foreach (MachineImage image in configuration.Images)
            if (OnlyPlace(machine, image, physical, sizeBytes) is { } at) return Explanation.End(OriginKind.Image, $"{value}: {image.Name} at file offset {Hexadecimal.Of(at)}");
        return Explanation.End(OriginKind.PowerOn, Number(bytes) == 0 ? "0: nothing has written it since the machine began"
            : $"{value}: put there before the machine began, by the boot loader or as firmware tables");
    }

    private static ulong? SegmentOffset(MachineImage image, ulong physical, ReadOnlySpan<byte> bytes)
    {
        try
        {
            using ElfImage elf = ElfImage.Open(image.Content, image.Name);
            foreach (ElfSegment segment in elf.Segments)
            {
                if (segment.Type != ElfSegment.LoadType || physical < segment.PhysicalAddress || physical - segment.PhysicalAddress + (ulong)bytes.Length > segment.FileSizeBytes) continue;
                ulong offset = segment.Offset + (physical - segment.PhysicalAddress);
                if (offset + (ulong)bytes.Length <= (ulong)image.Content.Length && image.Content.Span.Slice((int)offset, bytes.Length).SequenceEqual(bytes)) return offset;
            }
        }
        catch (SymbolFormatException)
        {
            // No ELF file: its bytes are searched for.
        }
        return null;
    }

    private static int? CommandLineIndex(Machine machine, ulong physical)
    {
        byte[] line = Encoding.UTF8.GetBytes(machine.Configuration.CommandLine);
        var there = new byte[line.Length];
        for (int i = 0; i < line.Length; i++)
        {
            ulong start = physical - (ulong)i;
            if (start > physical || !IsRam(machine, start, line.Length)) continue;
            machine.Memory.Read(new GuestPhysicalAddress(start), there);
            if (there.AsSpan().SequenceEqual(line)) return i;
        }
        return null;
    }

    private static ulong? OnlyPlace(Machine machine, MachineImage image, ulong physical, int sizeBytes)
    {
        ulong start = physical - Math.Min(physical, Around);
        var window = new byte[(int)(physical - start) + sizeBytes + Around];
        if (!IsRam(machine, start, window.Length)) return null;
        machine.Memory.Read(new GuestPhysicalAddress(start), window);
        ReadOnlySpan<byte> content = image.Content.Span;
        int first = content.IndexOf(window);
        bool isOnly = first >= 0 && content[(first + 1)..].IndexOf(window) < 0;
        return isOnly ? (ulong)first + (physical - start) : null;
    }

    private static bool IsRam(Machine machine, ulong physical, int sizeBytes) =>
        machine.Memory.RamOffset(physical) is >= 0 and var first && machine.Memory.RamOffset(physical + (ulong)sizeBytes - 1) == first + sizeBytes - 1;

    private static UInt128 Number(ReadOnlySpan<byte> bytes)
    {
        UInt128 value = 0;
        for (int i = bytes.Length - 1; i >= 0; i--) value = value << 8 | bytes[i];
        return value;
    }
}
