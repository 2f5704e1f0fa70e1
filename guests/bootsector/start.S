// Exercises the way of a processor from STARTUP's real-mode page to protected mode; the kernel's entry.
    .section .text
    .globl _start, trampoline, trampoline_end
_start:
    movl $boot_stack + 4096, %esp
    xorl %ebp, %ebp
    call kernel_main
1:  hlt
    jmp 1b

    .code16
trampoline: # copied to 0x7000
    cli
    xorw %ax, %ax
    movw %ax, %ds
    lgdtl gdtr - trampoline + 0x7000
    movl %cr0, %eax
    orl $1, %eax
    movl %eax, %cr0
    ljmpl $0x08, $processor_entry
    .align 4
gdtr:
    .word 3 * 8 - 1
    .long gdt
trampoline_end:

    .code32
processor_entry:
    movw $0x10, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movl processor_stack, %esp
    call processor_main
1:  hlt
    jmp 1b

    .section .data
    .align 8
gdt:
    .quad 0, 0x00cf9a000000ffff, 0x00cf92000000ffff

    .section .bss
    .align 16
boot_stack:
    .skip 4096
