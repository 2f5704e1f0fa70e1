// Exercises the whole: boots all CPUs, lets ring 3 tasks pay into one account, and tells whether money was lost.
#include "bank.h"
#include "tasks.h"

Options options = {.tasks = 4, .rounds = 500, .think = 40, .lock = LOCK_BROKEN};

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

// The text behind "name=" in the command line, or NULL.
static const char *option(const char *commandLine, const char *name)
{
    for (const char *at = commandLine; *at; at++) {
        if (at != commandLine && at[-1] != ' ')
            continue;
        int length = 0;
        while (name[length] && at[length] == name[length])
            length++;
        if (!name[length] && at[length] == '=')
            return at + length + 1;
    }
    return NULL;
}

static u64 number_option(const char *commandLine, const char *name, u64 standard, u64 maximum)
{
    const char *text = option(commandLine, name);
    if (!text)
        return standard;
    u64 value = 0;
    for (; *text >= '0' && *text <= '9' && value <= maximum; text++)
        value = value * 10 + (u64)(*text - '0');
    return value == 0 ? standard : value > maximum ? maximum : value;
}

static void read_options(const char *commandLine)
{
    options.tasks = number_option(commandLine, "tasks", options.tasks, MAX_TASKS);
    options.rounds = number_option(commandLine, "rounds", options.rounds, 1000000);
    options.think = number_option(commandLine, "think", options.think, 1000000);
    const char *lock = option(commandLine, "lock");
    if (lock && lock[0] == 'm')
        options.lock = LOCK_MCS;
    if (lock && lock[0] == 'x')
        options.lock = LOCK_XCHG;
}

static void report(void)
{
    u64 expected = 0;
    for (u64 i = 0; i < options.tasks; i++) {
        TCB *task = &tasks[i];
        print("task %lu: deposited %lu, %lu system calls, %lu page faults, %lu switches, last on cpu %d\n", task->id,
              task->deposited, task->systemCalls, task->pageFaults, task->switches, task->lastCpu);
        expected += task->deposited;
    }
    for (int i = 0; i < cpuCount; i++)
        print("cpu %d: %lu ticks, %lu steals\n", i, cpus[i].ticks, cpus[i].steals);
    print("ledger: %lu deposits, total %lu\n", ledger.count, ledger.total);
    print("expected %lu, actual %lu\n", expected, account.balance);
    if (account.balance != expected) {
        print("BUG: lost update: expected %lu got %lu\n", expected, account.balance);
        machine_exit(0x11);
    }
    print("OK\n");
    machine_exit(0x10);
}

// Multiboot 0.6.96, section 3.3: the fields of the boot information that are used here.
typedef struct MultibootInformation {
    u32 flags, memoryLowerKiB, memoryUpperKiB, bootDevice, commandLine;
} MultibootInformation;

void kernel_main(u64 multibootInformation)
{
    console_start();
    MultibootInformation *information = physical(multibootInformation);
    u64 memoryTop = 8ul << 20;
    if (information->flags & 1)
        memoryTop = (u64)(information->memoryUpperKiB + 1024) << 10;
    if (information->flags & 4)
        read_options(physical(information->commandLine));

    paging_start(memoryTop);
    cpu_start(0);
    apic_calibrate_timer();
    cpus[0].online = true;
    cpuCount = smp_start();
    static const char *const lockNames[] = {"broken", "mcs", "xchg"};
    print("demo64: %d cpus, %lu tasks, %lu deposits each, lock=%s\n", cpuCount, options.tasks, options.rounds, lockNames[options.lock]);
    tasks_create();
    apic_start_timer();
    idle_loop(true);
    interrupts_off();
    report();
}
