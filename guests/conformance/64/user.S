// Exercises ring 3: short routines, mapped at USER_TEXT, that trap or end by INT 0x81 with a result in RAX.
    .macro ROUTINE name
    .global \name
\name:
    .endm

    .section .usertext, "ax"
    .align 4096
    .global user_text_start, user_text_end
user_text_start:
ROUTINE user_exit
    mov %rdi, %rax
    int $0x81
ROUTINE user_read
    mov (%rdi), %rax
    int $0x81
ROUTINE user_write
    movq $1, (%rdi)
    int $0x81
ROUTINE user_jump
    jmp *%rdi
ROUTINE user_cli
    cli
    int $0x81
ROUTINE user_hlt
    hlt
    int $0x81
ROUTINE user_in
    mov %edi, %edx
    in (%dx), %al
    int $0x81
ROUTINE user_cr3
    mov %cr3, %rax
    int $0x81
ROUTINE user_rdtsc
    rdtsc
    int $0x81
ROUTINE user_popf                         // tries to set RFLAGS to RDI, returns what it is then
    push %rdi
    popf
    pushf
    pop %rax
    int $0x81
ROUTINE user_int_20
    int $0x20
    int $0x81
ROUTINE user_unaligned                    // with RFLAGS.AC
    pushf
    orl $0x40000, (%rsp)
    popf
    mov 1(%rsp), %eax
    pushf
    andl $~0x40000, (%rsp)
    popf
    int $0x81
ROUTINE user_syscall
    mov $0x1234, %eax
    syscall
1:  int $0x81
ROUTINE user_sysenter
    sysenter
    int $0x81
ROUTINE user_wbinvd
    wbinvd
    int $0x81
ROUTINE user_rdmsr
    mov $0xC0000080, %ecx
    rdmsr
    int $0x81
ROUTINE user_lgdt
    lgdt (%rdi)
    int $0x81
ROUTINE user_step
    pushf
    orl $0x100, (%rsp)
    popf
    nop
    nop
    int $0x81
ROUTINE user_sgdt
    sub $16, %rsp
    sgdt (%rsp)
    mov 2(%rsp), %rax
    int $0x81
ROUTINE user_cpl
    mov %cs, %eax
    int $0x81
    .code32
ROUTINE user_compatibility                // 32-bit code: DEC EAX and REX.W have the same byte
    mov $5, %eax
    .byte 0x48
    int $0x81
    .code64
    .align 4096
user_text_end:
