using System;
using System.Globalization;
using Introspection.Origins;
using Introspection.Programs;
using Introspection.State;

namespace Cli.Parsing;

/// <summary>
/// A value as people name it: a register (rax, eax, al, xmm0, rflags), memory (qword[rsp+8], dword phys[0x1000], or an address and a size), or a symbol with its size.
/// </summary>
internal static class ValueSyntax
{
    private const string Physical = "phys";

    /// <exception cref="CommandException">It is none of these, or nothing is there.</exception>
    public static ValueLocation Parse(string text, GuestView view, ISymbolSource symbols)
    {
        string trimmed = text.Trim();
        if (ValueLocation.Register(view.Vcpu.Index, trimmed.TrimStart('$')) is { } register) return register;
        (MemoryPlace place, int size) = trimmed.EndsWith(']') ? Bracketed(trimmed, view, symbols) : Plain(trimmed, view, symbols);
        if (size is < 1 or > ValueLocation.MaximumSizeBytes)
            throw CommandException.Usage($"'{text}' has {size} bytes, and 1 to {ValueLocation.MaximumSizeBytes} can be followed: name some of them, such as qword[ADDRESS]");
        return ValueLocation.At(view, place, size) ?? throw CommandException.Usage($"there is no memory at {place} at this position, or not {size} bytes in a row");
    }

    // SIZE [phys] [ADDRESS]
    private static (MemoryPlace Place, int SizeBytes) Bracketed(string text, GuestView view, ISymbolSource symbols)
    {
        int open = text.IndexOf('[', StringComparison.Ordinal);
        if (open < 0) throw Unknown(text);
        string head = text[..open].Trim();
        bool isPhysical = head == Physical || head.EndsWith(" " + Physical, StringComparison.Ordinal);
        if (isPhysical) head = head[..^Physical.Length].Trim();
        int size = head switch { "byte" => 1, "word" => 2, "dword" => 4, "" or "qword" => 8, "xmmword" => 16, _ => throw Unknown(text) };
        return (new MemoryPlace(Address(text[(open + 1)..^1].Trim(), view, symbols, out _), isPhysical), size);
    }

    // ADDRESS SIZE, phys:ADDRESS SIZE, or a symbol.
    private static (MemoryPlace Place, int SizeBytes) Plain(string text, GuestView view, ISymbolSource symbols)
    {
        int blank = text.LastIndexOf(' ');
        int size = 0;
        bool hasSize = blank > 0 && int.TryParse(text.AsSpan(blank + 1), NumberStyles.None, CultureInfo.InvariantCulture, out size);
        string where = hasSize ? text[..blank].Trim() : text;
        if (MemoryPlace.TryParse(where) is { } place) return (place, hasSize ? size : 8);
        ulong address = Address(where, view, symbols, out ulong? symbolSize);
        return (new MemoryPlace(address), hasSize ? size : (int)Math.Min(symbolSize ?? 8, int.MaxValue));
    }

    private static ulong Address(string text, GuestView view, ISymbolSource symbols, out ulong? size)
    {
        int sign = text.IndexOfAny(['+', '-']);
        string name = sign < 0 ? text : text[..sign].Trim();
        size = sign < 0 ? symbols.SizeOf(name) : null;
        if (symbols.AddressOf(name) is not { } address) return NumberSyntax.ParseAddress(text, "EXPRESSION", view.Vcpu.State);
        if (sign < 0) return address;
        ulong offset = NumberSyntax.ParseCount(text[(sign + 1)..].Trim(), "EXPRESSION");
        return text[sign] == '+' ? address + offset : address - offset;
    }

    private static CommandException Unknown(string text) =>
        CommandException.Usage($"'{text}' is no value: write a register, SIZE[ADDRESS] such as qword[rsp+8] or dword phys[0x1000], an address with a size, or a symbol");
}
