// The shared account, its ledger, and the system calls that reach them.
#pragma once
#include "locks.h"

#define SYSTEM_CALL_DEPOSIT 1
#define SYSTEM_CALL_EXIT 2
#define LEDGER_SIZE 64

typedef struct Account {
    BrokenLock brokenLock;
    SpinLock spinLock;
    MCSLock mcsLock;
    u64 balance;
    u32 checksum;
} Account;

typedef struct LedgerEntry {
    u64 task, amount, balance;
} LedgerEntry;

// The last deposits, and how many there were. An MCSLock protects it.
typedef struct Ledger {
    MCSLock lock;
    u64 count, total;
    LedgerEntry entries[LEDGER_SIZE];
} Ledger;

extern Account account;
extern Ledger ledger;

u64 bank_deposit(u64 amount);
