// Exercises indirect calls whose target changes: an interpreter's dispatch.
#include "speed.h"

static NOINLINE u32 add(u32 a, u32 b) { return a + b; }
static NOINLINE u32 subtract(u32 a, u32 b) { return a - b; }
static NOINLINE u32 exclusive(u32 a, u32 b) { return a ^ b; }
static NOINLINE u32 multiply(u32 a, u32 b) { return a * (b | 1); }
static NOINLINE u32 rotate(u32 a, u32 b) { return a << (b & 15) | a >> (32 - (b & 15)) % 32; }
static NOINLINE u32 negate(u32 a, u32 b) { return b - ~a; }

static u32 (*const operations[])(u32, u32) = { add, subtract, exclusive, multiply, rotate, negate, add, exclusive };

u32 run(u32 rounds)
{
    static u8 program[64];
    u32 state = 88172645, a = 1;
    for (u32 i = 0; i < sizeof program; i++) program[i] = (u8)(next_random(&state) & 7);
    for (u32 round = 0; round < rounds; round++)
        for (u32 i = 0; i < sizeof program; i++) a = operations[program[i]](a, i + round);
    return a;
}
