// Exercises byte stores with growing strides: the sieve of Eratosthenes.
#include "speed.h"

#define LIMIT 262144
static u8 composite[LIMIT];

u32 run(u32 rounds)
{
    u32 found = 0;
    for (u32 round = 0; round < rounds; round++) {
        for (u32 i = 0; i < LIMIT; i++) composite[i] = 0;
        for (u32 i = 2; i < LIMIT; i++) {
            if (composite[i]) continue;
            found++;
            for (u32 j = i + i; j < LIMIT; j += i) composite[j] = 1;
        }
    }
    return found;
}
