// Exercises a test-and-set lock, and with BROKEN_LOCK one whose test and set are two instructions.
#include "mutex.h"

typedef struct TASLock {
    volatile u32 locked;
} TASLock;

TASLock tasLock;
const char programName[] = "tas", lockName[] = "tasLock";

// Returns what it was before.
static inline u32 test_and_set(TASLock *lock)
{
#ifdef BROKEN_LOCK
    u32 old = lock->locked; // another vCPU may come here ...
    lock->locked = 1;       // ... before this is done
    return old;
#else
    return __atomic_exchange_n(&lock->locked, 1, __ATOMIC_ACQUIRE);
#endif
}

LOCK_FUNCTION void tas_acquire(TASLock *lock)
{
    TCB *myTCB = current_task();
    u64 turns = 0;
    while (test_and_set(lock) != 0) {
        myTCB->waitingFor = lock;
        wait_turn(&turns, lockName);
    }
    myTCB->waitingFor = NULL;
}

LOCK_FUNCTION void tas_release(TASLock *lock) { __atomic_store_n(&lock->locked, 0, __ATOMIC_RELEASE); }

const volatile void *lock_address(void) { return &tasLock; }
void lock_acquire(void) { tas_acquire(&tasLock); }
void lock_release(void) { tas_release(&tasLock); }
bool lock_is_waiting(u64 cpu) { return tcbs[cpu].waitingFor == &tasLock; }
