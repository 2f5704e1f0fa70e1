// Exercises locks in the shape of xv6's: a spin lock that keeps its name and its CPU and has interrupts off while it is held, and a lock for long holding, guarded by one.
#include "guest.h"

#define ROUNDS 40ul

typedef u32 uint;

struct cpu {
    u64 index;
    int offCount;         // how often interrupts were turned off
    bool hadInterrupts;   // before the first time
};

struct spinlock {
    volatile uint locked;
    char *name;
    struct cpu *volatile cpu; // that holds it
};

struct sleeplock {
    volatile uint locked;
    struct spinlock lk; // guards it
    char *name;
    volatile int pid; // that holds it
};

struct spinlock tableLock = {.name = "table"}, queueLock = {.name = "queue"};
struct sleeplock diskLock = {.lk = {.name = "disk's guard"}, .name = "disk"};
volatile u64 tableCount, queueCount, diskCount;
static struct cpu processors[MAX_CPUS];
const char programName[] = "xv6";

static struct cpu *my_processor(void) { return &processors[cpu_index()]; }

static bool interrupts_are_on(void)
{
    u64 flags;
    __asm__ volatile("pushfq; pop %0" : "=r"(flags));
    return flags & 0x200;
}

static void push_off(void)
{
    bool wereOn = interrupts_are_on();
    interrupts_off();
    if (my_processor()->offCount++ == 0)
        my_processor()->hadInterrupts = wereOn;
}

static void pop_off(void)
{
    if (--my_processor()->offCount == 0 && my_processor()->hadInterrupts)
        interrupts_on();
}

bool holding(struct spinlock *lk) { return lk->locked && lk->cpu == my_processor(); }

void acquire(struct spinlock *lk)
{
    u64 turns = 0;
    push_off();
    if (holding(lk))
        BROKEN("acquire of %s, which is held", lk->name);
    while (__atomic_exchange_n(&lk->locked, 1, __ATOMIC_ACQUIRE) != 0)
        wait_turn(&turns, lk->name);
    lk->cpu = my_processor();
    log_acquisition(lk, false);
}

void release(struct spinlock *lk)
{
    if (!holding(lk))
        BROKEN("release of %s, which is not held", lk->name);
    lk->cpu = NULL;
    __atomic_store_n(&lk->locked, 0, __ATOMIC_RELEASE);
    pop_off();
}

// Whoever would sleep looks again: here each vCPU has one task.
void acquiresleep(struct sleeplock *lk)
{
    u64 turns = 0;
    acquire(&lk->lk);
    while (lk->locked) {
        release(&lk->lk);
        wait_turn(&turns, lk->name);
        acquire(&lk->lk);
    }
    lk->locked = 1;
    lk->pid = (int)cpu_index() + 1;
    log_acquisition(lk, false);
    release(&lk->lk);
}

void releasesleep(struct sleeplock *lk)
{
    acquire(&lk->lk);
    lk->locked = 0;
    lk->pid = 0;
    release(&lk->lk);
}

void program_start(void)
{
    for (u64 i = 0; i < MAX_CPUS; i++)
        processors[i].index = i;
}

void program_run(u64 cpu)
{
    for (u64 round = 0; round < ROUNDS; round++) {
        acquire(&tableLock);
        tableCount++;
        work(5);
        if (round % 4 == cpu % 4) {
            acquire(&queueLock);
            queueCount++;
            release(&queueLock);
        }
        release(&tableLock);
        if (round % 3 == 0) {
            acquiresleep(&diskLock);
            diskCount++;
            work(40);
            releasesleep(&diskLock);
        }
    }
}

void program_check(void)
{
    u64 cpus = (u64)cpuCount;
    if (tableCount != ROUNDS * cpus || queueCount != ROUNDS / 4 * cpus || diskCount != (ROUNDS + 2) / 3 * cpus)
        BROKEN("table %lu, queue %lu, disk %lu", tableCount, queueCount, diskCount);
}
