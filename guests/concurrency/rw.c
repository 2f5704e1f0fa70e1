// Exercises a reader-writer spin lock, and with BROKEN_LOCK a writer that looks for readers and then enters in two instructions. With POOLED_LOCKS the lock is in memory that no
// variable of its type names, as an allocated one is.
#include "guest.h"

#define ROUNDS 60ul
#define WRITER 0x80000000u

typedef struct RWLock {
    volatile u32 state; // WRITER, or the number of readers
} RWLock;

#ifdef POOLED_LOCKS
static u64 pool[16];
RWLock *volatile rwLockPointer = (RWLock *)&pool[8];
#define rwLock (*rwLockPointer)
#else
RWLock rwLock;
#endif
volatile u64 first, second; // a writer leaves them equal
volatile u64 writeCount, readCount;
const char programName[] = "rw";

LOCK_FUNCTION void rw_read_acquire(RWLock *lock)
{
    TCB *myTCB = current_task();
    u64 turns = 0;
    while (true) {
        u32 state = lock->state;
        if (!(state & WRITER) && __atomic_compare_exchange_n(&lock->state, &state, state + 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            break;
        myTCB->waitingFor = lock;
        wait_turn(&turns, "rwLock, to read");
    }
    myTCB->waitingFor = NULL;
}

LOCK_FUNCTION void rw_read_release(RWLock *lock) { __atomic_sub_fetch(&lock->state, 1, __ATOMIC_RELEASE); }

LOCK_FUNCTION void rw_write_acquire(RWLock *lock)
{
    TCB *myTCB = current_task();
    u64 turns = 0;
    while (true) {
#ifdef BROKEN_LOCK
        if (lock->state == 0) {
            lock->state = WRITER; // a reader may have come meanwhile: it is forgotten
            break;
        }
#else
        u32 expected = 0;
        if (__atomic_compare_exchange_n(&lock->state, &expected, WRITER, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            break;
#endif
        myTCB->waitingFor = lock;
        wait_turn(&turns, "rwLock, to write");
    }
    myTCB->waitingFor = NULL;
}

LOCK_FUNCTION void rw_write_release(RWLock *lock) { __atomic_and_fetch(&lock->state, ~WRITER, __ATOMIC_RELEASE); }

// One round in four calls the functions where they are not inlined everywhere.
#ifdef MIXED_LOCKS
static void (*volatile readAcquire)(RWLock *) = rw_read_acquire, (*volatile readRelease)(RWLock *) = rw_read_release;
static void (*volatile writeAcquire)(RWLock *) = rw_write_acquire, (*volatile writeRelease)(RWLock *) = rw_write_release;
static volatile u64 calls;
#define CALLS(inlined, called) (++calls % 4 == 0 ? (called)(&rwLock) : inlined(&rwLock))
#else
#define CALLS(inlined, called) inlined(&rwLock)
#endif

static void read_once(u64 cpu)
{
    CALLS(rw_read_acquire, readAcquire);
    log_acquisition(&rwLock, true);
    u64 a = first;
    work(6);
    u64 b = second;
    if (a != b)
        BROKEN("reader on vCPU %lu sees %lu and %lu", cpu, a, b);
    __atomic_add_fetch(&readCount, 1, __ATOMIC_RELAXED);
    CALLS(rw_read_release, readRelease);
}

static void write_once(u64 cpu)
{
    CALLS(rw_write_acquire, writeAcquire);
    log_acquisition(&rwLock, false);
    u64 value = first;
    if (value != second)
        BROKEN("writer on vCPU %lu finds %lu and %lu", cpu, value, second);
    first = value + 1;
    work(6);
    second = value + 1;
    writeCount++;
    CALLS(rw_write_release, writeRelease);
}

// A writer holds the lock, another waits to write and a third to read.
static volatile u64 stage;

static void make_moment(u64 cpu)
{
    u64 turns = 0;
    if (cpuCount < 3 || cpu > 2)
        return;
    while (stage < cpu)
        wait_turn(&turns, "its stage");
    if (cpu == 2) {
        read_once(cpu);
        return;
    }
    if (cpu == 1) {
        write_once(cpu);
        return;
    }
    rw_write_acquire(&rwLock);
    log_acquisition(&rwLock, false);
    for (u64 waiter = 1; waiter <= 2; waiter++) {
        stage = waiter;
        while (tcbs[waiter].waitingFor != &rwLock)
            wait_turn(&turns, "a waiter to come");
        expectedWaiters[waiter - 1] = waiter;
    }
    expectedHolder = 0;
    expectedWaiterCount = 2;
    moment_two_waiters();
    rw_write_release(&rwLock);
}

void program_start(void) {}

void program_run(u64 cpu)
{
    make_moment(cpu);
    barrier();
    for (u64 round = 0; round < ROUNDS; round++) {
        if ((round + cpu) % 3 == 0)
            write_once(cpu);
        else
            read_once(cpu);
        work(8 + (cpu * 5 + round * 3) % 16);
    }
}

void program_check(void)
{
    u64 moment = cpuCount < 3 ? 0 : 1;
    if (first != second || first != writeCount)
        BROKEN("%lu writes gave %lu and %lu", writeCount, first, second);
    if (writeCount + readCount != ROUNDS * (u64)cpuCount + 2 * moment || rwLock.state != 0)
        BROKEN("%lu writes and %lu reads, the lock is %d", writeCount, readCount, (int)rwLock.state);
}
