// Exercises the same on the host, as a program of its own without any library: run(N) with N the first argument, and the result on standard output.
    .text
    .global _start
_start:
#if BITS == 64
    mov 16(%rsp), %rsi
#else
    mov 8(%esp), %esi
#endif
    xor %ebp, %ebp
1:
#if BITS == 64
    movzbl (%rsi), %eax
    inc %rsi
#else
    movzbl (%esi), %eax
    inc %esi
#endif
    sub $'0', %eax
    jb 2f
    imul $10, %ebp
    add %eax, %ebp
    jmp 1b
2:
#if BITS == 64
    mov %ebp, %edi
    call run
#else
    sub $8, %esp
    push %ebp
    call run
#endif
    mov %eax, %ebx
    xor %ecx, %ecx
print:
    rol $4, %ebx
    mov %ebx, %eax
    and $15, %eax
    cmp $10, %eax
    jb 1f
    add $('a' - '0' - 10), %eax
1:  add $'0', %eax
    mov %al, line(%ecx)
    inc %ecx
    cmp $8, %ecx
    jb print
    movb $'\n', line(%ecx)
#if BITS == 64
    mov $1, %eax                              // write
    mov $1, %edi
    mov $line, %esi
    mov $9, %edx
    syscall
    mov $60, %eax                             // exit
    xor %edi, %edi
    syscall
#else
    mov $4, %eax                              // write
    mov $1, %ebx
    mov $line, %ecx
    mov $9, %edx
    int $0x80
    mov $1, %eax                              // exit
    xor %ebx, %ebx
    int $0x80
#endif

    .bss
line:
    .skip 16
