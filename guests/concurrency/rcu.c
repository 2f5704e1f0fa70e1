// Exercises read-copy-update: grace periods and callbacks; with BROKEN_LOCK they run before the grace period has ended.
#include "rcu.h"

RCUState rcu = {.gracePeriod = 1};
RCUReader rcuReaders[MAX_CPUS];

void rcu_read_lock(void) { rcuReaders[cpu_index()].since = rcu.gracePeriod; }
void rcu_read_unlock(void) { rcuReaders[cpu_index()].since = 0; }

void rcu_update_lock(void)
{
    TCB *myTCB = current_task();
    u64 turns = 0;
    while (__atomic_exchange_n(&rcu.updaterLock, 1, __ATOMIC_ACQUIRE) != 0) {
        myTCB->waitingFor = &rcu.updaterLock;
        wait_turn(&turns, "the updaters' lock");
    }
    myTCB->waitingFor = NULL;
    log_acquisition(&rcu.updaterLock, false);
}

void rcu_update_unlock(void) { __atomic_store_n(&rcu.updaterLock, 0, __ATOMIC_RELEASE); }

void rcu_defer(RCUCallback *callback, void (*free)(RCUCallback *callback))
{
    callback->free = free;
    callback->next = rcu.callbacks;
    rcu.callbacks = callback;
    rcu.callbackCount++;
}

static void run_callbacks(void)
{
    while (rcu.callbacks) {
        RCUCallback *callback = rcu.callbacks;
        rcu.callbacks = callback->next;
        rcu.callbackCount--;
        rcu.freed++;
        callback->free(callback);
    }
}

// Whoever reads the pointers after the period's number was raised finds what is linked now.
static void wait_for_readers(void)
{
    u64 period = rcu.gracePeriod + 1;
    rcu.gracePeriod = period;
    for (u64 cpu = 0; cpu < (u64)cpuCount; cpu++) {
        u64 turns = 0;
        while (true) {
            u64 since = rcuReaders[cpu].since;
            if (since == 0 || since == period)
                break;
            rcu.waitingFor = cpu + 1;
            wait_turn(&turns, "a reader");
        }
    }
    rcu.waitingFor = 0;
    rcu.completed = period - 1;
}

void rcu_synchronize(void)
{
#ifdef BROKEN_LOCK
    run_callbacks(); // readers that began before may still be there
    wait_for_readers();
#else
    wait_for_readers();
    run_callbacks();
#endif
}
