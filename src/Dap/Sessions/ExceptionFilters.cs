using System;
using System.Collections.Generic;
using System.Globalization;
using Dap.Protocol;
using Replay.Queries;
using Vmm.Memory;

namespace Dap.Sessions;

/// <summary>What the client shows as check boxes under "Breakpoints": exceptions, interrupts, and accesses to the machine's registers.</summary>
internal static class ExceptionFilters
{
    private const string Vectors = "vector-";
    private const string OnlyIf = "if EXPRESSION, such as: if cpl == 3";

    // SDM 3A table 6-1.
    private static readonly (int Vector, string Name)[] s_exceptions =
    [
        (0, "#DE divide error"), (1, "#DB debug"), (2, "NMI"), (3, "#BP breakpoint"), (4, "#OF overflow"), (5, "#BR bound range"), (6, "#UD invalid opcode"),
        (7, "#NM device not available"), (8, "#DF double fault"), (10, "#TS invalid TSS"), (11, "#NP segment not present"), (12, "#SS stack fault"),
        (13, "#GP general protection"), (14, "#PF page fault"), (16, "#MF x87 floating point"), (17, "#AC alignment check"), (18, "#MC machine check"),
        (19, "#XM SIMD floating point"),
    ];

    // What kernels print before they give up: Linux (kernel/panic.c, lib/bug.c), the BSDs and xv6, GNU Mach, and our own demo kernels.
    private static readonly string[] s_panicTexts = ["Kernel panic", "panic:", "BUG: ", "kernel BUG at", "Assertion `"];

    public static ExceptionBreakpointsFilter[] All { get; } = MakeAll();

    /// <summary>A filter's condition in two: what it looks for, such as a port, and an expression behind "if". A console's text may have an "if" in it.</summary>
    public static (string? What, string? Expression) Split(string filter, string? condition)
    {
        string text = (condition ?? "").Trim();
        if (filter == "console") return (text, null);
        if (text.StartsWith("if ", StringComparison.Ordinal)) return (null, text[3..].Trim());
        int at = text.IndexOf(" if ", StringComparison.Ordinal);
        return at < 0 ? (text, null) : (text[..at].Trim(), text[(at + 4)..].Trim());
    }

    /// <summary>What a filter with a condition looks for.</summary>
    /// <exception cref="RequestException">There is no such filter, or the condition is not one.</exception>
    public static (string Label, IReadOnlyList<StopCondition> Conditions) ConditionsOf(string filter, string? condition)
    {
        string text = (condition ?? "").Trim();
        if (filter.StartsWith(Vectors, StringComparison.Ordinal) && int.TryParse(filter.AsSpan(Vectors.Length), NumberStyles.None, CultureInfo.InvariantCulture, out int vector))
        {
            foreach ((int number, string name) in s_exceptions)
                if (number == vector) return (name, [StopCondition.Exception(vector)]);
        }
        return filter switch
        {
            "exceptions" => ("any exception", [StopCondition.Exception()]),
            "interrupts" when text.Length == 0 => ("any interrupt", [StopCondition.Interrupt()]),
            "interrupts" => ($"interrupt {text}", [StopCondition.Interrupt((int)Number(text, 255))]),
            "softwareInterrupts" when text.Length == 0 => ("a software interrupt or system call", [StopCondition.SoftwareInterrupt()]),
            "softwareInterrupts" => ($"software interrupt {text}", [StopCondition.SoftwareInterrupt((int)Number(text, 255))]),
            // A triple fault ends the machine, and so the recording: a run stops there in any case.
            "tripleFault" => ("triple fault", []),
            "port" when text.Length == 0 => ("an access to a port", [StopCondition.Ports(0, 0x10000)]),
            "port" => ($"an access to port {text}", [StopCondition.Port((int)Number(text, 0xFFFF))]),
            "mmio" when text.Length == 0 => ("an access to a chip's memory", [StopCondition.Mmio(0xA0000, 0x20000), StopCondition.Mmio(PhysicalMemory.HoleStart, HoleSize)]),
            "mmio" => ($"an access to a chip's memory at {text}", [StopCondition.Mmio(Number(text, ulong.MaxValue))]),
            "msr" when text.Length == 0 => ("an access to a model-specific register", [StopCondition.AnyMsr()]),
            "msr" => ($"an access to MSR {text}", [StopCondition.Msr((uint)Number(text, uint.MaxValue))]),
            "cr" when text.Length == 0 => ("a write of a control register", [.. ControlRegisters()]),
            "cr" => ($"a write of CR{text}", [StopCondition.ControlRegister((int)Number(text, 8))]),
            "panic" => ("the guest panics", [.. PanicTexts()]),
            "console" when text.Length == 0 => throw new RequestException("the filter for console text needs the text as its condition"),
            "console" => ($"the guest prints '{text}'", [StopCondition.ConsoleText(text)]),
            _ => throw new RequestException($"there is no exception filter '{filter}'"),
        };
    }

