// Exercises a gate per vector with and without error codes, and the way to ring 3 and back.
    .altmacro
    .macro STUB vector
    .align 16
    .if (\vector == 8) || ((\vector >= 10) && (\vector <= 14)) || (\vector == 17)
    .else
    pushq $0
    .endif
    pushq $\vector
    jmp trap_entry
    .endm

    .text
    .align 16
    .global trap_stub_table
trap_stub_table:                          // 16 bytes each
    .set i, 0
    .rept 256
    STUB %i
    .set i, i + 1
    .endr

trap_entry:
    push %rax
    push %rcx
    push %rdx
    push %rbx
    push %rbp
    push %rsi
    push %rdi
    push %r8
    push %r9
    push %r10
    push %r11
    push %r12
    push %r13
    push %r14
    push %r15
    cld
    mov %rsp, %rdi
    mov %rsp, %rbx
    and $-16, %rsp
    call trap_dispatch
    mov %rbx, %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %r11
    pop %r10
    pop %r9
    pop %r8
    pop %rdi
    pop %rsi
    pop %rbp
    pop %rbx
    pop %rdx
    pop %rcx
    pop %rax
    add $16, %rsp
    iretq

// void enter_user(u64 rip, u64 argument, u64 cs, u64 rflags): returns when leave_user is called
    .global enter_user
enter_user:
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, kernel_stack_pointer
    mov %rdi, %r11
    mov %rsi, %rdi
    pushq $0x23
    movabs $0x8000201000 - 8, %rax
    push %rax
    push %rcx
    push %rdx
    push %r11
    iretq

    .global leave_user
leave_user:
    mov kernel_stack_pointer, %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret

    .bss
    .align 8
kernel_stack_pointer: .quad 0
