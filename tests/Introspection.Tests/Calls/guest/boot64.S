// Multiboot entry, the way to long mode with 1 GiB mapped, SSE switched on, and a jump out of functions.
    .section .multiboot, "a"
header:
    .long 0x1BADB002, 0x00010000, -(0x1BADB002 + 0x00010000)
    .long header, 0x100000, load_end, bss_end, _start

    .section .boot, "ax"
    .code32
    .global _start
_start:
    mov $stack_top, %esp
    movl $(pdpt + 3), pml4
    movl $(pd + 3), pdpt
    xor %ecx, %ecx
    mov $0x83, %eax
1:  mov %eax, pd(, %ecx, 8)
    add $0x200000, %eax
    inc %ecx
    cmp $512, %ecx
    jb 1b
    mov $pml4, %eax
    mov %eax, %cr3
    mov %cr4, %eax
    or $0x620, %eax
    mov %eax, %cr4
    mov $0xC0000080, %ecx
    rdmsr
    or $0x100, %eax
    wrmsr
    mov %cr0, %eax
    or $0x80000001, %eax
    mov %eax, %cr0
    fninit
    lgdt gdt_pointer
    ljmp $8, $1f
    .code64
1:  mov $16, %eax
    mov %eax, %ss
    mov %eax, %ds
    mov %eax, %es
    call guest_main
    mov $0x10, %al
    mov $0xf4, %dx
    out %al, %dx
1:  hlt
    jmp 1b

    .align 8
gdt:
    .quad 0, 0x00AF9A000000FFFF, 0x00CF92000000FFFF
gdt_pointer:
    .word . - gdt - 1
    .quad gdt

    .text
    .global save_place
    .type save_place, @function
save_place:
    mov %rbx, (%rdi)
    mov %rbp, 8(%rdi)
    mov %r12, 16(%rdi)
    mov %r13, 24(%rdi)
    mov %r14, 32(%rdi)
    mov %r15, 40(%rdi)
    lea 8(%rsp), %rcx
    mov %rcx, 48(%rdi)
    mov (%rsp), %rcx
    mov %rcx, 56(%rdi)
    xor %eax, %eax
    ret
    .size save_place, . - save_place

    .global return_to_place
    .type return_to_place, @function
return_to_place:
    mov $1, %eax
    mov (%rdi), %rbx
    mov 8(%rdi), %rbp
    mov 16(%rdi), %r12
    mov 24(%rdi), %r13
    mov 32(%rdi), %r14
    mov 40(%rdi), %r15
    mov 48(%rdi), %rsp
    jmp *56(%rdi)
    .size return_to_place, . - return_to_place

    .bss
    .align 4096
pml4:
    .skip 4096
pdpt:
    .skip 4096
pd: .skip 4096
    .skip 16384
stack_top:
