// Exercises ring 3: a task that computes, fills its heap through page faults, and makes deposits by SYSCALL.
#include "bank.h"

static u64 randomState = 88172645463325252ul; // in the task's private data page

static u64 system_call(u64 number, u64 argument)
{
    u64 result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(argument) : "rcx", "r11", "memory");
    return result;
}

static u64 next_random(void) // Marsaglia's xorshift64
{
    randomState ^= randomState << 13;
    randomState ^= randomState >> 7;
    randomState ^= randomState << 17;
    return randomState;
}

void user_main(u64 id, u64 rounds, u64 think)
{
    u64 *history = (u64 *)USER_HEAP;
    u64 deposited = 0;
    randomState += id * 0x9e3779b97f4a7c15ul;
    for (u64 round = 0; round < rounds; round++) {
        u64 amount = 0;
        for (u64 i = 0; i <= think; i++)
            amount = 1 + (next_random() & 63);
        system_call(SYSTEM_CALL_DEPOSIT, amount);
        deposited += amount;
        history[round % (USER_HEAP_SIZE / 8)] = amount;
    }
    for (;;)
        system_call(SYSTEM_CALL_EXIT, deposited);
}
