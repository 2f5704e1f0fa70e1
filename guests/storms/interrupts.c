// Exercises an interrupt every few hundred instructions, on every vCPU, in the middle of arithmetic that must not notice.
#include "storm.h"

#define ROUNDS 1500
#define PERIOD 700

const char programName[] = "storm-interrupts";

static u64 disturbance[MAX_CPUS];

void program_start(void) {}

// Leaves no register and no flag of its own alone.
void program_tick(void)
{
    u64 *mine = &disturbance[cpu_index()];
    for (u32 i = 0; i < 5; i++)
        *mine = *mine * 6364136223846793005ul + 1442695040888963407ul;
}

// Additions whose carries go through flags: 256 bits, again and again.
static u64 sum(u64 seed)
{
    u64 a = seed, b = ~seed, c = seed << 7, d = seed >> 3;
    for (u32 i = 0; i < 200; i++)
        __asm__ volatile("add %1, %0\n\tadc %2, %1\n\tadc %3, %2\n\tadc $0, %3\n\trol $13, %0\n\tsbb %0, %1\n\tinc %2\n\tadc %2, %3\n\tdec %0"
                         : "+r"(a), "+r"(b), "+r"(c), "+r"(d) : : "cc");
    return a ^ b ^ c ^ d;
}

void program_run(u64 cpu)
{
    u64 right = sum(cpu + 1);
    start_ticks(PERIOD);
    interrupts_on();
    for (u32 round = 0; round < ROUNDS; round++) {
        u64 result = sum(cpu + 1);
        if (result != right)
            BROKEN("vCPU %lu: the sum is %lx instead of %lx after %lu interrupts", cpu, result, right, this_cpu()->ticks);
    }
    stop_ticks();
    interrupts_off();
    if (this_cpu()->ticks < 100)
        BROKEN("vCPU %lu took %lu interrupts only", cpu, this_cpu()->ticks);
}

void program_check(void) {}
