// Exercises Multiboot entry in 32-bit protected mode.
    .section .multiboot, "a"
    .align 4
    .long 0x1BADB002
    .long 0x00000003
    .long -(0x1BADB002 + 3)

    .text
    .global _start
_start:
    cli
    cld
    mov $boot_stack_top, %esp
    xor %ebp, %ebp
    call kernel_main

    .bss
    .align 16
    .skip 16384
boot_stack_top:
