// Exercises Multiboot entry and the way to long mode with everything mapped one to one.
// The address fields (flag bit 16) let loaders that take no 64-bit ELF load this file as a flat image.
    .section .multiboot, "a"
    .align 4
multiboot_header:
    .long 0x1BADB002
    .long 0x00010003
    .long -(0x1BADB002 + 0x00010003)
    .long multiboot_header
    .long image_start
    .long image_load_end
    .long image_bss_end
    .long _start

    .text
    .code32
    .global _start
_start:
    cli
    cld
    mov $boot_stack_top, %esp
    movl $(pdpt + 3), pml4
    movl $(pd + 3), pdpt
    xor %ecx, %ecx
    mov $0x83, %eax
1:  mov %eax, pd(, %ecx, 8)               // the first GiB in 2 MiB pages
    add $0x200000, %eax
    inc %ecx
    cmp $512, %ecx
    jb 1b
    movl $(pd_apic + 3), pdpt + 3 * 8
    movl $0xfee00093, pd_apic + 0x1f7 * 8 // the local APIC, not cached
    mov $pml4, %eax
    mov %eax, %cr3
    mov %cr4, %eax
    or $0x620, %eax                       // PAE, OSFXSR, OSXMMEXCPT
    mov %eax, %cr4
    mov $0xC0000080, %ecx                 // EFER
    rdmsr
    or $0x901, %eax                       // SYSCALL, long mode, no-execute
    wrmsr
    mov %cr0, %eax
    or $0x80010003, %eax                  // PG, WP, MP, PE
    and $0xfffffffb, %eax                 // EM
    mov %eax, %cr0
    lgdt boot_gdt_pointer
    ljmp $0x08, $1f
    .code64
1:  mov $0x10, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    mov $boot_stack_top, %rsp
    xor %ebp, %ebp
    call kernel_main

    .align 8
boot_gdt:
    .quad 0
    .quad 0x00AF9A000000FFFF
    .quad 0x00CF92000000FFFF
boot_gdt_pointer:
    .word . - boot_gdt - 1
    .quad boot_gdt

    .bss
    .align 4096
    .global pml4
pml4:    .skip 4096
pdpt:    .skip 4096
pd:      .skip 4096
pd_apic: .skip 4096
    .skip 32768
boot_stack_top:
