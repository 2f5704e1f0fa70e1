// Exercises time between timer interrupts: reads the TSC all the time, and keeps at which loop each interrupt of the 8254 came.
    .set TICKS, 200

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
    lgdt gdt_pointer
    ljmp $8, $1f
1:  mov $16, %ax
    mov %ax, %ds
    mov %ax, %es
    mov %ax, %ss
    mov $tick, %eax                   // an interrupt gate at vector 0x20
    mov %ax, idt + 0x20 * 8
    shr $16, %eax
    mov %ax, idt + 0x20 * 8 + 6
    movw $8, idt + 0x20 * 8 + 2
    movb $0x8E, idt + 0x20 * 8 + 5
    lidt idt_pointer

    mov $0x11, %al                    // 8259s: vectors from 0x20, only IRQ 0
    out %al, $0x20
    mov $0x20, %al
    out %al, $0x21
    mov $4, %al
    out %al, $0x21
    mov $1, %al
    out %al, $0x21
    mov $0xFE, %al
    out %al, $0x21
    mov $0x34, %al                    // 8254: channel 0, mode 2, 4 kHz
    out %al, $0x43
    mov $298 & 0xFF, %al
    out %al, $0x40
    mov $298 >> 8, %al
    out %al, $0x40
    sti

loop:
    rdtsc
    add %eax, %esi
    incl loops
    rdtsc
    xor %eax, %edi
    cmpl $TICKS, ticks
    jb loop

    cli
    mov $0x10, %al
    out %al, $0xf4                    // QEMU's isa-debug-exit
    hlt

tick:
    push %eax
    push %ebx
    mov ticks, %ebx
    mov loops, %eax
    mov %eax, history(,%ebx,4)
    incl ticks
    mov $0x20, %al
    out %al, $0x20
    pop %ebx
    pop %eax
    iret

    .section .rodata
    .align 8
gdt:
    .quad 0, 0x00CF9B000000FFFF, 0x00CF93000000FFFF
gdt_pointer:
    .word 23
    .long gdt
idt_pointer:
    .word 0x21 * 8 - 1
    .long idt

    .bss
    .align 8
idt:
    .skip 0x21 * 8
loops:
    .skip 4
ticks:
    .skip 4
history:
    .skip 4 * TICKS
    .skip 256
boot_stack_top:
