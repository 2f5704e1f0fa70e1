// Exercises steps that follow a task: kernel threads and user programs that share one run queue, yield, are preempted at ticks, and move between vCPUs.
#include "tasks.h"

#define MAX_CPUS 2
#define THREADS 3
#define PROGRAMS 2
#define TASKS (THREADS + PROGRAMS)
#define STACK_SIZE 16384ul
#define TICK_COUNT 80

typedef struct TrapFrame {
    u64 r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
    u64 vector, errorCode;
    u64 rip, cs, rflags, rsp, ss;
} TrapFrame;

typedef enum State { READY, RUNNING, EXITED } State;

typedef struct Task {
    u64 stackPointer; // entry.S
    u64 cr3, stackTop, id;
    State state;
    int lastCpu, moves;
    struct Task *next;
} Task;

typedef struct Cpu {
    struct Cpu *self;
    u64 kernelStackTop, userStackPointer; // entry.S: at 8 and 16
    Task *current, *previous;
    Task idle;
    int index;
    volatile int isOnline;
    u64 ticks;
} Cpu;

typedef struct __attribute__((packed)) TaskStateSegment {
    u32 reserved0;
    u64 rsp[3];
    u64 reserved1, ist[7], reserved2;
    u16 reserved3, ioMapBase;
} TaskStateSegment;

typedef struct Gate {
    u16 offsetLow, selector;
    u8 ist, type;
    u16 offsetMiddle;
    u32 offsetHigh, reserved;
} Gate;

u8 stacks[TASKS][STACK_SIZE] __attribute__((aligned(16384)));
u8 applicationStack[STACK_SIZE] __attribute__((aligned(16384)));
Cpu cpus[MAX_CPUS];
Task tasks[TASKS];
volatile u64 tasksAlive, total;
static u64 pages[PROGRAMS][3][512] __attribute__((aligned(4096)));
static Gate idt[64];
static u64 gdts[MAX_CPUS][8];
static TaskStateSegment taskStateSegments[MAX_CPUS];
static Task *queueHead, *queueTail;
static volatile int queueLock;

extern u64 boot_pml4[512];
extern char trampoline_start[], trampoline_end[], user_load[], user_load_end[];
extern void timer_entry(void), fault_entry(void), syscall_entry(void), task_first_entry(void), user_main(u64 id);
extern void switch_stacks(Task *from, Task *to);

static void (*volatile userEntry)(u64 id) = user_main; // too far away for an instruction to name

static void write_msr(u32 msr, u64 value) { __asm__ volatile("wrmsr" : : "c"(msr), "a"((u32)value), "d"((u32)(value >> 32)) : "memory"); }
static void outb(u16 port, u8 value) { __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port)); }
static volatile u32 *apic(u32 offset) { return (volatile u32 *)(0xfee00000ul + offset); }

static Cpu *this_cpu(void)
{
    Cpu *cpu;
    __asm__ volatile("mov %%gs:0, %0" : "=r"(cpu));
    return cpu;
}

static void lock_queue(void)
{
    while (__atomic_exchange_n(&queueLock, 1, __ATOMIC_ACQUIRE))
        __asm__ volatile("pause");
}

static void unlock_queue(void) { __atomic_store_n(&queueLock, 0, __ATOMIC_RELEASE); }

static void queue_append(Task *task)
{
    lock_queue();
    task->next = 0;
    if (queueTail)
        queueTail->next = task;
    else
        queueHead = task;
    queueTail = task;
    unlock_queue();
}

// Only what another vCPU has run last, so that tasks move as often as can be.
static Task *queue_take(int cpu)
{
    lock_queue();
    Task *before = 0, *task = queueHead;
    while (task && task->lastCpu == cpu) {
        before = task;
        task = task->next;
    }
    if (task) {
        if (before)
            before->next = task->next;
        else
            queueHead = task->next;
        if (queueTail == task)
            queueTail = before;
    }
    unlock_queue();
    return task;
}

