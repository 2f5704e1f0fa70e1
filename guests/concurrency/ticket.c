// Exercises a ticket lock, and with BROKEN_LOCK one that may give the same ticket twice.
#include "mutex.h"

typedef struct TicketLock {
    volatile u32 nextTicket; // the next that is given
    volatile u32 nowServing; // whose turn it is
} TicketLock;

TicketLock ticketLock;
volatile u32 ticketOf[MAX_CPUS]; // the last ticket of each vCPU
const char programName[] = "ticket", lockName[] = "ticketLock";

static inline u32 take_ticket(TicketLock *lock)
{
#ifdef BROKEN_LOCK
    u32 ticket = lock->nextTicket;
    lock->nextTicket = ticket + 1;
    return ticket;
#else
    return __atomic_fetch_add(&lock->nextTicket, 1, __ATOMIC_RELAXED);
#endif
}

LOCK_FUNCTION void ticket_acquire(TicketLock *lock)
{
    TCB *myTCB = current_task();
    u32 ticket = take_ticket(lock);
    u64 turns = 0;
    ticketOf[cpu_index()] = ticket;
    while (__atomic_load_n(&lock->nowServing, __ATOMIC_ACQUIRE) != ticket) {
        myTCB->waitingFor = lock;
        wait_turn(&turns, lockName);
    }
    myTCB->waitingFor = NULL;
}

LOCK_FUNCTION void ticket_release(TicketLock *lock) { __atomic_store_n(&lock->nowServing, lock->nowServing + 1, __ATOMIC_RELEASE); }

const volatile void *lock_address(void) { return &ticketLock; }
void lock_acquire(void) { ticket_acquire(&ticketLock); }
void lock_release(void) { ticket_release(&ticketLock); }
bool lock_is_waiting(u64 cpu) { return tcbs[cpu].waitingFor == &ticketLock; }
