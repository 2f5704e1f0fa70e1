// Exercises a gate per vector, ring 3 and virtual-8086 entry by IRET, a task's body, and the way to real mode and back.
    .altmacro
    .macro STUB vector
    .align 16
    .if (\vector == 8) || ((\vector >= 10) && (\vector <= 14)) || (\vector == 17)
    .else
    pushl $0
    .endif
    pushl $\vector
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
    pusha
    push %ds
    push %es
    push %fs
    push %gs
    mov $0x10, %eax
    mov %eax, %ds
    mov %eax, %es
    cld
    push %esp
    call trap_dispatch
    add $4, %esp
    pop %gs
    pop %fs
    pop %es
    pop %ds
    popa
    add $8, %esp
    iret

// void recover(TrapFrame *frame): goes on at recoverEip with the stack that the check had
    .global recover
recover:
    mov 4(%esp), %eax
    mov 16(%eax), %edi
    mov 20(%eax), %esi
    mov 32(%eax), %ebx
    mov $0x10, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %fs
    mov %eax, %gs
    mov %eax, %ss
    mov recoverEsp, %esp
    mov recoverEbp, %ebp
    mov recoverEip, %eax
    movl $0, recoverEip
    pushl $2
    popf
    jmp *%eax

// void run_state(const UserState *state)
    .global run_state
run_state:
    push %ebx
    push %ebp
    push %esi
    push %edi
    mov %esp, kernel_stack_pointer
    mov 20(%esp), %esi
    pushl 32(%esi)                        // GS, FS, DS, ES: taken in virtual-8086 mode only
    pushl 28(%esi)
    pushl 24(%esi)
    pushl 20(%esi)
    pushl 16(%esi)                        // SS, ESP, EFLAGS, CS, EIP
    pushl 12(%esi)
    pushl 8(%esi)
    pushl 4(%esi)
    pushl (%esi)
    mov 36(%esi), %eax
    mov 40(%esi), %edi
    mov $0x23, %ecx
    mov %ecx, %ds
    mov %ecx, %es
    iret

    .global leave_user
leave_user:
    mov $0x10, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %fs
    mov %eax, %gs
    mov kernel_stack_pointer, %esp
    pop %edi
    pop %esi
    pop %ebp
    pop %ebx
    ret

// Ring 3.
    .global user_exit, user_call_gate, user_task_gate, user_push_many, user_sysenter, user_after_sysexit
    .global user_load_kernel_data, user_int_task, user_cli, user_return, call_gate_target
user_exit:
    mov %edi, %eax
    int $0x81
user_call_gate:
    pushl $0x1111
    pushl $0x2222
    lcall $0x60, $0
    mov %esp, %edx
    int $0x81
call_gate_target:                         // ring 0: the return address, then the parameters, then the old stack
    mov %cs, %ebx
    mov 8(%esp), %ecx
    mov 12(%esp), %eax
    lret $8
user_task_gate:
    lcall $0x68, $0
    int $0x81
user_int_task:
    int $0x70
    int $0x81
user_push_many:
    push %eax
    jmp user_push_many
user_sysenter:
    sysenter
user_after_sysexit:
    mov %cs, %eax
    int $0x81
user_load_kernel_data:
    mov $0x10, %eax
    mov %eax, %ds
    int $0x81
user_cli:
    cli
    int $0x81
user_return:
    pushl $0x10
    pushl $user_exit
    lret

    .global sysenter_target
sysenter_target:
    mov %esp, sysenter_esp
    mov %cs, %eax
    mov %eax, sysenter_cs
    mov $user_after_sysexit, %edx
    mov $userStack + 2048, %ecx
    sysexit

// The other task: counts, looks at what it was given, and goes back.
    .global other_task_entry
other_task_entry:
    incl otherTaskRuns
    pushf
    pop otherTaskFlags
    mov %cr0, %eax
    mov %eax, otherTaskCr0
    clts
    str %ax
    mov %ax, otherTaskRegister
    iret
    jmp other_task_entry

// The task that handles #TS: notes the error code, mends the main task's ring 0 stack segment, and goes back.
    .global rescue_task_entry
rescue_task_entry:
    popl rescueErrorCode
    incl rescueRuns
    movl $0x10, mainTask + 8              // SS0
    clts
    iret
    jmp rescue_task_entry

    .bss
    .align 4
    .global rescueErrorCode, rescueRuns
rescueErrorCode: .long 0
rescueRuns: .long 0
kernel_stack_pointer: .long 0
    .global sysenter_esp, sysenter_cs, otherTaskRuns, otherTaskFlags, otherTaskCr0, otherTaskRegister
sysenter_esp: .long 0
sysenter_cs: .long 0
otherTaskRuns: .long 0
otherTaskFlags: .long 0
otherTaskCr0: .long 0
otherTaskRegister: .long 0
