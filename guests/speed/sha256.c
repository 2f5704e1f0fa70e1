// Exercises rotations, additions, and more values than there are registers: SHA-256 (FIPS 180-4) of 4 KiB.
#include "speed.h"

static u32 constants[64];
static u8 message[4096];

static u32 rotated(u32 x, int n) { return x >> n | x << (32 - n); }

// The constants are the first bits of the fractions of the cube roots of primes; found by bisection in whole numbers.
static void make_constants(void)
{
    u32 count = 0;
    for (u32 p = 2; count < 64; p++) {
        int prime = 1;
        for (u32 i = 2; i * i <= p; i++) prime &= p % i != 0;
        if (!prime) continue;
        u64 low = 0, high = 1ull << 35;
        while (high - low > 1) {
            // root = middle / 2^32; its cube against p, in pieces that do not overflow
            u64 middle = (low + high) / 2, square_high = (middle >> 16) * (middle >> 16), cube = (square_high >> 16) * (middle >> 16);
            if (cube >> 32 < p) low = middle;
            else high = middle;
        }
        constants[count++] = (u32)low;
    }
}

static NOINLINE void compress(u32 h[8], const u8 *block)
{
    u32 w[64], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4], f = h[5], g = h[6], k = h[7];
    for (int i = 0; i < 16; i++) w[i] = (u32)block[4 * i] << 24 | (u32)block[4 * i + 1] << 16 | (u32)block[4 * i + 2] << 8 | block[4 * i + 3];
    for (int i = 16; i < 64; i++) {
        u32 s0 = rotated(w[i - 15], 7) ^ rotated(w[i - 15], 18) ^ w[i - 15] >> 3, s1 = rotated(w[i - 2], 17) ^ rotated(w[i - 2], 19) ^ w[i - 2] >> 10;
        w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    for (int i = 0; i < 64; i++) {
        u32 t1 = k + (rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)) + ((e & f) ^ (~e & g)) + constants[i] + w[i];
        u32 t2 = (rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
        k = g;
        g = f;
        f = e;
        e = d + t1;
        d = c;
        c = b;
        b = a;
        a = t1 + t2;
    }
    h[0] += a; h[1] += b; h[2] += c; h[3] += d; h[4] += e; h[5] += f; h[6] += g; h[7] += k;
}

u32 run(u32 rounds)
{
    u32 h[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };
    make_constants();
    for (u32 i = 0; i < sizeof message; i++) message[i] = (u8)(i * 7);
    for (u32 round = 0; round < rounds; round++)
        for (u32 i = 0; i < sizeof message; i += 64) compress(h, message + i);
    return h[0] ^ h[7];
}
