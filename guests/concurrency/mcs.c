// Exercises an MCS queue lock; with BROKEN_LOCK its hand-off loses wake-ups, with BROKEN_ORDER its queue link is published too early.
#include "mutex.h"

// Mellor-Crummey and Scott, ACM TOCS 9(1), 1991, with the waiters' TCBs as the queue.
typedef struct MCSLock {
    TCB *volatile tail; // the last waiter, or the holder when nobody waits; NULL: the lock is free
} MCSLock;

MCSLock mcsLock;
const char lockName[] = "mcsLock";
#ifdef BROKEN_ORDER
const char programName[] = "mcs-order";
#else
const char programName[] = "mcs";
#endif

LOCK_FUNCTION void mcs_acquire(MCSLock *lock)
{
    TCB *myTCB = current_task();
    u64 turns = 0;
    myTCB->next = NULL;
#ifndef BROKEN_ORDER
    myTCB->needToWait = true;
#endif
    TCB *oldTail = __atomic_exchange_n(&lock->tail, myTCB, __ATOMIC_ACQ_REL);
    if (oldTail == NULL)
        return; // nobody held it
    myTCB->waitingFor = lock;
    __atomic_store_n(&oldTail->next, myTCB, __ATOMIC_RELEASE);
#ifdef BROKEN_ORDER
    myTCB->needToWait = true; // the holder may have handed the lock over already
#endif
    while (__atomic_load_n(&myTCB->needToWait, __ATOMIC_ACQUIRE))
        wait_turn(&turns, lockName);
    myTCB->waitingFor = NULL;
}

LOCK_FUNCTION void mcs_release(MCSLock *lock)
{
    TCB *myTCB = current_task();
#ifdef BROKEN_LOCK
    if (myTCB->next == NULL) {
        lock->tail = NULL; // whoever has swapped itself into the tail meanwhile is forgotten
        return;
    }
#else
    TCB *expected = myTCB;
    u64 turns = 0;
    if (__atomic_compare_exchange_n(&lock->tail, &expected, NULL, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
        return; // nobody waits: the lock is free
    // Somebody has swapped itself into the tail; it links itself to us a moment later.
    while (__atomic_load_n(&myTCB->next, __ATOMIC_ACQUIRE) == NULL)
        wait_turn(&turns, "the link of its successor");
#endif
    __atomic_store_n(&myTCB->next->needToWait, false, __ATOMIC_RELEASE);
}

const volatile void *lock_address(void) { return &mcsLock; }
void lock_acquire(void) { mcs_acquire(&mcsLock); }
void lock_release(void) { mcs_release(&mcsLock); }

// Linked behind somebody, and the last.
bool lock_is_waiting(u64 cpu)
{
    return mcsLock.tail == &tcbs[cpu] && cpu > 0 && tcbs[cpu - 1].next == &tcbs[cpu] && tcbs[cpu].needToWait;
}
