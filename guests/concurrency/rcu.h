// Read-copy-update: readers announce the grace period that they began in, and what was unlinked is freed when no reader is older.
#pragma once
#include "guest.h"

#define POISON 0xdeadul

// Of one vCPU.
typedef struct RCUReader {
    volatile u64 since; // the grace period in which its critical section began; 0: it is in none
} RCUReader;

typedef struct RCUCallback {
    struct RCUCallback *next;
    void (*free)(struct RCUCallback *callback);
} RCUCallback;

typedef struct RCUState {
    volatile u64 gracePeriod;          // the one that readers begin in, from 1
    volatile u64 completed;            // the last that has ended
    volatile u64 waitingFor;           // 1 + the vCPU that the updater waits for; 0: none
    RCUCallback *volatile callbacks;   // what is freed when the grace period ends
    volatile u64 callbackCount;        // how many these are
    volatile u64 freed;                // how many were
    volatile u64 violations;           // readers that met something freed
    volatile u32 updaterLock;          // one updater at a time
} RCUState;

extern RCUState rcu;
extern RCUReader rcuReaders[MAX_CPUS];

void rcu_read_lock(void);
void rcu_read_unlock(void);
void rcu_update_lock(void);
void rcu_update_unlock(void);
void rcu_defer(RCUCallback *callback, void (*free)(RCUCallback *callback)); // by the updater
void rcu_synchronize(void); // by the updater
