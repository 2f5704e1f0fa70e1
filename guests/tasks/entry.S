// Exercises the ways in and out of a kernel without unwind information: Multiboot and SIPI, interrupts, SYSCALL, and switches of stacks.
    .section .multiboot, "a"
    .long 0x1BADB002, 0, -0x1BADB002

    .text
    .macro LONG_MODE
    mov $boot_pml4, %eax
    mov %eax, %cr3
    mov %cr4, %eax
    or $0x20, %eax                            // PAE
    mov %eax, %cr4
    mov $0xC0000080, %ecx                     // EFER
    rdmsr
    or $0x101, %eax                           // SYSCALL, long mode
    wrmsr
    mov %cr0, %eax
    or $0x80010001, %eax                      // PG, WP, PE
    mov %eax, %cr0
    .endm

    .code32
    .global _start
_start:
    cli
    mov $boot_stack_top, %esp
    movl $boot_pdpt + 3, boot_pml4
    xor %ecx, %ecx
1:  mov %ecx, %eax
    shl $12, %eax
    lea boot_pd + 3(%eax), %eax
    mov %eax, boot_pdpt(, %ecx, 8)
    inc %ecx
    cmp $4, %ecx
    jb 1b
    xor %ecx, %ecx
    mov $0x83, %eax                           // present, writable, 2 MiB
2:  mov %eax, boot_pd(, %ecx, 8)
    add $0x200000, %eax
    inc %ecx
    cmp $2048, %ecx
    jb 2b
    LONG_MODE
    lgdt boot_gdt_pointer
    ljmp $0x08, $3f
    .code64
3:  mov $boot_stack_top, %rsp
    xor %ebp, %ebp
    call kernel_main
4:  hlt
    jmp 4b

    .code32
application_start:
    mov $0x10, %eax
    mov %eax, %ds
    mov %eax, %ss
    LONG_MODE
    ljmp $0x08, $5f
    .code64
5:  mov $applicationStack + 16384, %rsp
    xor %ebp, %ebp
    call application_main

    .align 8
boot_gdt:
    .quad 0
    .quad 0x00AF9A000000FFFF                  // 64-bit code
    .quad 0x00CF92000000FFFF                  // data
    .quad 0x00CF9A000000FFFF                  // 32-bit code
boot_gdt_pointer:
    .word . - boot_gdt - 1
    .long boot_gdt

// Copied to physical 0x8000.
    .global trampoline_start, trampoline_end
    .code16
trampoline_start:
    cli
    xor %ax, %ax
    mov %ax, %ds
    lgdtl 0x8000 + trampoline_gdt_pointer - trampoline_start
    mov %cr0, %eax
    or $1, %eax
    mov %eax, %cr0
    ljmpl $0x18, $application_start
trampoline_gdt_pointer:
    .word 31
    .long boot_gdt
trampoline_end:
    .code64

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

    .global timer_entry
timer_entry:
    push $0
    push $32
    testb $3, 24(%rsp)                        // the interrupted CS: from user mode, GS is still the user's
    jz 1f
    swapgs
1:  PUSH_REGISTERS
    cld
    mov %rsp, %rdi
    call timer_tick
trap_return:
    POP_REGISTERS
    add $16, %rsp
    testb $3, 8(%rsp)
    jz 2f
    swapgs
2:  iretq

    .global fault_entry
fault_entry:
    push $0
    PUSH_REGISTERS
    mov %rsp, %rdi
    call fault
    hlt

    .global task_first_entry
task_first_entry:
    call finish_switch
    jmp trap_return

    .global syscall_entry
syscall_entry:
    swapgs
    mov %rsp, %gs:16
    mov %gs:8, %rsp
    pushq $0x23                               // SS, RSP, RFLAGS, CS, RIP, as an interrupt would leave them
    pushq %gs:16
    push %r11
    pushq $0x2b
    push %rcx
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rdi, %rsi
    mov %rax, %rdi
    sti
    call system_call_entered
    cli
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    pop %rcx
    add $8, %rsp
    pop %r11
    pop %rsp
    swapgs
    sysretq

// void switch_stacks(Task *from, Task *to): returns on the other task's stack.
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

    .bss
    .align 4096
    .global boot_pml4
boot_pml4: .skip 4096
boot_pdpt: .skip 4096
boot_pd:   .skip 4 * 4096
    .skip 16384
boot_stack_top:
