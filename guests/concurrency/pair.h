// Two test-and-set locks with names, for the guests about what goes wrong between locks.
#pragma once
#include "guest.h"

typedef struct NamedLock {
    volatile u32 locked;
    volatile u32 holder; // 1 + its vCPU; 0: none
    const char *name;
} NamedLock;

__attribute__((noinline)) static void named_acquire(NamedLock *lock)
{
    TCB *myTCB = current_task();
    u64 turns = 0;
    while (__atomic_exchange_n(&lock->locked, 1, __ATOMIC_ACQUIRE) != 0) {
        myTCB->waitingFor = lock;
        wait_turn(&turns, lock->name);
    }
    myTCB->waitingFor = NULL;
    lock->holder = (u32)cpu_index() + 1;
    log_acquisition(lock, false);
}

__attribute__((noinline)) static void named_release(NamedLock *lock)
{
    lock->holder = 0;
    __atomic_store_n(&lock->locked, 0, __ATOMIC_RELEASE);
}
