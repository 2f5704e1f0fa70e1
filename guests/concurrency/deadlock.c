// Exercises two locks that everybody takes; with BROKEN_LOCK every other vCPU takes them the other way round, and a schedule may deadlock.
#include "pair.h"

#define ROUNDS 60ul

NamedLock lockA = {.name = "lockA"}, lockB = {.name = "lockB"};
volatile u64 counter;
const char programName[] = "deadlock";

void program_start(void) {}

void program_run(u64 cpu)
{
    NamedLock *first = &lockA, *second = &lockB;
#ifdef BROKEN_LOCK
    if (cpu % 2 == 1) {
        first = &lockB;
        second = &lockA;
    }
#endif
    for (u64 round = 0; round < ROUNDS; round++) {
        named_acquire(first);
        named_acquire(second);
        u64 value = counter;
        work(4);
        counter = value + 1;
        named_release(second);
        named_release(first);
        work(20 + (cpu * 5 + round * 3) % 16);
    }
}

void program_check(void)
{
    if (counter != ROUNDS * (u64)cpuCount)
        BROKEN("%lu updates are lost", ROUNDS * (u64)cpuCount - counter);
}
