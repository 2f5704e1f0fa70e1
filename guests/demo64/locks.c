// Exercises XCHG, LOCK CMPXCHG and spinning between CPUs; holds the demo's bug, a test-and-set that is not atomic.
#include "locks.h"
#include "tasks.h"

void MCSLock_acquire(MCSLock *lock)
{
    TCB *myTCB = current_task();
    myTCB->next = NULL;
    myTCB->needToWait = true;
    TCB *oldTail = __atomic_exchange_n(&lock->tail, myTCB, __ATOMIC_ACQ_REL);
    if (oldTail == NULL)
        return; // nobody held it
    myTCB->waitingFor = lock;
    __atomic_store_n(&oldTail->next, myTCB, __ATOMIC_RELEASE);
    while (__atomic_load_n(&myTCB->needToWait, __ATOMIC_ACQUIRE))
        pause();
    myTCB->waitingFor = NULL;
}

void MCSLock_release(MCSLock *lock)
{
    TCB *myTCB = current_task();
    TCB *expected = myTCB;
    if (__atomic_compare_exchange_n(&lock->tail, &expected, NULL, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
        return; // nobody waits: the lock is free
    // Somebody has swapped itself into the tail; it links itself to us a moment later.
    while (__atomic_load_n(&myTCB->next, __ATOMIC_ACQUIRE) == NULL)
        pause();
    __atomic_store_n(&myTCB->next->needToWait, false, __ATOMIC_RELEASE);
}

void SpinLock_acquire(SpinLock *lock)
{
    while (__atomic_exchange_n(&lock->busy, 1, __ATOMIC_ACQUIRE) != 0)
        pause();
}

void SpinLock_release(SpinLock *lock) { __atomic_store_n(&lock->busy, 0, __ATOMIC_RELEASE); }

// Two CPUs can both see `busy == 0` before either of them sets it, and then both believe that they hold the lock.
void BrokenLock_acquire(BrokenLock *lock)
{
    while (lock->busy) // test ...
        pause();
    lock->busy = 1; // ... and set
}

void BrokenLock_release(BrokenLock *lock) { lock->busy = 0; }
