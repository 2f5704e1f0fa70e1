// A program for Linux, without a library, for breakpoints in programs that come and go: it takes three steps and ends.

static volatile long total;

static __attribute__((noinline)) long step(long n)
{
    total += n;
    return total;
}

static long system_call(long number, long argument)
{
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(argument) : "rcx", "r11", "memory");
    return result;
}

void _start(void)
{
    total = 0; // an instruction that faults is come to twice: let it be this one
    for (long i = 0; i < 3; i++)
        step(i);
    system_call(60, total);
}
