// Exercises a lock that interrupt handlers take too; with BROKEN_LOCK a function turns interrupts on while its caller holds it.
#include "pair.h"

#define ROUNDS 60ul
#define TICK 3000 // nanoseconds

NamedLock irqLock = {.name = "irqLock"};
volatile u64 counter, ticksCounted;
const char programName[] = "interrupts";

// Something that must not be interrupted, from wherever it is called.
static __attribute__((noinline)) void short_task(void)
{
#ifdef BROKEN_LOCK
    interrupts_off();
    work(4);
    interrupts_on(); // whether they were on or not
#else
    u64 flags = save_flags_and_interrupts_off();
    work(4);
    restore_flags(flags);
#endif
}

void program_tick(void)
{
    named_acquire(&irqLock);
    ticksCounted++;
    named_release(&irqLock);
}

void program_start(void) {}

void program_run(u64 cpu)
{
    start_ticks(TICK);
    interrupts_on();
    for (u64 round = 0; round < ROUNDS; round++) {
        u64 flags = save_flags_and_interrupts_off();
        named_acquire(&irqLock);
        u64 value = counter;
        short_task();
        work(4);
        counter = value + 1;
        named_release(&irqLock);
        restore_flags(flags);
        work(30 + (cpu * 5 + round * 3) % 16);
    }
    interrupts_off();
    stop_ticks();
}

void program_check(void)
{
    u64 ticks = 0;
    for (int i = 0; i < cpuCount; i++)
        ticks += cpus[i].ticks;
    if (counter != ROUNDS * (u64)cpuCount || ticksCounted != ticks)
        BROKEN("%lu updates are lost, and %lu ticks of %lu", ROUNDS * (u64)cpuCount - counter, ticks - ticksCounted, ticks);
}
