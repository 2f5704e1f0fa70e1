// Exercises an application processor's start: real mode at a SIPI vector, protected mode, long mode.
// smp.c copies this to physical 0x8000 and fills in the three variables at its end.
#define AT(label) (0x8000 + label - trampoline_start)

    .section .rodata
    .align 16
    .global trampoline_start, trampoline_end
    .global trampoline_cr3, trampoline_stack, trampoline_entry
    .code16
trampoline_start:
    cli
    cld
    xor %ax, %ax
    mov %ax, %ds
    lgdtl AT(ap_gdt_pointer)
    mov %cr0, %eax
    or $1, %eax
    mov %eax, %cr0
    ljmpl $0x18, $AT(ap_protected)

    .code32
ap_protected:
    mov $0x10, %ax
    mov %ax, %ds
    mov %ax, %ss
    mov %cr4, %eax
    or $0x20, %eax                            // PAE
    mov %eax, %cr4
    mov AT(trampoline_cr3), %eax
    mov %eax, %cr3
    mov $0xC0000080, %ecx                     // EFER
    rdmsr
    or $0x901, %eax                           // SYSCALL, long mode, no-execute
    wrmsr
    mov %cr0, %eax
    or $0x80010001, %eax                      // PG, WP, PE
    mov %eax, %cr0
    ljmp $0x08, $AT(ap_long)

    .code64
ap_long:
    mov $0x10, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    mov AT(trampoline_stack), %rsp
    xor %ebp, %ebp
    mov AT(trampoline_entry), %rax
    call *%rax
1:  hlt
    jmp 1b

    .align 8
ap_gdt:
    .quad 0
    .quad 0x00AF9A000000FFFF                  // 64-bit code
    .quad 0x00CF92000000FFFF                  // data
    .quad 0x00CF9A000000FFFF                  // 32-bit code
ap_gdt_pointer:
    .word . - ap_gdt - 1
    .long AT(ap_gdt)
    .align 8
trampoline_cr3:   .quad 0
trampoline_stack: .quad 0
trampoline_entry: .quad 0
trampoline_end:
