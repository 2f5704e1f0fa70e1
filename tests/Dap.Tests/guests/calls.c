// Calls for a debugger to step over and into: recursion, inlined copies, a call through a pointer, a loop on one line. 32-bit, started by Multiboot.

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

volatile int total;

static int fibonacci(int n)
{
    if (n < 2)
        return n;
    int a = fibonacci(n - 1);
    int b = fibonacci(n - 2);
    return a + b;
}

static inline __attribute__((always_inline)) int square(int x)
{
    int result = x * x;
    total += result;
    return result;
}

static inline __attribute__((always_inline)) int fourth(int x)
{
    int once = square(x);
    return square(once);
}

static void add(int amount)
{
    total += amount;
}

void (*volatile action)(int) = add;

void run(void)
{
    for (int i = 0; i < 3; i++)
        total += fourth(i);
    for (int i = 0; i < 100; i++) total += i;
    total += fibonacci(5);
    action(7);
    total += fibonacci(3) + fibonacci(4);
    __asm__ volatile("outb %0, %1" : : "a"((unsigned char)0x10), "Nd"((unsigned short)0xf4));
}
