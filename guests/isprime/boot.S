// Exercises the function that Adams and Agesen translate in "A Comparison of Software and Hardware Techniques for x86 Virtualization" (ASPLOS 2006), called for
// every number below LIMIT; ends through the debug-exit port with how many are prime.
    .set LIMIT, 300

    .section .multiboot, "a"
    .align 4
    .long 0x1BADB002
    .long 0
    .long -0x1BADB002

    .text
    .global _start
_start:
    cli
    mov $stack_top, %esp
    xor %ebx, %ebx
    mov $2, %ebp
next:
    mov %ebp, %edi
    call isPrime
    add %eax, %ebx
    inc %ebp
    cmp $LIMIT, %ebp
    jl next
    mov %ebx, %eax
    out %al, $0xF4
1:  hlt
    jmp 1b

// int isPrime(int a) { for (int i = 2; i < a; i++) if (a % i == 0) return 0; return 1; }
    .p2align 4
isPrime:
    mov %edi, %ecx
    mov $2, %esi
    cmp %ecx, %esi
    jge prime
nexti:
    mov %ecx, %eax
    cdq
    idiv %esi
    test %edx, %edx
    jz notPrime
    inc %esi
    cmp %ecx, %esi
    jl nexti
prime:
    mov $1, %eax
    ret
notPrime:
    xor %eax, %eax
    ret

    .bss
    .skip 4096
stack_top:
