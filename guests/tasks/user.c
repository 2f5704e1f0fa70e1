// Exercises a program in ring 3 for steps by source lines: recursion, and system calls in which other tasks run. It is loaded once for each task, all at one address.
#include "tasks.h"

static u64 own; // in the task's private page

static u64 system_call(u64 number, u64 argument)
{
    u64 result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(argument) : "rcx", "r11", "memory");
    return result;
}

static u64 factorial(u64 n)
{
    if (n < 2)
        return 1;
    u64 below = factorial(n - 1);
    return n * below;
}

static u64 round_of(u64 id, u64 round)
{
    u64 sum = 0;
    for (u64 i = 0; i <= round % 3; i++)
        sum += factorial(3 + (id + i) % 3);
    own += sum;
    return sum;
}

void user_main(u64 id)
{
    for (u64 round = 0; round < 20; round++) {
        u64 sum = round_of(id, round);
        system_call(CALL_ADD, sum);
        if (round % 2 == 1)
            system_call(CALL_YIELD, 0);
    }
    system_call(CALL_EXIT, own);
    for (;;)
        ;
}
