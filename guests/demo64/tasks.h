// Tasks, CPUs and their run queues.
#pragma once
#include "kernel.h"
#include "locks.h"

typedef enum TaskState { TASK_FREE, TASK_READY, TASK_RUNNING, TASK_EXITED } TaskState;

// Task control block: one thread of control, in ring 3 except for each CPU's idle task.
typedef struct TCB {
    u64 kernelStackPointer;  // saved by switch_stacks; entry.S relies on this being first
    struct TCB *next;        // MCSLock: who gets the lock after this task
    bool needToWait;         // MCSLock: this task spins while it is true
    MCSLock *waitingFor;     // the MCSLock it spins on, for the debugger
    u64 id;
    TaskState state;
    u64 cr3;                 // physical address of its PML4
    u64 kernelStackTop;
    struct TCB *nextReady;   // run queue
    int lastCpu;
    u64 deposited;           // what it says that it deposited, when it exits
    u64 pageFaults, systemCalls, switches;
} TCB;

typedef struct RunQueue {
    SpinLock lock;
    TCB *head, *tail;
    u32 length;
} RunQueue;

// Per-CPU data, reached through GS in kernel mode. entry.S knows the first four offsets.
typedef struct Cpu {
    struct Cpu *self;        // 0
    TCB *current;            // 8
    u64 kernelStackTop;      // 16: where SYSCALL switches to
    u64 userStackPointer;    // 24: scratch during SYSCALL entry
    int index;
    u8 apicId;
    volatile bool online;
    TCB *previous;           // the task that was switched away from, until its stack is safe to use elsewhere
    TCB idle;
    RunQueue runQueue;
    u64 ticks, steals;
} Cpu;

extern Cpu cpus[MAX_CPUS];
extern int cpuCount;
extern TCB tasks[MAX_TASKS];
extern volatile u64 tasksAlive;

static inline Cpu *this_cpu(void) { Cpu *cpu; __asm__ volatile("mov %%gs:0, %0" : "=r"(cpu)); return cpu; }
static inline TCB *current_task(void) { TCB *task; __asm__ volatile("mov %%gs:8, %0" : "=r"(task)); return task; }

void tasks_create(void);
void schedule(void);
void task_exit(u64 deposited) __attribute__((noreturn));
void idle_loop(bool untilTasksAreDone);

// entry.S
void switch_stacks(TCB *from, TCB *to);
void task_first_entry(void);
