// Long doubles in the registers of the x87: a result that comes back in st(0), and a variable that lives in it.
#include "guest.h"

const char programName[] = "x87";
volatile long double parts[4] = {1.5L, -2.25L, 1024.0L, 0.125L};
volatile long double result;

__attribute__((noinline)) long double half_of(long double value) { return value / 2; }

__attribute__((noinline)) long double sum_of(const volatile long double *values, int count)
{
    long double total = 0;
    for (int i = 0; i < count; i++) {
        total += values[i];
        __asm__ volatile("nop" : : "r"(i)); // here total is in st(0)
    }
    return total;
}

void program_start(void) { __asm__ volatile("fninit"); }

void program_run(u64 cpu)
{
    if (cpu == 0)
        result = half_of(sum_of(parts, 4));
}

void program_check(void)
{
    if (result != 511.6875L)
        BROKEN("the half of the sum is wrong");
}
