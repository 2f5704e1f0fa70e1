// Exercises two locks that are taken in one order, then with BROKEN_LOCK in the other, but never at the same time: no schedule deadlocks.
#include "pair.h"

#define ROUNDS 20ul

NamedLock lockA = {.name = "lockA"}, lockB = {.name = "lockB"};
volatile u64 counter;
const char programName[] = "inversion";

static void take_both(NamedLock *first, NamedLock *second)
{
    for (u64 round = 0; round < ROUNDS; round++) {
        named_acquire(first);
        named_acquire(second);
        counter = counter + 1;
        named_release(second);
        named_release(first);
    }
}

void program_start(void) {}

void program_run(u64 cpu)
{
    if (cpu % 2 == 0)
        take_both(&lockA, &lockB);
    barrier();
    if (cpu % 2 == 1) {
#ifdef BROKEN_LOCK
        take_both(&lockB, &lockA);
#else
        take_both(&lockA, &lockB);
#endif
    }
}

void program_check(void)
{
    if (counter != ROUNDS * (u64)cpuCount)
        BROKEN("%lu updates are lost", ROUNDS * (u64)cpuCount - counter);
}
