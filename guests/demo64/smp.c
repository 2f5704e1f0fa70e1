// Exercises the start of application processors by INIT and SIPI.
#include "tasks.h"

#define TRAMPOLINE 0x8000ul

extern char trampoline_start[], trampoline_end[], trampoline_cr3[], trampoline_stack[], trampoline_entry[], boot_pml4[];
static u8 apStacks[MAX_CPUS][8192] __attribute__((aligned(16)));
static volatile int startingCpu;

static void ap_main(void)
{
    paging_use();
    int index = startingCpu;
    cpu_start(index);
    apic_start_timer();
    cpus[index].online = true;
    idle_loop(false);
}

static void *in_trampoline(char *variable) { return physical(TRAMPOLINE + (u64)(variable - trampoline_start)); }

// One after the other, because they share the trampoline's variables. The MultiProcessor Specification (B.4) asks for 10 ms after
// INIT, which processors since the 1990s and virtual machines do not need.
static bool start_cpu(int index, u8 apicId)
{
    startingCpu = index;
    *(u64 *)in_trampoline(trampoline_stack) = (u64)&apStacks[index][sizeof apStacks[index]];
    apic_send(apicId, 0x4500); // INIT
    delay_microseconds(20);
    for (int attempt = 0; attempt < 2; attempt++) {
        apic_send(apicId, 0x4600 | TRAMPOLINE >> 12); // SIPI
        for (int wait = 0; wait < 100000; wait++) {
            if (cpus[index].online)
                return true;
            pause();
        }
    }
    return false;
}

int smp_start(void)
{
    u8 apicIds[MAX_CPUS];
    int count = firmware_find_cpus(apicIds);
    __builtin_memcpy(physical(TRAMPOLINE), trampoline_start, (u64)(trampoline_end - trampoline_start));
    *(u64 *)in_trampoline(trampoline_cr3) = (u64)boot_pml4 - KERNEL_BASE;
    *(u64 *)in_trampoline(trampoline_entry) = (u64)ap_main;

    int online = 1;
    for (int i = 0; i < count; i++) {
        if (apicIds[i] == cpus[0].apicId)
            continue;
        if (start_cpu(online, apicIds[i]))
            online++;
        else
            print("cpu with APIC id %d does not answer\n", apicIds[i]);
    }
    return online;
}