// On the new task's stack: only now may another vCPU go on with the old one.
void finish_switch(void)
{
    Cpu *cpu = this_cpu();
    Task *previous = cpu->previous;
    cpu->previous = 0;
    if (previous != &cpu->idle && previous->state == READY)
        queue_append(previous);
}

// A task that gives its vCPU up waits for the other one, even if this one has nothing else to do.
static void schedule(int givesUp)
{
    Cpu *cpu = this_cpu();
    Task *old = cpu->current, *task = queue_take(cpu->index);
    if (!task) {
        if (!givesUp)
            return;
        task = &cpu->idle;
    }
    if (old->state == RUNNING)
        old->state = READY;
    task->state = RUNNING;
    if (task->lastCpu != cpu->index)
        task->moves++;
    task->lastCpu = cpu->index;
    cpu->current = task;
    cpu->previous = old;
    cpu->kernelStackTop = task->stackTop;
    taskStateSegments[cpu->index].rsp[0] = task->stackTop;
    __asm__ volatile("mov %0, %%cr3" : : "r"(task->cr3) : "memory");
    switch_stacks(old, task);
    finish_switch();
}

static void yield(void)
{
    u64 flags;
    __asm__ volatile("pushfq; popq %0; cli" : "=r"(flags) : : "memory");
    schedule(1);
    __asm__ volatile("pushq %0; popfq" : : "r"(flags) : "memory", "cc");
}

static void task_exit(void)
{
    __asm__ volatile("cli");
    this_cpu()->current->state = EXITED;
    __atomic_sub_fetch(&tasksAlive, 1, __ATOMIC_ACQ_REL);
    schedule(1);
    for (;;)
        ;
}

void timer_tick(TrapFrame *frame)
{
    (void)frame;
    u64 ticks = ++this_cpu()->ticks;
    *apic(0x0b0) = 0;
    // Not at each one: ticks are so dense that a task would get nothing done.
    if (ticks % 16 == 0)
        schedule(0);
}

void fault(TrapFrame *frame)
{
    total = frame->rip;
    outb(0xf4, 0x11);
}

u64 system_call_entered(u64 number, u64 argument)
{
    switch (number) {
    case CALL_ADD:
        return __atomic_add_fetch(&total, argument, __ATOMIC_RELAXED);
    case CALL_YIELD:
        yield();
        return 0;
    case CALL_EXIT:
        task_exit();
    }
    return -1ul;
}

// ---- What the kernel's threads do.

static u64 fibonacci(u64 n)
{
    if (n < 2)
        return n;
    u64 a = fibonacci(n - 1);
    u64 b = fibonacci(n - 2);
    return a + b;
}

static void thread_round(u64 id, u64 round)
{
    u64 value = fibonacci(3 + (id + round) % 3);
    __atomic_add_fetch(&total, value, __ATOMIC_RELAXED);
    if (round % 3 == id % 3)
        yield();
}

void thread_main(u64 id)
{
    for (u64 round = 0; round < 24; round++)
        thread_round(id, round);
    task_exit();
}

// ---- The start.

static u64 address_space_create(u64 program)
{
    u64 *pml4 = pages[program][0], *pdpt = pages[program][1], *directory = pages[program][2];
    u64 memory = 0x1000000 + program * USER_SIZE;
    pml4[0] = boot_pml4[0];
    pml4[1] = (u64)pdpt | 7;
    pdpt[0] = (u64)directory | 7;
    directory[0] = memory | 0x87;
    for (u64 i = 0; i < (u64)(user_load_end - user_load); i++)
        ((u8 *)memory)[i] = ((u8 *)user_load)[i];
    return (u64)pml4;
}

static void task_create(u64 id)
{
    Task *task = &tasks[id];
    task->id = id;
    task->lastCpu = -1;
    task->stackTop = (u64)&stacks[id + 1];
    task->cr3 = id < THREADS ? (u64)boot_pml4 : address_space_create(id - THREADS);
    TrapFrame *frame = (TrapFrame *)task->stackTop - 1;
    frame->rip = id < THREADS ? (u64)thread_main : (u64)userEntry;
    frame->cs = id < THREADS ? KERNEL_CODE : USER_CODE;
    frame->ss = id < THREADS ? KERNEL_DATA : USER_DATA;
    frame->rflags = 0x202;
    frame->rsp = id < THREADS ? task->stackTop - 8 : USER_BASE + USER_SIZE - 8;
    frame->rdi = id;
    u64 *stack = (u64 *)frame;
    *--stack = (u64)task_first_entry;
    task->stackPointer = (u64)(stack - 6);
    queue_append(task);
}

