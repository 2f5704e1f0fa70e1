// Exercises a test-and-test-and-set lock, and with BROKEN_LOCK one that takes the first test for granted.
#include "mutex.h"

typedef struct TTASLock {
    volatile u32 locked;
} TTASLock;

TTASLock ttasLock;
const char programName[] = "ttas", lockName[] = "ttasLock";

LOCK_FUNCTION void ttas_acquire(TTASLock *lock)
{
    TCB *myTCB = current_task();
    u64 turns = 0;
    while (true) {
        while (lock->locked) { // spins in its own cache until the holder writes
            myTCB->waitingFor = lock;
            wait_turn(&turns, lockName);
        }
#ifdef BROKEN_LOCK
        lock->locked = 1; // somebody else may have seen it free as well
        break;
#else
        if (__atomic_exchange_n(&lock->locked, 1, __ATOMIC_ACQUIRE) == 0)
            break;
#endif
    }
    myTCB->waitingFor = NULL;
}

LOCK_FUNCTION void ttas_release(TTASLock *lock) { __atomic_store_n(&lock->locked, 0, __ATOMIC_RELEASE); }

const volatile void *lock_address(void) { return &ttasLock; }
void lock_acquire(void) { ttas_acquire(&ttasLock); }
void lock_release(void) { ttas_release(&ttasLock); }
bool lock_is_waiting(u64 cpu) { return tcbs[cpu].waitingFor == &ttasLock; }
