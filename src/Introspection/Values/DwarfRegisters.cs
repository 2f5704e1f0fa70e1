namespace Introspection.Values;

/// <summary>Registers as DWARF numbers them (System V ABI, AMD64 figure 3.36; i386 table 2.14).</summary>
public static class DwarfRegisters
{
    private static readonly string[] s_names64 =
        ["rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp", "rsp", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"];
    private static readonly string[] s_names32 = ["eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"];

    /// <summary>Null: it is none that has a value here.</summary>
    public static string? NameOf(int number, bool is64)
    {
        string[] names = is64 ? s_names64 : s_names32;
        if ((uint)number < (uint)names.Length) return names[number];
        const int firstVector64 = 17, firstVector32 = 21, firstStack64 = 33, firstStack32 = 11;
        int stack = number - (is64 ? firstStack64 : firstStack32);
        if (stack is >= 0 and < 8) return $"st{stack}";
        int vector = number - (is64 ? firstVector64 : firstVector32);
        return vector >= 0 && vector < (is64 ? 16 : 8) ? $"xmm{vector}" : null;
    }
}
