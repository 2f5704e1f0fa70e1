// Three mutual exclusion locks: a queue lock that is right, a simple one that is right, and one that is wrong.
#pragma once
#include "kernel.h"

struct TCB;

// The queue lock of Mellor-Crummey and Scott (ACM TOCS 9(1), 1991), in the form of Anderson and Dahlin's "Operating Systems:
// Principles and Practice", section 5.8: the waiters' own TCBs are the queue, and each waiter spins on a flag of its own.
// A TCB has one `next`, so that it can hold or wait for one MCSLock at a time.
typedef struct MCSLock {
    struct TCB *volatile tail; // the last waiter, or the owner when nobody waits; NULL: the lock is free
    const char *name;
} MCSLock;

void MCSLock_acquire(MCSLock *lock);
void MCSLock_release(MCSLock *lock);

// Test-and-set with one atomic XCHG. Used with interrupts off.
typedef struct SpinLock {
    volatile u32 busy;
} SpinLock;

void SpinLock_acquire(SpinLock *lock);
void SpinLock_release(SpinLock *lock);

// THE BUG: the test and the set are two instructions. See locks.c.
typedef struct BrokenLock {
    volatile u32 busy;
} BrokenLock;

void BrokenLock_acquire(BrokenLock *lock);
void BrokenLock_release(BrokenLock *lock);
