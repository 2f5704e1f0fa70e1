// Exercises code that changes all the time: written anew, patched in one byte, patched just before it executes by itself, across two pages, and by another vCPU.
#include "storm.h"

#define ROUNDS 400
#define PAGE 4096
#define LONGEST 40

const char programName[] = "storm-code";

typedef u32 Function(u32);

// Two pages for each vCPU; functions lie anywhere in them, the middle too.
static u8 code[MAX_CPUS][2 * PAGE] __attribute__((aligned(PAGE)));
static u32 model[MAX_CPUS][LONGEST][2];
static volatile u32 offsets[MAX_CPUS], lengths[MAX_CPUS];

static u32 expected(u64 owner, u32 value)
{
    for (u32 i = 0; i < lengths[owner]; i++) {
        u32 operand = model[owner][i][1];
        switch (model[owner][i][0]) {
        case 0: value += operand; break;
        case 1: value ^= operand; break;
        case 2: value -= operand; break;
        case 3: value = rotated(value, operand & 31 ? operand & 31 : 1); break;
        }
    }
    return value;
}

static u8 *put32(u8 *at, u32 value)
{
    __builtin_memcpy(at, &value, 4);
    return at + 4;
}

// Each step is five bytes, so that patches know where operands are: ADD, XOR, SUB EAX, imm32, or ROL EAX, imm8 with NOPs.
static void write_step(u64 owner, u32 i, u32 operation, u32 operand)
{
    u8 *at = &code[owner][offsets[owner]] + 2 + i * 5;
    model[owner][i][0] = operation;
    model[owner][i][1] = operand;
    if (operation < 3) {
        *at = operation == 0 ? 0x05 : operation == 1 ? 0x35 : 0x2d;
        put32(at + 1, operand);
        return;
    }
    u32 count = operand & 31 ? operand & 31 : 1;
    at[0] = 0xc1;
    at[1] = 0xc0;
    at[2] = (u8)count;
    at[3] = at[4] = 0x90;
}

static void write_function(u64 owner, u32 *state)
{
    lengths[owner] = 1 + next_random(state) % (LONGEST - 1);
    offsets[owner] = next_random(state) % (2 * PAGE - LONGEST * 5 - 8);
    if (next_random(state) % 3 == 0)
        offsets[owner] = PAGE - 1 - next_random(state) % 64; // it crosses into the second page
    u8 *at = &code[owner][offsets[owner]];
    at[0] = 0x89; // MOV EAX, EDI
    at[1] = 0xf8;
    for (u32 i = 0; i < lengths[owner]; i++)
        write_step(owner, i, next_random(state) & 3, next_random(state));
    at[2 + lengths[owner] * 5] = 0xc3;
}

static void call(u64 owner, u32 value, const char *what)
{
    u32 result = ((Function *)&code[owner][offsets[owner]])(value), right = expected(owner, value);
    if (result != right)
        BROKEN("vCPU %lu: code of vCPU %lu %s gives %x instead of %x", cpu_index(), owner, what, result, right);
}

// MOV dword [RIP + 1], imm32; ADD EAX, imm32: the store changes the instruction behind it.
static void patch_itself(u64 cpu, u32 *state)
{
    u8 *at = &code[cpu][next_random(state) % (2 * PAGE - 32)], *start = at;
    *at++ = 0x89;
    *at++ = 0xf8;
    *at++ = 0xc7;
    *at++ = 0x05;
    at = put32(at, 1);
    u8 *patch = at;
    at = put32(at, 0);
    *at++ = 0x05;
    at = put32(at, 0x11111111);
    *at = 0xc3;
    for (u32 i = 0; i < 30; i++) {
        u32 operand = next_random(state), value = next_random(state);
        put32(patch, operand);
        u32 result = ((Function *)start)(value);
        if (result != value + operand)
            BROKEN("vCPU %lu: code that patches itself gives %x instead of %x", cpu, result, value + operand);
    }
}

void program_start(void) {}

void program_run(u64 cpu)
{
    u32 state = 2463534242u + (u32)cpu * 77;
    for (u32 round = 0; round < ROUNDS; round++) {
        write_function(cpu, &state);
        u32 calls = 1 + next_random(&state) % 60;
        for (u32 i = 0; i < calls; i++)
            call(cpu, next_random(&state), "written anew");
        for (u32 i = 0; i < 8; i++) {
            write_step(cpu, next_random(&state) % lengths[cpu], next_random(&state) & 3, next_random(&state));
            for (u32 j = 0; j < 4; j++)
                call(cpu, next_random(&state), "patched");
        }
        if (round % 8 == 0)
            patch_itself(cpu, &state);
        if (round % 16 != 0)
            continue;
        // Everybody executes and patches the next one's code, in turns.
        u64 neighbour = (cpu + 1) % (u64)cpuCount;
        write_function(cpu, &state);
        barrier();
        for (u32 i = 0; i < 40; i++)
            call(neighbour, next_random(&state), "of the neighbour");
        barrier();
        write_step(neighbour, next_random(&state) % lengths[neighbour], 0, next_random(&state));
        barrier();
        for (u32 i = 0; i < 10; i++)
            call(cpu, next_random(&state), "patched by the neighbour");
        barrier();
    }
}

void program_check(void) {}
