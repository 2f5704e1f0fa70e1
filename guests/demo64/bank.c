// Exercises a read-modify-write of shared memory under the lock that the command line names: here updates get lost.
#include "bank.h"
#include "tasks.h"

Account account = {.mcsLock.name = "account"};
Ledger ledger = {.lock.name = "ledger"};

static void account_lock(void)
{
    switch (options.lock) {
    case LOCK_BROKEN: BrokenLock_acquire(&account.brokenLock); break;
    case LOCK_MCS: MCSLock_acquire(&account.mcsLock); break;
    case LOCK_XCHG: SpinLock_acquire(&account.spinLock); break;
    }
}

static void account_unlock(void)
{
    switch (options.lock) {
    case LOCK_BROKEN: BrokenLock_release(&account.brokenLock); break;
    case LOCK_MCS: MCSLock_release(&account.mcsLock); break;
    case LOCK_XCHG: SpinLock_release(&account.spinLock); break;
    }
}

// Fletcher's checksum of the balance: some work between the read and the write, as a real bank would do.
static u32 checksum(u64 value)
{
    u32 sum = 1, sumOfSums = 0;
    for (int i = 0; i < 8; i++, value >>= 8) {
        sum = (sum + (value & 0xff)) % 255;
        sumOfSums = (sumOfSums + sum) % 255;
    }
    return sumOfSums << 8 | sum;
}

u64 bank_deposit(u64 amount)
{
    account_lock();
    u64 balance = account.balance;          // read
    balance += amount;
    account.checksum = checksum(balance);
    account.balance = balance;              // write: what others wrote since the read is lost
    account_unlock();

    MCSLock_acquire(&ledger.lock);
    ledger.entries[ledger.count++ % LEDGER_SIZE] = (LedgerEntry){current_task()->id, amount, balance};
    ledger.total += amount;
    MCSLock_release(&ledger.lock);
    return balance;
}
