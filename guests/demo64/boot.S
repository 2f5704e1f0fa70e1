// Exercises Multiboot 1 entry, the first 4-level page tables, and the way from 32-bit protected mode to long mode.
#define KERNEL_BASE 0xffffffff80000000

// Flag bit 16, the address fields, lets loaders that take no 64-bit ELF (QEMU's -kernel) load this file as a flat image. The linker
// script keeps file offsets and physical addresses in step, so that both ways of loading give the same memory.
    .section .multiboot, "a"
    .align 4
multiboot_header:
    .long 0x1BADB002
    .long 0x00010003                          // pages aligned, memory map wanted, address fields valid
    .long -(0x1BADB002 + 0x00010003)
    .long multiboot_header
    .long image_start
    .long image_load_end
    .long image_bss_end
    .long _start

    .section .boot, "ax"
    .code32
    .global _start
_start:
    cli
    cld
    mov $(boot_stack_top - KERNEL_BASE), %esp
    mov %ebx, %edi                            // the Multiboot information, kept for kernel_main

    // The same 4 GiB three times: at 0 for this code, at PHYSICAL_MAP, and its first GiB at KERNEL_BASE.
    movl $(boot_pdpt - KERNEL_BASE + 3), boot_pml4 - KERNEL_BASE
    movl $(boot_pdpt - KERNEL_BASE + 3), boot_pml4 - KERNEL_BASE + 256 * 8
    movl $(boot_pdpt_high - KERNEL_BASE + 3), boot_pml4 - KERNEL_BASE + 511 * 8
    movl $(boot_pd - KERNEL_BASE + 3), boot_pdpt_high - KERNEL_BASE + 510 * 8
    movl $(boot_pd - KERNEL_BASE + 0x0003), boot_pdpt - KERNEL_BASE
    movl $(boot_pd - KERNEL_BASE + 0x1003), boot_pdpt - KERNEL_BASE + 8
    movl $(boot_pd - KERNEL_BASE + 0x2003), boot_pdpt - KERNEL_BASE + 16
    movl $(boot_pd - KERNEL_BASE + 0x3003), boot_pdpt - KERNEL_BASE + 24
    xor %ecx, %ecx
    mov $0x83, %eax                           // present, writable, 2 MiB
1:  mov %eax, boot_pd - KERNEL_BASE(, %ecx, 8)
    add $0x200000, %eax
    inc %ecx
    cmp $2048, %ecx
    jb 1b

    mov $(boot_pml4 - KERNEL_BASE), %eax
    mov %eax, %cr3
    mov %cr4, %eax
    or $0x20, %eax                            // PAE
    mov %eax, %cr4
    mov $0xC0000080, %ecx                     // EFER
    rdmsr
    or $0x901, %eax                           // SYSCALL, long mode, no-execute
    wrmsr
    mov %cr0, %eax
    or $0x80010001, %eax                      // PG, WP, PE
    mov %eax, %cr0
    lgdt boot_gdt_pointer
    ljmp $0x08, $1f

    .code64
1:  mov $0x10, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    xor %eax, %eax
    mov %eax, %fs
    mov %eax, %gs
    movabs $boot_high, %rax
    jmp *%rax

    .align 8
boot_gdt:
    .quad 0
    .quad 0x00AF9A000000FFFF                  // 64-bit code
    .quad 0x00CF92000000FFFF                  // data
boot_gdt_pointer:
    .word . - boot_gdt - 1
    .quad boot_gdt

    .text
boot_high:
    mov $boot_stack_top, %rsp
    xor %ebp, %ebp                            // the end of every chain of frame pointers
    mov %edi, %edi                            // the upper half is undefined after 32-bit code
    call kernel_main
2:  hlt
    jmp 2b

    .bss
    .align 4096
    .global boot_pml4
boot_pml4:      .skip 4096
boot_pdpt:      .skip 4096
boot_pdpt_high: .skip 4096
boot_pd:        .skip 4 * 4096
    .global boot_stack_top
boot_stack:     .skip 16384
boot_stack_top:
