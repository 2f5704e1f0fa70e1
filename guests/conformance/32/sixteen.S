// Exercises 16-bit code: real mode with its interrupt table, reached from protected mode and left again; virtual-8086 routines.
// Everything between low_start and low_end is copied to 0x8000, where 16-bit code reaches it with segment 0.
#define AT(label) (0x8000 + label - low_start)

    .text
    .code32
    .global real_mode_round_trip
real_mode_round_trip:
    pusha
    mov %esp, AT(saved_esp)
    sidt AT(saved_idt)
    ljmp $0x58, $AT(protected16)
back32:
    mov $0x10, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %fs
    mov %eax, %gs
    mov %eax, %ss
    mov AT(saved_esp), %esp
    lidt AT(saved_idt)
    popa
    ret

    .section .rodata
    .align 16
    .global low_start, low_end, real_results, v86_code, v86_hlt, v86_int, v86_cli, v86_far
low_start:
    .code16
protected16:
    mov $0x90, %ax                        // 16-bit data: limits and attributes that real mode keeps
    mov %ax, %ds
    mov %ax, %es
    mov %ax, %ss
    mov %ax, %fs
    mov %ax, %gs
    mov %cr0, %eax
    and $0xfffffffe, %eax
    mov %eax, %cr0
    ljmp $0, $AT(real)
real:
    xor %ax, %ax
    mov %ax, %ds
    mov %ax, %ss
    mov $0x7000, %sp
    lidtl AT(real_idt)
    movw $AT(real_handler), 0x60 * 4      // INT 0x60 and #GP
    movw $0, 0x60 * 4 + 2
    movw $AT(real_gp), 13 * 4
    movw $0, 13 * 4 + 2
    int $0x60
    mov %sp, AT(real_results) + 2         // 0x7000 again
    // Segment arithmetic: 0x0900:0x10 is 0x9010.
    movl $0x12345678, 0x9010
    mov $0x0900, %ax
    mov %ax, %es
    mov %es:0x10, %eax
    mov %eax, AT(real_results) + 4
    // Offsets wrap within 64 KiB for 16-bit addressing, and a word at 0xffff is beyond the limit.
    mov $0xffff, %bx
    movl $0, AT(real_results) + 8
    mov %es:(%bx), %ax
real_after_gp:
    mov $0x10, %bx
    mov $0xfff0, %si
    movb $0x5a, 0x0020
    mov 0x20(%bx, %si), %al               // (0x10 + 0xfff0 + 0x20) mod 65536
    mov %al, AT(real_results) + 12
    // FFFF:0010 is 0x100000 with A20 on: the kernel's own first bytes.
    mov $0xffff, %ax
    mov %ax, %es
    mov %es:0x10, %eax
    mov %eax, AT(real_results) + 16
    mov %cr0, %eax
    mov %eax, AT(real_results) + 20
    pushf
    pop %ax
    mov %ax, AT(real_results) + 24
    mov %cr0, %eax
    or $1, %eax
    mov %eax, %cr0
    ljmpl $0x08, $back32
real_handler:
    mov %sp, %bp
    mov 4(%bp), %ax                       // the flags that INT pushed
    movw $0x6006, AT(real_results)
    iret
real_gp:
    incl AT(real_results) + 8
    mov %sp, %bp
    movw $AT(real_after_gp), (%bp)        // no error code in real mode
    iret

// Virtual-8086 routines.
v86_code:                                 // ES:[0x10] with ES = 0x900; then INT
    mov %es:0x10, %eax
    mov %cs, %bx
    int $0x81
v86_hlt:
    hlt
v86_int:
    int $0x81
v86_cli:
    cli
    pushf
    pop %ax
    int $0x81
v86_far:                                  // a far call within virtual-8086 mode: selectors are paragraphs
    lcall $0x0800, $(v86_far_target - low_start)
    int $0x81
v86_far_target:
    mov %cs, %cx
    lret

    .align 8
real_idt:
    .word 0x3ff
    .long 0
saved_idt:
    .quad 0
    .align 8
saved_esp:
    .long 0
real_results:
    .skip 32
low_end:
