// Exercises page tables that change all the time: pages come, go and change places under data and under code, and accessed and dirty bits are checked.
#include "storm.h"

#define ROUNDS 4000
#define PAGE 4096
#define WINDOW 0xffff900000000000ul
#define PAGES 16
#define FRAMES 24
#define PRESENT 1ul
#define WRITABLE 2ul
#define ACCESSED 0x20ul
#define DIRTY 0x40ul

const char programName[] = "storm-paging";

typedef u32 Function(void);

static u64 directoryPointers[512] __attribute__((aligned(PAGE))), directory[512] __attribute__((aligned(PAGE))), tables[MAX_CPUS][512] __attribute__((aligned(PAGE)));
static u8 frames[MAX_CPUS][FRAMES][PAGE] __attribute__((aligned(PAGE)));
extern u64 boot_pml4[];

static u64 address_of(const void *kernel) { return (u64)kernel - KERNEL_BASE; }

static void forget(u64 linear) { __asm__ volatile("invlpg (%0)" : : "r"(linear) : "memory"); }

void program_start(void)
{
    boot_pml4[WINDOW >> 39 & 511] = address_of(directoryPointers) | PRESENT | WRITABLE;
    directoryPointers[0] = address_of(directory) | PRESENT | WRITABLE;
    for (u64 cpu = 0; cpu < MAX_CPUS; cpu++)
        directory[cpu] = address_of(tables[cpu]) | PRESENT | WRITABLE;
    for (u64 cpu = 0; cpu < MAX_CPUS; cpu++)
        for (u64 frame = 0; frame < FRAMES; frame++) {
            u8 *page = frames[cpu][frame];
            u32 number = (u32)(cpu << 16 | frame << 8 | 0x5a);
            page[0] = 0xb8; // MOV EAX, number; RET
            __builtin_memcpy(page + 1, &number, 4);
            page[5] = 0xc3;
            *(u32 *)(page + 8) = number;
        }
}

void program_run(u64 cpu)
{
    u32 state = 88172645u + (u32)cpu * 13;
    u8 mapped[PAGES];
    for (u32 page = 0; page < PAGES; page++) {
        mapped[page] = (u8)page;
        tables[cpu][page] = address_of(frames[cpu][page]) | PRESENT | WRITABLE;
    }
    for (u32 round = 0; round < ROUNDS; round++) {
        u32 page = next_random(&state) % PAGES, action = next_random(&state) % 8;
        u64 linear = WINDOW + (cpu << 21) + (u64)page * PAGE;
        volatile u64 *entry = &tables[cpu][page];
        volatile u32 *data = (volatile u32 *)(linear + 8);
        u32 number = (u32)(cpu << 16 | (u32)mapped[page] << 8 | 0x5a);
        if (action < 2) {
            mapped[page] = (u8)(next_random(&state) % FRAMES);
            *entry = address_of(frames[cpu][mapped[page]]) | PRESENT | (action == 0 ? WRITABLE : 0);
            forget(linear);
            continue;
        }
        if (action < 5) {
            // Enough calls that it is worth a translation.
            for (u32 i = 0; i < 12; i++) {
                u32 result = ((Function *)linear)();
                if (result != number)
                    BROKEN("vCPU %lu: page %u executes frame %x instead of %x", cpu, page, result, number);
            }
            if (!(*entry & ACCESSED))
                BROKEN("vCPU %lu: page %u is executed and not accessed", cpu, page);
            continue;
        }
        if ((*data & 0xffffff) != number)
            BROKEN("vCPU %lu: page %u holds %x instead of %x", cpu, page, *data, number);
        if (action == 5) {
            // Bits that were cleared come back with the next access, after INVLPG.
            *entry &= ~(ACCESSED | DIRTY);
            forget(linear);
            u32 value = *data;
            if ((*entry & (ACCESSED | DIRTY)) != ACCESSED)
                BROKEN("vCPU %lu: a load of page %u leaves entry %lx", cpu, page, *entry);
            if (*entry & WRITABLE) {
                *data = value + 0x1000000;
                if ((*entry & (ACCESSED | DIRTY)) != (ACCESSED | DIRTY))
                    BROKEN("vCPU %lu: a store to page %u leaves entry %lx", cpu, page, *entry);
            }
        } else if (action == 6 && (*entry & WRITABLE)) {
            // Through this page, and through the frame itself.
            *data ^= 0x80000000;
            volatile u32 *alias = (volatile u32 *)(frames[cpu][mapped[page]] + 8);
            if (*alias != *data)
                BROKEN("vCPU %lu: page %u and its frame differ: %x, %x", cpu, page, *data, *alias);
            *alias ^= 0x80000000;
            if (*alias != *data)
                BROKEN("vCPU %lu: frame and page %u differ: %x, %x", cpu, page, *alias, *data);
        }
    }
}

void program_check(void) {}
