// What the storms share: the kernel of the concurrency guests, and random numbers that are the same in every run.
#pragma once
#include "../concurrency/guest.h"

static inline u32 next_random(u32 *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static inline u32 rotated(u32 value, u32 count) { return value << count | value >> (32 - count); }
