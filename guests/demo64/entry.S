// Exercises interrupt and exception entry with and without an error code, SWAPGS, IRETQ, SYSCALL and SYSRET, and stack switches.

    .macro PUSH_REGISTERS
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
    .endm

    .macro POP_REGISTERS
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
    .endm

    .text
// One stub per vector. The CPU pushes an error code for 8, 10..14, 17, 21, 29 and 30; the others push a zero instead.
    .altmacro
    .macro STUB vector
stub_\vector:
    .if (\vector == 8) || ((\vector >= 10) && (\vector <= 14)) || (\vector == 17) || (\vector == 21) || (\vector == 29) || (\vector == 30)
    .else
    push $0
    .endif
    push $\vector
    jmp trap_entry
    .endm
    .macro STUB_ADDRESS vector
    .quad stub_\vector
    .endm

    .set i, 0
    .rept 48
    STUB %i
    .set i, i + 1
    .endr

trap_entry:
    testb $3, 24(%rsp)                        // the interrupted CS: from user mode, GS is still the user's
    jz 1f
    swapgs
1:  PUSH_REGISTERS
    cld
    mov %rsp, %rdi
    call trap_dispatch
    .global trap_return
trap_return:
    POP_REGISTERS
    add $16, %rsp                             // vector and error code
    testb $3, 8(%rsp)
    jz 2f
    swapgs
2:  iretq

    .global task_first_entry
task_first_entry:
    call finish_switch
    jmp trap_return

// SYSCALL leaves RIP in RCX and RFLAGS in R11, and touches no stack. The number is in RAX, arguments in RDI, RSI, RDX.
    .global syscall_entry
syscall_entry:
    swapgs
    mov %rsp, %gs:24
    mov %gs:16, %rsp
    pushq $0x23                               // a TrapFrame, as an interrupt would have made it
    pushq %gs:24
    push %r11
    pushq $0x2b
    push %rcx
    pushq $0
    pushq $0x100
    PUSH_REGISTERS
    mov %rsp, %rdi
    sti
    call syscall_dispatch
    cli
    POP_REGISTERS
    add $16, %rsp
    pop %rcx
    add $8, %rsp
    pop %r11
    pop %rsp
    swapgs
    sysretq

// void switch_stacks(TCB *from, TCB *to): returns on the other task's stack.
    .global switch_stacks
switch_stacks:
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, (%rdi)
    mov (%rsi), %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret

    .section .rodata
    .align 8
    .global trap_stubs
trap_stubs:
    .set i, 0
    .rept 48
    STUB_ADDRESS %i
    .set i, i + 1
    .endr
