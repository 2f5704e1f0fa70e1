// Exercises Multiboot 1 entry in 32-bit protected mode.
    .section .multiboot, "a"
    .align 4
    .long 0x1BADB002
    .long 0x00000003                  // pages aligned, memory map wanted
    .long -(0x1BADB002 + 3)

    .text
    .global _start
_start:
    cli
    cld
    mov $boot_stack_top, %esp
    xor %ebp, %ebp
    call kernel_main
1:  hlt
    jmp 1b

    .bss
    .align 16
    .skip 8192
    .global boot_stack_top
boot_stack_top:
