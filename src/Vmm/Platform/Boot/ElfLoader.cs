using Vmm.Cpu;

namespace Vmm.Platform.Boot;

/// <summary>
/// Boots an ELF file that follows no boot protocol: ELF32 in flat 32-bit protected mode, ELF64 in 64-bit mode with the first 4 GiB mapped
/// to themselves. All registers but the stack pointer are zero.
/// </summary>
internal static class ElfLoader
{
    private const ulong StackSizeBytes = 0x4000;

    public static void Load(BootImage kernel, ElfImage elf, BootArena arena, ref VcpuState bsp)
    {
        elf.LoadSegments(kernel, arena, 0);
        ulong entry = elf.PhysicalEntry(elf.Entry);
        if (elf.Is64) ProcessorEntry.EnterLongMode(ref bsp, arena, kernel, entry);
        else ProcessorEntry.EnterProtectedMode(ref bsp, arena, kernel, MultibootLoader.Entry32(kernel, entry));
        bsp.Rsp = arena.AllocateLow(kernel, StackSizeBytes, 4096, "the boot stack") + StackSizeBytes;
    }
}