    private const int HoleSize = (int)(PhysicalMemory.HoleEnd - PhysicalMemory.HoleStart);

    private static ExceptionBreakpointsFilter[] MakeAll()
    {
        var filters = new List<ExceptionBreakpointsFilter> { Filter("exceptions", "Any exception", "The processor delivers an exception", OnlyIf) };
        foreach ((int vector, string name) in s_exceptions) filters.Add(Filter($"{Vectors}{vector}", name, $"The processor delivers exception {vector}", OnlyIf));
        filters.Add(Filter("interrupts", "Interrupts", "A hardware interrupt is delivered", $"a vector, such as 0x20; nothing: any; {OnlyIf}"));
        filters.Add(Filter("softwareInterrupts", "Software interrupts and system calls", "INT n, SYSCALL, SYSENTER", $"a vector; nothing: any; {OnlyIf}"));
        filters.Add(Filter("tripleFault", "Triple fault", "It ends the machine: a run stops there in any case"));
        filters.Add(Filter("port", "Port accesses", "IN or OUT", $"a port, such as 0x3f8; nothing: any; {OnlyIf}"));
        filters.Add(Filter("mmio", "MMIO accesses", "A chip's memory-mapped registers are read or written", $"a guest-physical address; nothing: any; {OnlyIf}"));
        filters.Add(Filter("msr", "MSR accesses", "RDMSR or WRMSR", $"a register, such as 0xc0000080; nothing: any; {OnlyIf}"));
        filters.Add(Filter("cr", "Control register writes", "MOV to CR0, CR2, CR3, CR4 or CR8", $"a number, such as 3; nothing: any; {OnlyIf}"));
        filters.Add(Filter("panic", "Guest panic", $"The guest prints {string.Join(", ", Array.ConvertAll(s_panicTexts, text => $"'{text.Trim()}'"))}", OnlyIf));
        filters.Add(Filter("console", "Console text", "The guest prints a text", "the text, such as panic"));
        return [.. filters];
    }

    private static ExceptionBreakpointsFilter Filter(string id, string label, string description, string? condition = null) => new()
    {
        Filter = id, Label = label, Description = description, Default = false, SupportsCondition = condition is not null, ConditionDescription = condition,
    };

    private static IEnumerable<StopCondition> PanicTexts()
    {
        foreach (string text in s_panicTexts) yield return StopCondition.ConsoleText(text);
    }

    private static IEnumerable<StopCondition> ControlRegisters()
    {
        foreach (int register in (int[])[0, 2, 3, 4, 8]) yield return StopCondition.ControlRegister(register);
    }

    private static ulong Number(string text, ulong maximum)
    {
        bool isHexadecimal = text.StartsWith("0x", StringComparison.OrdinalIgnoreCase);
        if (ulong.TryParse(isHexadecimal ? text[2..] : text, isHexadecimal ? NumberStyles.AllowHexSpecifier : NumberStyles.None, CultureInfo.InvariantCulture, out ulong value)
            && value <= maximum) return value;
        throw new RequestException($"'{text}' is not a number from 0 to 0x{maximum:x}");
    }
}
