// Exercises a triple fault: a software exception with an interrupt descriptor table of no entries, right after a line of output.
    .section .multiboot, "a"
    .align 4
    .long 0x1BADB002
    .long 0
    .long -0x1BADB002

    .text
    .global _start
_start:
    cli
    mov $boot_stack_top, %esp
    mov $message, %esi
    mov $0x3f8, %dx
1:  lodsb
    test %al, %al
    jz 2f
    out %al, %dx
    jmp 1b
2:  lidt empty_table
    mov $0x600df00d, %eax
    push %eax
    ud2                               // neither #UD nor the double fault has a gate
    hlt

    .section .rodata
message:
    .asciz "triplefault: no gate for #UD\r\n"
    .align 4
empty_table:
    .word 0
    .long 0

    .bss
    .align 16
    .skip 64
boot_stack_top:
