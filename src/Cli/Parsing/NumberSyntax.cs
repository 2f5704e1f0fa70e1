using System;
using System.Globalization;
using Vmm.Cpu;

namespace Cli.Parsing;

/// <summary>Numbers, addresses and sizes as people write them.</summary>
internal static class NumberSyntax
{
    private static readonly string[] s_registers =
        ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"];

    /// <summary>A hexadecimal address, with or without 0x; ` and _ may group digits.</summary>
    public static ulong ParseAddress(string text, string option)
    {
        if (TryHexadecimal(text, out ulong value)) return value;
        throw CommandException.Usage($"{option}: '{text}' is not an address: write it in hexadecimal, such as 0xffffffff81000000");
    }

    /// <summary>An address, or a register of a vCPU with an optional offset: rsp, rsp+0x10, rip-8.</summary>
    public static bool TryParseAddress(string text, in VcpuState state, out ulong value)
    {
        if (TryHexadecimal(text, out value)) return true;
        (string name, ulong offset) = SplitOffset(text);
        bool isRegister = TryRegister(name, state, out value);
        value += offset;
        return isRegister;
    }

    /// <summary>What stands before a last + or - with a hexadecimal number, and that number; all of it and 0: there is none.</summary>
    public static (string Name, ulong Offset) SplitOffset(string text)
    {
        int sign = text.AsSpan().LastIndexOfAny('+', '-');
        if (sign < 0 || !TryHexadecimal(text[(sign + 1)..], out ulong offset)) return (text, 0);
        return (text[..sign], text[sign] == '+' ? offset : 0 - offset);
    }

    /// <summary>A count: decimal, or hexadecimal with 0x.</summary>
    public static ulong ParseCount(string text, string option)
    {
        string digits = text.Replace("_", "", StringComparison.Ordinal).Replace(",", "", StringComparison.Ordinal);
        bool isHexadecimal = digits.StartsWith("0x", StringComparison.OrdinalIgnoreCase);
        if (isHexadecimal ? ulong.TryParse(digits.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong value)
            : ulong.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out value)) return value;
        throw CommandException.Usage($"{option}: '{text}' is not a number: write 4096 or 0x1000");
    }

    /// <summary>A small number such as a vector, a port or a register: decimal, or hexadecimal with 0x.</summary>
    public static int ParseNumber(string text, string option, int maximum)
    {
        ulong value = ParseCount(text, option);
        if (value <= (ulong)maximum) return (int)value;
        throw CommandException.Usage($"{option}: {text} is too big: at most {maximum} (0x{maximum:x})");
    }

    private static bool TryHexadecimal(string text, out ulong value)
    {
        string digits = text.Replace("_", "", StringComparison.Ordinal).Replace("`", "", StringComparison.Ordinal);
        if (digits.StartsWith("0x", StringComparison.OrdinalIgnoreCase)) digits = digits[2..];
        return ulong.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
    }

    private static bool TryRegister(string name, in VcpuState state, out ulong value)
    {
        string lower = name.ToLowerInvariant();
        value = lower switch
        {
            "rip" => state.Rip,
            "cr2" => state.Cr2,
            "cr3" => state.Cr3,
            "gdtr" => state.GdtrBase,
            "idtr" => state.IdtrBase,
            _ => 0,
        };
        if (lower is "rip" or "cr2" or "cr3" or "gdtr" or "idtr") return true;
        int index = Array.IndexOf(s_registers, lower);
        if (index >= 0) value = state.General[index];
        return index >= 0;
    }
}