static void cpu_start(int index)
{
    TaskStateSegment *tss = &taskStateSegments[index];
    u64 *gdt = gdts[index], base = (u64)tss;
    tss->ioMapBase = sizeof *tss;
    gdt[1] = 0x00af9a000000ffff;
    gdt[2] = 0x00cf92000000ffff;
    gdt[3] = 0x00cffa000000ffff;
    gdt[4] = 0x00cff2000000ffff;
    gdt[5] = 0x00affa000000ffff;
    gdt[6] = (sizeof *tss - 1) | (base & 0xffffff) << 16 | 0x89ul << 40 | (base >> 24 & 0xff) << 56;
    gdt[7] = base >> 32;
    struct __attribute__((packed)) { u16 limit; u64 base; } pointer = {sizeof gdts[index] - 1, (u64)gdt}, gates = {sizeof idt - 1, (u64)idt};
    __asm__ volatile("lgdt %0\n\tlidt %1\n\tmov %2, %%ds\n\tmov %2, %%es\n\tmov %2, %%ss\n\tmov %3, %%gs\n\tltr %w4"
                     : : "m"(pointer), "m"(gates), "r"(KERNEL_DATA), "r"(0), "r"(TSS_SELECTOR) : "memory");
    Cpu *cpu = &cpus[index];
    cpu->self = cpu;
    cpu->index = index;
    cpu->current = &cpu->idle;
    cpu->idle.id = 100 + (u64)index;
    cpu->idle.cr3 = (u64)boot_pml4;
    cpu->idle.state = RUNNING;
    cpu->idle.lastCpu = index;
    write_msr(0xc0000101, (u64)cpu);
    write_msr(0xc0000102, 0);
    write_msr(0xc0000081, 0x1bul << 48 | (u64)KERNEL_CODE << 32);
    write_msr(0xc0000082, (u64)syscall_entry);
    write_msr(0xc0000084, 0x700);
    *apic(0x350) = 0x10000;
    *apic(0x0f0) = 0x100 | 63;
    *apic(0x3e0) = 0x3;
    *apic(0x320) = 0x20000 | 32;
    *apic(0x380) = TICK_COUNT;
    cpu->isOnline = 1;
}

static void idle_loop(void)
{
    while (tasksAlive != 0) {
        __asm__ volatile("cli");
        schedule(0);
        __asm__ volatile("sti; hlt" : : : "memory");
    }
}

void application_main(void)
{
    cpu_start(1);
    idle_loop();
    for (;;)
        __asm__ volatile("cli; hlt");
}

static void gate(int vector, void (*entry)(void))
{
    u64 offset = (u64)entry;
    idt[vector] = (Gate){(u16)offset, KERNEL_CODE, 0, 0x8e, (u16)(offset >> 16), (u32)(offset >> 32), 0};
}

void kernel_main(void)
{
    for (int vector = 0; vector < 32; vector++)
        gate(vector, fault_entry);
    gate(32, timer_entry);
    outb(0x21, 0xff);
    outb(0xa1, 0xff);
    cpu_start(0);
    for (u64 i = 0; i < (u64)(trampoline_end - trampoline_start); i++)
        ((u8 *)0x8000)[i] = ((u8 *)trampoline_start)[i];
    *apic(0x310) = 1 << 24;
    *apic(0x300) = 0x4500;
    *apic(0x310) = 1 << 24;
    *apic(0x300) = 0x4608;
    tasksAlive = TASKS;
    while (!cpus[1].isOnline)
        __asm__ volatile("pause");
    for (u64 id = 0; id < TASKS; id++)
        task_create(id);
    idle_loop();
    outb(0xf4, 0x10);
}
