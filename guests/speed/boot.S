// Exercises a bare processor with run(N), N the last number of the command line: says the result on the serial port and ends through the debug-exit port.
// One file for both: BITS is 32 or 64. Memory maps to itself by big pages.
    .section .multiboot, "a"
    .align 4
header:
    .long 0x1BADB002
    .long 0x00010000                          // address fields valid: QEMU loads no 64-bit ELF
    .long -(0x1BADB002 + 0x00010000)
    .long header
    .long image_start
    .long image_load_end
    .long image_bss_end
    .long _start

    .text
    .code32
    .global _start
_start:
    cli
    cld
    mov $stack_top, %esp
    mov 16(%ebx), %esi                        // Multiboot information: cmdline
    xor %ebp, %ebp
parse:
    movzbl (%esi), %eax
    inc %esi
    test %eax, %eax
    jz parsed
    sub $'0', %eax
    cmp $9, %eax
    ja 1f
    imul $10, %ebp
    add %eax, %ebp
    jmp parse
1:  xor %ebp, %ebp
    jmp parse
parsed:
    mov %cr4, %eax
    or $0x630, %eax                           // OSXMMEXCPT, OSFXSR, PAE, PSE
#if BITS == 32
    and $~0x20, %eax
#endif
    mov %eax, %cr4
#if BITS == 64
    movl $(tables + 0x1003), tables
    movl $(tables + 0x2003), tables + 0x1000
    mov $0x83, %eax
    xor %ecx, %ecx
1:  mov %eax, tables + 0x2000(, %ecx, 8)
    add $0x200000, %eax
    inc %ecx
    cmp $64, %ecx
    jb 1b
#else
    mov $0x83, %eax
    xor %ecx, %ecx
1:  mov %eax, tables(, %ecx, 4)
    add $0x400000, %eax
    inc %ecx
    cmp $32, %ecx
    jb 1b
#endif
    mov $tables, %eax
    mov %eax, %cr3
#if BITS == 64
    mov $0xC0000080, %ecx                     // EFER
    rdmsr
    or $0x100, %eax                           // long mode
    wrmsr
#endif
    mov %cr0, %eax
    and $~0xC, %eax                           // no emulation, no task switched
    or $0x80010003, %eax
    mov %eax, %cr0
    lgdt gdt_pointer
    ljmp $8, $1f
#if BITS == 64
    .code64
#endif
1:  mov $16, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
#if BITS == 64
    mov %ebp, %edi
    call run
#else
    push %ebp
    call run
#endif
    mov %eax, %ebx
    mov $8, %ecx
    mov $0x3F8, %edx
print:
    rol $4, %ebx
    mov %ebx, %eax
    and $15, %eax
    movzbl digits(%eax), %eax
    out %al, %dx
    dec %ecx
    jnz print
    mov $'\n', %al
    out %al, %dx
    xor %eax, %eax
    out %al, $0xF4
1:  hlt
    jmp 1b

digits:
    .ascii "0123456789abcdef"
    .align 8
gdt:
    .quad 0
#if BITS == 64
    .quad 0x00AF9A000000FFFF
#else
    .quad 0x00CF9A000000FFFF
#endif
    .quad 0x00CF92000000FFFF
gdt_pointer:
    .word . - gdt - 1
    .long gdt

    .bss
    .align 4096
tables:
    .skip 0x3000
    .skip 0x10000
stack_top:
