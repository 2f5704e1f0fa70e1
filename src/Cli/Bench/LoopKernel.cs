using System;
using System.IO;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Cli.Bench;

/// <summary>What the loop does.</summary>
internal enum LoopKind
{
    /// <summary>Shifts, XORs, multiplications and additions in registers.</summary>
    Registers,
    /// <summary>Loads, stores, comparisons and calls over 64 KiB.</summary>
    Memory,
}

/// <summary>
/// A kernel of a few instructions, assembled here so that no compiler is needed: it enters 64-bit mode with 4-level paging, runs a loop, and ends through the debug-exit
/// port. Multiboot 1 with address fields, which QEMU's -kernel takes as well (Multiboot 0.6.96, section 3.1).
/// </summary>
internal static class LoopKernel
{
    private const uint LoadAddress = 0x10_0000, HeaderSize = 32;
    private const uint PageMapLevel4 = 0x20_0000, PageDirectoryPointers = 0x20_1000, PageDirectory = 0x20_2000, Array = 0x30_0000;
    // Selector 8 is 32-bit code, so that 16 is the same in both of the processor's descriptor tables.
    private const ushort Code64Selector = 16;
    private const byte ExitPort = 0xF4;

    /// <summary>The image; each iteration is about ten instructions.</summary>
    public static byte[] Build(LoopKind kind, uint iterations)
    {
        byte[] entry = Assemble(32, LoadAddress + HeaderSize, a => EnterLongMode(a, LoadAddress), out int entryLength);
        uint body = LoadAddress + HeaderSize + (uint)entryLength;
        entry = Assemble(32, LoadAddress + HeaderSize, a => EnterLongMode(a, body), out _);
        byte[] loop = Assemble(64, body, a => EmitLoop(a, kind, iterations), out _);
        uint end = body + (uint)loop.Length;

        using var image = new MemoryStream();
        using var writer = new BinaryWriter(image);
        const uint magic = 0x1BAD_B002, flags = 1 << 16;
        foreach (uint value in (uint[])[magic, flags, unchecked(0 - (magic + flags)), LoadAddress, LoadAddress, end, end, LoadAddress + HeaderSize]) writer.Write(value);
        writer.Write(entry);
        writer.Write(loop);
        // QEMU looks for the header in the first 8 KiB, and wants a file that has them.
        writer.Write(new byte[Math.Max(0, 8192 - (int)image.Length)]);
        return image.ToArray();
    }

    private static byte[] Assemble(int bits, uint address, Action<Assembler> emit, out int length)
    {
        var assembler = new Assembler(bits);
        emit(assembler);
        using var stream = new MemoryStream();
        assembler.Assemble(new StreamCodeWriter(stream), address);
        length = (int)stream.Length;
        return stream.ToArray();
    }

    // SDM 3A 9.8.5: page tables, CR4.PAE, CR3, EFER.LME, CR0.PG, a 64-bit code segment. The first 4 MiB map to themselves.
    private static void EnterLongMode(Assembler a, uint body)
    {
        // The descriptors are the last thing before the body, and the pointer to them comes behind them.
        const uint pointerSize = 6, descriptorsSize = 24;
        a.mov(__dword_ptr[PageMapLevel4], PageDirectoryPointers | 3);
        a.mov(__dword_ptr[PageMapLevel4 + 4], 0);
        a.mov(__dword_ptr[PageDirectoryPointers], PageDirectory | 3);
        a.mov(__dword_ptr[PageDirectoryPointers + 4], 0);
        a.mov(__dword_ptr[PageDirectory], 0x83);
        a.mov(__dword_ptr[PageDirectory + 4], 0);
        a.mov(__dword_ptr[PageDirectory + 8], 0x20_0083);
        a.mov(__dword_ptr[PageDirectory + 12], 0);
        a.mov(eax, cr4);
        a.or(eax, 0x20);
        a.mov(cr4, eax);
        a.mov(eax, PageMapLevel4);
        a.mov(cr3, eax);
        a.mov(ecx, 0xC000_0080);
        a.rdmsr();
        a.or(eax, 0x100);
        a.wrmsr();
        a.mov(eax, cr0);
        a.or(eax, 0x8000_0000);
        a.mov(cr0, eax);
        a.lgdt(__[body - pointerSize]);
        a.AddInstruction(Instruction.CreateBranch(Code.Jmp_ptr1632, Code64Selector, body));
        a.dq(0);
        a.dq(0x00CF_9A00_0000_FFFF);
        a.dq(0x00AF_9A00_0000_FFFF);
        a.dw((ushort)(descriptorsSize - 1));
        a.dd(body - pointerSize - descriptorsSize);
    }

    private static void EmitLoop(Assembler a, LoopKind kind, uint iterations)
    {
        Label again = a.CreateLabel(), function = a.CreateLabel(), after = a.CreateLabel(), skip = a.CreateLabel();
        a.mov(ecx, iterations);
        a.mov(rax, 88172645463325252);
        a.mov(esp, Array + 0x2_0000);
        a.mov(edi, Array);
        a.jmp(after);
        a.Label(ref function);
        a.add(r8, rax);
        a.ret();
        a.Label(ref after);
        a.nop();
        a.Label(ref again);
        a.mov(rdx, rax);
        a.shl(rdx, 13);
        a.xor(rax, rdx);
        a.mov(rdx, rax);
        a.shr(rdx, 7);
        a.xor(rax, rdx);
        if (kind == LoopKind.Registers)
        {
            a.imul(rbx, rax, 0x1234567);
            a.add(r8, rbx);
            a.lea(r9, __[r8 + rax * 4 + 5]);
        }
        else
        {
            a.movzx(ebx, ax);
            a.add(__qword_ptr[rdi + rbx], rax);
            a.mov(r9, __qword_ptr[rdi + rbx]);
            a.cmp(r9, rax);
            a.jb(skip);
            a.call(function);
            a.Label(ref skip);
            a.nop();
        }
        a.dec(ecx);
        a.jnz(again);
        a.xor(eax, eax);
        a.@out(ExitPort, al);
        a.hlt();
    }
}
