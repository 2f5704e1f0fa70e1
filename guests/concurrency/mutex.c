// Exercises a mutual exclusion lock: a counter that only its holder may touch, and a moment with one holder and two waiters.
#include "mutex.h"

#define ROUNDS 60ul

volatile u64 counter, occupant; // occupant: 1 + the index of the vCPU inside; 0: nobody
static volatile u64 stage;      // of the moment

static void enter(u64 cpu)
{
    lock_acquire();
    u64 other = occupant;
    if (other != 0)
        BROKEN("vCPU %lu enters while vCPU %lu is inside, acquisition %lu", cpu, other - 1, acquisitionCount);
    occupant = cpu + 1;
    log_acquisition(lock_address(), false);
}

static void leave(u64 cpu)
{
    if (occupant != cpu + 1)
        BROKEN("vCPU %lu leaves, but %lu - 1 is inside", cpu, occupant);
    occupant = 0;
    lock_release();
}

// vCPU 0 holds the lock, 1 waits, then 2 waits behind it.
static void make_moment(u64 cpu)
{
    u64 turns = 0;
    if (cpuCount < 3 || cpu > 2)
        return;
    while (stage < cpu)
        wait_turn(&turns, "its stage");
    enter(cpu);
    if (cpu == 0) {
        for (u64 waiter = 1; waiter <= 2; waiter++) {
            stage = waiter;
            while (!lock_is_waiting(waiter))
                wait_turn(&turns, "a waiter to come");
            expectedWaiters[waiter - 1] = waiter;
        }
        expectedHolder = 0;
        expectedWaiterCount = 2;
        moment_two_waiters();
    }
    leave(cpu);
}

void program_start(void) {}

void program_run(u64 cpu)
{
    make_moment(cpu);
    barrier();
    for (u64 round = 0; round < ROUNDS; round++) {
        enter(cpu);
        u64 value = counter;
        work(4 + (cpu + round) % 4);
        counter = value + 1;
        leave(cpu);
        work(8 + (cpu * 5 + round * 3) % 16);
    }
}

void program_check(void)
{
    if (counter != ROUNDS * (u64)cpuCount)
        BROKEN("%lu updates are lost", ROUNDS * (u64)cpuCount - counter);
}
