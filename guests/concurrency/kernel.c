// Exercises a small SMP kernel on the demo's boot code: all vCPUs run one program, whose invariants decide how the machine ends.
#include "guest.h"
#include "../demo64/locks.h"

#define TRAMPOLINE 0x8000ul
#define APIC 0xfee00000ul

typedef struct __attribute__((packed)) Gate {
    u16 offsetLow, selector;
    u8 stackTable, type;
    u16 offsetMiddle;
    u32 offsetHigh, reserved;
} Gate;

Cpu cpus[MAX_CPUS];
TCB tcbs[MAX_CPUS];
int cpuCount;
Acquisition acquisitions[MAX_ACQUISITIONS];
volatile u64 acquisitionCount, acquisitionsOf[MAX_CPUS];
volatile u64 expectedHolder, expectedWaiterCount, expectedWaiters[2];

static u8 stacks[MAX_CPUS][8192] __attribute__((aligned(16)));
static Gate idt[VECTOR_COUNT];
static volatile u64 startingCpu, arrivedCount, barrierRound;
static volatile bool isEnding, isStarted;

extern char trampoline_start[], trampoline_end[], trampoline_cr3[], trampoline_stack[], trampoline_entry[], boot_pml4[];

// Freestanding, yet gcc calls these two.
void *memcpy(void *to, const void *from, u64 length)
{
    void *result = to;
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(length) : : "memory");
    return result;
}

void *memset(void *to, int value, u64 length)
{
    void *result = to;
    __asm__ volatile("rep stosb" : "+D"(to), "+c"(length) : "a"(value) : "memory");
    return result;
}

// The console's lock: the demo's console.c takes it.
void SpinLock_acquire(SpinLock *lock)
{
    while (__atomic_exchange_n(&lock->busy, 1, __ATOMIC_ACQUIRE) != 0)
        pause();
}

void SpinLock_release(SpinLock *lock) { __atomic_store_n(&lock->busy, 0, __ATOMIC_RELEASE); }

// ---- The truth.

void log_acquisition(const volatile void *lock, bool isShared)
{
    u64 cpu = cpu_index(), ticket = __atomic_fetch_add(&acquisitionCount, 1, __ATOMIC_ACQ_REL);
    acquisitionsOf[cpu]++;
    if (ticket < MAX_ACQUISITIONS)
        acquisitions[ticket] = (Acquisition){lock, ticket, (u32)cpu, isShared};
}

__attribute__((noinline)) void moment_two_waiters(void) { __asm__ volatile("" : : : "memory"); }

// ---- Ends.

void begin_last_words(void)
{
    interrupts_off();
    if (__atomic_exchange_n(&isEnding, true, __ATOMIC_ACQ_REL))
        for (;;)
            pause(); // somebody else is speaking
}

void waits_for_ever(const char *what) { BROKEN("vCPU %lu waits for ever for %s", cpu_index(), what); }

// ---- Interrupts.

static void exception(void) { BROKEN("vCPU %lu took an exception, CR2 is %lx", cpu_index(), read_cr2()); }

__attribute__((interrupt)) static void tick(void *frame)
{
    (void)frame;
    *(volatile u32 *)(APIC + 0x0b0) = 0; // end of interrupt
    this_cpu()->ticks++;
    program_tick();
}

__attribute__((weak)) void program_tick(void) {}

void start_ticks(u32 period)
{
    *(volatile u32 *)(APIC + 0x3e0) = 0xb;                    // divided by 1
    *(volatile u32 *)(APIC + 0x320) = 0x20000 | VECTOR_TIMER; // periodic
    *(volatile u32 *)(APIC + 0x380) = period;
}

void stop_ticks(void) { *(volatile u32 *)(APIC + 0x380) = 0; }

static void set_gate(int vector, u64 entry)
{
    idt[vector] = (Gate){(u16)entry, KERNEL_CODE, 0, 0x8e, (u16)(entry >> 16), (u32)(entry >> 32), 0};
}

// ---- The start.

static void this_cpu_start(u64 index)
{
    struct __attribute__((packed)) { u16 limit; u64 base; } gates = {sizeof idt - 1, (u64)idt};
    __asm__ volatile("lidt %0" : : "m"(gates));
    Cpu *cpu = &cpus[index];
    cpu->self = cpu;
    cpu->index = index;
    cpu->current = &tcbs[index];
    cpu->current->id = index;
    write_msr(0xc0000101, (u64)cpu); // GS base
    apic_start();
    cpu->apicId = apic_id();
    cpu->isOnline = true;
}

void barrier(void)
{
    u64 round = barrierRound;
    if (__atomic_add_fetch(&arrivedCount, 1, __ATOMIC_ACQ_REL) == (u64)cpuCount) {
        arrivedCount = 0;
        barrierRound = round + 1;
        return;
    }
    while (barrierRound == round)
        pause(); // whoever does not come says why
}

static void run(u64 cpu)
{
    while (!isStarted)
        pause();
    barrier();
    program_run(cpu);
    barrier();
}

static void application_main(void)
{
    u64 cpu = startingCpu;
    this_cpu_start(cpu);
    run(cpu);
    for (;;)
        __asm__ volatile("cli; hlt");
}

static void *in_trampoline(char *variable) { return physical(TRAMPOLINE + (u64)(variable - trampoline_start)); }

// One after the other, because they share the trampoline's variables.
static void start_others(void)
{
    u8 apicIds[MAX_CPUS];
    int count = firmware_find_cpus(apicIds);
    memcpy(physical(TRAMPOLINE), trampoline_start, (u64)(trampoline_end - trampoline_start));
    *(u64 *)in_trampoline(trampoline_cr3) = (u64)boot_pml4 - KERNEL_BASE;
    *(u64 *)in_trampoline(trampoline_entry) = (u64)application_main;
    cpuCount = 1;
    for (int i = 0; i < count; i++) {
        if (apicIds[i] == cpus[0].apicId)
            continue;
        startingCpu = (u64)cpuCount;
        *(u64 *)in_trampoline(trampoline_stack) = (u64)&stacks[startingCpu][sizeof stacks[0]];
        apic_send(apicIds[i], 0x4500); // INIT
        apic_send(apicIds[i], 0x4600 | TRAMPOLINE >> 12); // SIPI
        u64 turns = 0;
        while (!cpus[startingCpu].isOnline)
            wait_turn(&turns, "a vCPU to start");
        cpuCount++;
    }
}

void kernel_main(u64 multibootInformation)
{
    (void)multibootInformation;
    console_start();
    for (int vector = 0; vector < VECTOR_TIMER; vector++)
        set_gate(vector, (u64)exception);
    set_gate(VECTOR_TIMER, (u64)tick);
    outb(0x21, 0xff); // the 8259s: all masked
    outb(0xa1, 0xff);
    this_cpu_start(0);
    start_others();
    program_start();
    isStarted = true;
    run(0);
    program_check();
    begin_last_words(); // from here on nobody else may say anything
    print("ok %s: %d vCPUs, %lu acquisitions\n", programName, cpuCount, acquisitionCount);
    machine_exit(0);
}
