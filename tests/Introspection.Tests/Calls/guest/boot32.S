// Multiboot entry with SSE switched on, and a jump out of functions.
    .section .multiboot, "a"
    .long 0x1BADB002, 0, -0x1BADB002

    .section .boot, "ax"
    .global _start
_start:
    mov $stack_top, %esp
    mov %cr4, %eax
    or $0x600, %eax
    mov %eax, %cr4
    fninit
    call guest_main
    mov $0x10, %al
    mov $0xf4, %dx
    out %al, %dx
1:  hlt
    jmp 1b

    .text
    .global save_place
    .type save_place, @function
save_place:
    mov 4(%esp), %eax
    mov %ebx, (%eax)
    mov %esi, 4(%eax)
    mov %edi, 8(%eax)
    mov %ebp, 12(%eax)
    lea 4(%esp), %ecx
    mov %ecx, 16(%eax)
    mov (%esp), %ecx
    mov %ecx, 20(%eax)
    xor %eax, %eax
    ret
    .size save_place, . - save_place

    .global return_to_place
    .type return_to_place, @function
return_to_place:
    mov 4(%esp), %edx
    mov $1, %eax
    mov (%edx), %ebx
    mov 4(%edx), %esi
    mov 8(%edx), %edi
    mov 12(%edx), %ebp
    mov 16(%edx), %esp
    jmp *20(%edx)
    .size return_to_place, . - return_to_place

    .bss
    .skip 16384
stack_top:
