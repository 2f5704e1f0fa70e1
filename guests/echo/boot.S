// Exercises input: polls the 16550 at 0x3F8, sends back upper case, ends through debug-exit at a 'q'.
    .section .multiboot, "a"
    .align 4
    .long 0x1BADB002
    .long 0
    .long -0x1BADB002

    .text
    .global _start
_start:
    cli
    mov $message, %esi
1:  lodsb
    test %al, %al
    jz read
    mov $0x3f8, %dx
    out %al, %dx
    jmp 1b

read:
    mov $0x3fd, %dx
    in %dx, %al
    test $1, %al                      // LSR.DR
    jnz 2f
    pause                             // lets time pass: nothing else happens here
    jmp read
2:  mov $0x3f8, %dx
    in %dx, %al
    cmp $'q', %al
    je finish
    mov received, %edi
    mov %al, buffer(,%edi,1)
    inc %edi
    and $63, %edi
    mov %edi, received
    cmp $'a', %al
    jb 3f
    cmp $'z', %al
    ja 3f
    sub $32, %al
3:  out %al, %dx
    jmp read

finish:
    mov $0x10, %al
    out %al, $0xf4                    // QEMU's isa-debug-exit
    hlt

    .section .rodata
message:
    .asciz "echo: type; q ends\r\n"

    .bss
    .align 4
received:
    .skip 4
buffer:
    .skip 64
