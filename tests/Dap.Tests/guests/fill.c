// One instruction that repeats for long, with a line of its own. 32-bit, started by Multiboot.

__asm__(".section .multiboot, \"a\"\n"
        "    .long 0x1BADB002, 0, -0x1BADB002\n"
        "    .text\n"
        "    .global _start\n"
        "_start:\n"
        "    mov $stack_top, %esp\n"
        "    xor %ebp, %ebp\n"
        "    call run\n"
        "    hlt\n"
        "    .bss\n"
        "    .skip 16384\n"
        "stack_top:\n"
        "    .text\n");

volatile int before, after;

void run(void)
{
    char *to = (char *)0x800000;
    unsigned count = 198000;
    before = 1;
    __asm__ volatile("rep stosb" : "+D"(to), "+c"(count) : "a"(before) : "memory");
    after = 1;
}
