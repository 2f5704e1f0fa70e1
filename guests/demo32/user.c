// Exercises ring 3 on demand-paged memory: a sieve of Eratosthenes, system calls by INT 0x80, waiting for the timer.
#include "kernel.h"

#define COUNT 20000

static u32 system_call(u32 number, u32 argument)
{
    __asm__ volatile("int $0x80" : "+a"(number) : "b"(argument) : "memory");
    return number;
}

void user_main(void)
{
    static const char greeting[] = "hello from ring 3\n";
    for (const char *c = greeting; *c; c++)
        system_call(SYSTEM_CALL_WRITE, (u32)*c);

    u8 *isComposite = (u8 *)USER_HEAP;
    u32 primes = 0;
    for (u32 n = 2; n < COUNT; n++) {
        if (isComposite[n])
            continue;
        primes++;
        for (u32 multiple = n * n; multiple < COUNT && n < 150; multiple += n)
            isComposite[multiple] = 1;
    }
    while (system_call(SYSTEM_CALL_TICKS, 0) == 0)
        for (volatile u32 wait = 0; wait < 1000; wait++)
            ;
    for (;;)
        system_call(SYSTEM_CALL_EXIT, primes);
}
