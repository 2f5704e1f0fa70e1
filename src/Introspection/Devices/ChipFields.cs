using System;
using System.Collections.Generic;
using System.Globalization;
using Vmm.Platform;
using Vmm.Snapshots;

namespace Introspection.Devices;

/// <summary>Takes a chip's fields by name. A name that is asked for again means the next part that has it.</summary>
internal sealed class ChipFields(ChipState chip)
{
    private readonly Dictionary<string, int> _taken = new(StringComparer.Ordinal);

    public string ChipName => chip.Name;

    /// <summary>The number at the end of the chip's name.</summary>
    public int ChipNumber => chip.Name.Length > 0 && char.IsAsciiDigit(chip.Name[^1]) ? chip.Name[^1] - '0' : 0;

    /// <summary>The next field of that name as a number; 0 when there is none.</summary>
    public ulong Number(string name) => Take(name)?.Number ?? 0;

    public bool Flag(string name) => Number(name) != 0;

    /// <summary>The next field of that name as bytes; empty when there is none.</summary>
    public ReadOnlyMemory<byte> Bytes(string name) => Take(name)?.Value ?? default;

    /// <summary>How many fields have that name.</summary>
    public int Count(string name)
    {
        int count = 0;
        foreach (StateField field in chip.Fields)
            if (field.Name == name) count++;
        return count;
    }

    private StateField? Take(string name)
    {
        _taken.TryGetValue(name, out int index);
        int seen = 0;
        foreach (StateField field in chip.Fields)
        {
            if (field.Name != name || seen++ < index) continue;
            _taken[name] = index + 1;
            return field;
        }
        return null;
    }
}

/// <summary>How register values are written.</summary>
internal static class RegisterText
{
    public static string Hex(ulong value, int bits) => "0x" + value.ToString($"x{bits / 4}", CultureInfo.InvariantCulture);

    /// <summary>"0x21: RE, TE" with the names of the bits that are set, lowest first.</summary>
    /// <param name="value">The register.</param>
    /// <param name="bits">Its width.</param>
    /// <param name="names">Of its bits, from 0 on; empty: without a name.</param>
    public static string Bits(ulong value, int bits, params ReadOnlySpan<string> names)
    {
        var set = new List<string>();
        for (int i = 0; i < names.Length; i++)
            if ((value >> i & 1) != 0 && names[i].Length > 0) set.Add(names[i]);
        return Hex(value, bits) + (set.Count > 0 ? ": " + string.Join(", ", set) : "");
    }

    /// <summary>"0, 4, 14" or "none".</summary>
    public static string List(ulong mask, int count, int first = 0)
    {
        var numbers = new List<int>();
        for (int i = 0; i < count; i++)
            if ((mask >> i & 1) != 0) numbers.Add(first + i);
        return numbers.Count == 0 ? "none" : string.Join(", ", numbers);
    }

    public static string Plural(int count, string noun) => $"{count} {noun}{(count == 1 ? "" : "s")}";

    public static string YesNo(bool value) => value ? "yes" : "no";

    /// <summary>"in 1.5 ms" for a deadline in guest nanoseconds.</summary>
    public static string In(ulong deadline, ulong now)
    {
        if (deadline == ulong.MaxValue) return "not armed";
        ulong left = deadline > now ? deadline - now : 0;
        return left < 1_000 ? $"in {left} ns" : left < 1_000_000 ? string.Create(CultureInfo.InvariantCulture, $"in {left / 1e3:0.###} us")
            : string.Create(CultureInfo.InvariantCulture, $"in {left / 1e6:0.###} ms");
    }
}
