// Exercises division and a short loop: primes by trial division, the lecture's isPrime.
#include "speed.h"

static NOINLINE int is_prime(u32 a)
{
    for (u32 i = 2; i * i <= a; i++)
        if (a % i == 0) return 0;
    return a >= 2;
}

u32 run(u32 rounds)
{
    u32 found = 0;
    for (u32 round = 0; round < rounds; round++)
        for (u32 a = 0; a < 20000; a++) found += (u32)is_prime(a + round);
    return found;
}
