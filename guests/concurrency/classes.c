// Exercises locks of two classes, taken in both orders, though no two of them ever are: what fails only with other objects is found by class alone.
#include "pair.h"

#define ROUNDS 20ul

NamedLock inodes[2] = {{.name = "inode 0"}, {.name = "inode 1"}}, dentries[2] = {{.name = "dentry 0"}, {.name = "dentry 1"}};
volatile u64 counter;
const char programName[] = "classes";

static void take_both(NamedLock *first, NamedLock *second)
{
    named_acquire(first);
    named_acquire(second);
    __atomic_add_fetch(&counter, 1, __ATOMIC_RELAXED);
    named_release(second);
    named_release(first);
}

void program_start(void) { }

void program_run(u64 cpu)
{
    for (u64 round = 0; round < ROUNDS; round++) {
        if (cpu % 2)
            take_both(&inodes[0], &dentries[0]);
        else
            take_both(&dentries[1], &inodes[1]);
        // Parent and child: of one class, always in this order.
        take_both(&dentries[0], &dentries[1]);
    }
}

void program_check(void)
{
    if (counter != 2 * ROUNDS * (u64)cpuCount)
        BROKEN("%lu of %lu", counter, 2 * ROUNDS * (u64)cpuCount);
}
