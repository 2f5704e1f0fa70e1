// Exercises releases of a lock; with BROKEN_LOCK a path that gives up releases a lock that it does not hold.
#include "pair.h"

#define ROUNDS 60ul

NamedLock lockA = {.name = "lockA"};
volatile u64 counter, occupant, givenUp; // occupant: 1 + the index of the vCPU inside; 0: nobody
const char programName[] = "release";

static bool try_acquire(NamedLock *lock)
{
    if (__atomic_exchange_n(&lock->locked, 1, __ATOMIC_ACQUIRE) != 0)
        return false;
    lock->holder = (u32)cpu_index() + 1;
    log_acquisition(lock, false);
    return true;
}

static void enter_and_leave(u64 cpu)
{
    if (occupant != 0)
        BROKEN("vCPU %lu enters while vCPU %lu is inside", cpu, occupant - 1);
    occupant = cpu + 1;
    u64 value = counter;
    work(6);
    counter = value + 1;
    occupant = 0;
    named_release(&lockA);
}

void program_start(void) {}

void program_run(u64 cpu)
{
    for (u64 round = 0; round < ROUNDS; round++) {
        if (round % 4 != 0)
            named_acquire(&lockA);
        else if (!try_acquire(&lockA)) {
            __atomic_add_fetch(&givenUp, 1, __ATOMIC_RELAXED);
#ifdef BROKEN_LOCK
            named_release(&lockA); // somebody else's
#endif
            continue;
        }
        enter_and_leave(cpu);
        work(8 + (cpu * 5 + round * 3) % 16);
    }
}

void program_check(void)
{
    if (counter + givenUp != ROUNDS * (u64)cpuCount)
        BROKEN("%lu updates and %lu given up do not make %lu", counter, givenUp, ROUNDS * (u64)cpuCount);
}
