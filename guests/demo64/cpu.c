// Exercises a GDT and a 64-bit TSS per CPU, the SYSCALL MSRs and the GS base.
#include "tasks.h"

typedef struct __attribute__((packed)) TaskStateSegment {
    u32 reserved0;
    u64 rsp[3];
    u64 reserved1, ist[7], reserved2;
    u16 reserved3, ioMapBase;
} TaskStateSegment;

static TaskStateSegment taskStateSegments[MAX_CPUS] __attribute__((aligned(128)));
static u64 gdts[MAX_CPUS][8];
extern void syscall_entry(void);

void cpu_set_kernel_stack(u64 top)
{
    Cpu *cpu = this_cpu();
    cpu->kernelStackTop = top;
    taskStateSegments[cpu->index].rsp[0] = top;
}

void cpu_start(int index)
{
    TaskStateSegment *tss = &taskStateSegments[index];
    u64 *gdt = gdts[index], base = (u64)tss;
    tss->ioMapBase = sizeof *tss;
    gdt[1] = 0x00af9a000000ffff; // 0x08 kernel code
    gdt[2] = 0x00cf92000000ffff; // 0x10 kernel data
    gdt[3] = 0x00cffa000000ffff; // 0x18 user code, 32-bit: SYSRET counts from here
    gdt[4] = 0x00cff2000000ffff; // 0x20 user data
    gdt[5] = 0x00affa000000ffff; // 0x28 user code
    gdt[6] = (sizeof *tss - 1) | (base & 0xffffff) << 16 | 0x89ul << 40 | (base >> 24 & 0xff) << 56;
    gdt[7] = base >> 32;
    struct __attribute__((packed)) { u16 limit; u64 base; } pointer = {sizeof gdts[index] - 1, (u64)gdt};
    __asm__ volatile("lgdt %0\n\t"
                     "pushq %1\n\t"
                     "leaq 1f(%%rip), %%rax\n\t"
                     "pushq %%rax\n\t"
                     "lretq\n"
                     "1:\tmov %2, %%ds\n\tmov %2, %%es\n\tmov %2, %%ss\n\t"
                     "mov %3, %%fs\n\tmov %3, %%gs\n\tltr %w4"
                     : : "m"(pointer), "i"(KERNEL_CODE), "r"(KERNEL_DATA), "r"(0), "r"(TSS_SELECTOR) : "rax", "memory");

    Cpu *cpu = &cpus[index];
    cpu->self = cpu;
    cpu->index = index;
    cpu->current = &cpu->idle;
    cpu->idle.id = 100 + (u64)index;
    cpu->idle.state = TASK_RUNNING;
    cpu->idle.lastCpu = index;
    cpu->idle.cr3 = kernel_cr3();
    write_msr(0xc0000101, (u64)cpu);                                    // GS base
    write_msr(0xc0000102, 0);                                           // the user's GS base, for SWAPGS
    write_msr(0xc0000081, 0x1bul << 48 | (u64)KERNEL_CODE << 32);       // STAR
    write_msr(0xc0000082, (u64)syscall_entry);                          // LSTAR
    write_msr(0xc0000084, 0x700);                                       // FMASK: TF, IF and DF off
    idt_load();
    apic_start();
    cpu->apicId = apic_id();
}
