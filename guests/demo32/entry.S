// Exercises interrupt entry through the TSS's stack, IRET to ring 3, and a task that runs by hardware task switches alone.

    .altmacro
    .macro STUB vector
stub_\vector:
    .if (\vector == 8) || ((\vector >= 10) && (\vector <= 14)) || (\vector == 17)
    .else
    pushl $0
    .endif
    pushl $\vector
    jmp trap_entry
    .endm
    .macro STUB_ADDRESS vector
    .long stub_\vector
    .endm

    .text
    .set i, 0
    .rept 48
    STUB %i
    .set i, i + 1
    .endr

    .global stub_system_call
stub_system_call:
    pushl $0
    pushl $0x80
trap_entry:
    pusha
    mov $0x10, %eax
    mov %eax, %ds
    mov %eax, %es
    cld
    push %esp
    call trap_dispatch
    add $4, %esp
    mov $0x23, %eax                   // the kernel itself does not care which of the two flat data segments it has
    mov %eax, %ds
    mov %eax, %es
    popa
    add $8, %esp
    iret

// void enter_user(u32 eip, u32 esp)
    .global enter_user
enter_user:
    mov 4(%esp), %ecx
    mov 8(%esp), %edx
    mov $0x23, %eax
    mov %eax, %ds
    mov %eax, %es
    pushl $0x23
    push %edx
    pushl $0x202                      // interrupts on
    pushl $0x1b
    push %ecx
    iret

// The auditor's whole life: each far call to its TSS runs one round, IRET with NT set switches back.
    .global auditor_entry
auditor_entry:
    call audit
    iret
    jmp auditor_entry

    .section .rodata
    .align 4
    .global trap_stubs
trap_stubs:
    .set i, 0
    .rept 48
    STUB_ADDRESS %i
    .set i, i + 1
    .endr
