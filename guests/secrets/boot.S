// Exercises redaction, with things that nobody else should see: `idle` is never touched, `moved` is copied, `summed` is added up and its sum printed, `wiped` is overwritten, `compared`
// decides between two ways that are equally long and lead to the same, and a password is typed at a prompt, kept, and never shown.
    .section .multiboot, "a"
    .align 4
    .long 0x1BADB002
    .long 0
    .long -0x1BADB002

    .text
    .global _start, summing, asking
_start:
    cli
    cld
    mov $stack, %esp
    mov $hello, %esi
    call print
    call pause

    mov $moved, %esi
    mov $copy, %edi
    mov $moved_end - moved, %ecx
    rep movsb
    call pause

    xor %eax, %eax
    xor %edx, %edx
    mov $summed, %esi
    mov $summed_end - summed, %ecx
summing:
    lodsb
    add %eax, %edx
    loop summing
    mov $digits, %edi
    mov $8, %ecx
1:  rol $4, %edx
    mov %edx, %eax
    and $15, %eax
    add $'A', %al
    stosb
    loop 1b
    mov $sum, %esi
    call print
    call pause

    mov $wiped, %edi
    mov $wiped_end - wiped, %ecx
    xor %eax, %eax
    rep stosb
    call pause

    cmpb $'t', compared
    jne 6f
    nop
    nop
    jmp 7f
6:  nop
    nop
    jmp 7f
7:  xor %eax, %eax
    call pause

asking:
    mov $prompt, %esi
    call print
    mov $password, %edi
read:
    mov $0x3fd, %dx
    in %dx, %al
    test $1, %al                      // LSR.DR
    jnz 2f
    pause
    jmp read
2:  mov $0x3f8, %dx
    in %dx, %al
    cmp $'\r', %al
    je finish
    stosb
    jmp read

finish:
    mov $thanks, %esi
    call print
    call pause
    mov $0x10, %al
    out %al, $0xf4                    // QEMU's isa-debug-exit
    hlt

print:
    lodsb
    test %al, %al
    jz 4f
    mov $0x3f8, %dx
    out %al, %dx
    jmp print
4:  ret

// Long enough for checkpoints on both sides of everything.
pause:
    mov $20000, %ecx
5:  dec %ecx
    jnz 5b
    ret

    .data
    .global idle, moved, summed, wiped, compared, copy, password
idle:
    .asciz "the-idle-secret-9071"
    .type idle, @object
    .size idle, . - idle
    .align 64
moved:
    .ascii "the-moved-secret-5523"
moved_end:
    .type moved, @object
    .size moved, . - moved
    .align 64
summed:
    .ascii "the-summed-secret-8812"
summed_end:
    .type summed, @object
    .size summed, . - summed
    .align 64
wiped:
    .ascii "the-wiped-secret-3346"
wiped_end:
    .type wiped, @object
    .size wiped, . - wiped
    .align 64
compared:
    .ascii "the-compared-secret-6654"
    .type compared, @object
    .size compared, . - compared
    .align 64
hello:
    .asciz "secrets: begins\r\n"
sum:
    .ascii "sum "
digits:
    .ascii "........\r\n"
    .byte 0
prompt:
    .asciz "password: "
thanks:
    .asciz "\r\nthanks\r\n"

    .bss
    .align 64
copy:
    .skip 64
    .type copy, @object
    .size copy, 64
password:
    .skip 64
    .type password, @object
    .size password, 64
    .skip 4096
stack:
