// What the guests with a mutual exclusion lock share: mutex.c exercises whichever lock a program has.
#pragma once
#include "guest.h"

// The program's lock.
extern const char lockName[];
const volatile void *lock_address(void);
void lock_acquire(void);
void lock_release(void);
bool lock_is_waiting(u64 cpu); // that vCPU stands in the queue, or spins

// How the functions of the lock itself are compiled: called; or, where INLINED_LOCKS is defined, inlined into lock_acquire and lock_release, so that there is no call of them.
#ifdef INLINED_LOCKS
#define LOCK_FUNCTION static inline __attribute__((always_inline))
#else
#define LOCK_FUNCTION
#endif
