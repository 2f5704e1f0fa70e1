// Exercises calls, returns and the stack: recursive Fibonacci numbers.
#include "speed.h"

static NOINLINE u32 fib(u32 n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

u32 run(u32 rounds)
{
    u32 sum = 0;
    for (u32 round = 0; round < rounds; round++) sum += fib(24);
    return sum;
}
