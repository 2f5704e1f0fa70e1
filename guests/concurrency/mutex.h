// What the guests with a mutual exclusion lock share: mutex.c exercises whichever lock a program has.
#pragma once
#include "guest.h"

// The program's lock.
extern const char lockName[];
const volatile void *lock_address(void);
void lock_acquire(void);
void lock_release(void);
bool lock_is_waiting(u64 cpu); // that vCPU stands in the queue, or spins
