// What the files of the concurrency guests share: tasks and vCPUs, bounded waits, and the truth that each guest stores for tests to read.
#pragma once
#include "../demo64/kernel.h"

// A vCPU that has looked so often in vain waits for ever: a lost wake-up or a deadlock.
#define MOST_TURNS 20000ul
#define MAX_ACQUISITIONS 4096ul

// One thread of control; here each vCPU runs exactly one. It has a cache line to itself, so that who spins on it disturbs nobody.
typedef struct __attribute__((aligned(64))) TCB {
    struct TCB *volatile next;         // in the queue of an MCS lock: who gets it after this one
    volatile bool needToWait;          // spins while it is true
    const volatile void *volatile waitingFor; // the lock that it waits for, for the debugger; NULL: none
    u64 id;                            // the index of its vCPU
} TCB;

// Per-vCPU data, reached through GS.
typedef struct Cpu {
    struct Cpu *self; // 0
    TCB *current;     // 8
    u64 index;        // 16
    u8 apicId;
    volatile bool isOnline;
    u64 ticks;
} Cpu;

extern Cpu cpus[MAX_CPUS];
extern TCB tcbs[MAX_CPUS];
extern int cpuCount;

static inline Cpu *this_cpu(void) { Cpu *cpu; __asm__ volatile("mov %%gs:0, %0" : "=r"(cpu)); return cpu; }
static inline TCB *current_task(void) { TCB *task; __asm__ volatile("mov %%gs:8, %0" : "=r"(task)); return task; }
static inline u64 cpu_index(void) { u64 index; __asm__ volatile("mov %%gs:16, %0" : "=r"(index)); return index; }

// ---- The truth, for tests: what really happened, in the order in which it did.

typedef struct Acquisition {
    const volatile void *lock;
    u64 ticket; // the number of the acquisition among all, from 0
    u32 cpu;
    bool isShared; // of a reader
} Acquisition;

extern Acquisition acquisitions[MAX_ACQUISITIONS];
extern volatile u64 acquisitionCount;
extern volatile u64 acquisitionsOf[MAX_CPUS];

// To be called by who has just acquired a lock.
void log_acquisition(const volatile void *lock, bool isShared);

// Who holds a lock and who waits for it in `moment_two_waiters`, in the order in which they came.
extern volatile u64 expectedHolder, expectedWaiterCount, expectedWaiters[2];

// Called by the holder of a lock while two others wait for it.
void moment_two_waiters(void);

// ---- What a program says.

// The first to come is the one that is heard; everybody else waits here for the machine's end.
void begin_last_words(void);

// Prints one line and ends the machine with exit code 1.
#define BROKEN(format, ...) \
    do { \
        begin_last_words(); \
        print("%s: broken: " format "\n", programName, ##__VA_ARGS__); \
        machine_exit(1); \
    } while (0)

void waits_for_ever(const char *what) __attribute__((noreturn));

// One turn of a loop that waits for another vCPU.
static inline void wait_turn(u64 *turns, const char *what)
{
    if (++*turns > MOST_TURNS)
        waits_for_ever(what);
    pause();
}

// So many instructions or so, without memory.
static inline void work(u64 count)
{
    while (count--)
        __asm__ volatile("nop" : : : "memory");
}

// All vCPUs meet; nobody goes on before the last has come.
void barrier(void);

// Periodic interrupts on this vCPU, handled by program_tick; periods in nanoseconds.
void start_ticks(u32 period);
void stop_ticks(void);

// ---- How the functions of a lock are compiled: called; or, where INLINED_LOCKS is defined, inlined wherever they are called, so that there is no call of them; or, where MIXED_LOCKS is,
// inlined there and called through pointers.

#if defined(INLINED_LOCKS)
#define LOCK_FUNCTION static inline __attribute__((always_inline))
#elif defined(MIXED_LOCKS)
#define LOCK_FUNCTION static inline __attribute__((always_inline, used))
#else
#define LOCK_FUNCTION
#endif

// ---- What each program defines.

extern const char programName[];
void program_start(void); // on vCPU 0, before anybody runs
void program_run(u64 cpu); // on every vCPU
void program_check(void); // on vCPU 0, after everybody has run
void program_tick(void);  // at a tick, with interrupts off; only for programs that start them
