// One program per file: run() does the same work so many times and returns what it found, so that no compiler leaves it out.
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

u32 run(u32 rounds);

#define NOINLINE __attribute__((noinline))

static inline u32 next_random(u32 *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}
