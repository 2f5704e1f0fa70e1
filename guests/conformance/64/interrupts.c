// Exercises local APIC timer interrupts: HLT, the shadows of STI and MOV SS, CR8's threshold, self-IPI.
#include "machine.h"

static volatile u32 arrivals;
static u64 arrivalRip;

static volatile u32 *apic(u32 offset) { return (volatile u32 *)(0xfee00000ul + offset); }

static bool take(TrapFrame *frame)
{
    if (frame->vector != VECTOR_TIMER && frame->vector != 0x40)
        return false;
    arrivals++;
    arrivalRip = frame->rip;
    *apic(0xb0) = 0;
    return true;
}

static void self_interrupt(void)
{
    *apic(0x300) = 0x40040; // fixed, to self, vector 0x40
    for (volatile int i = 0; i < 100; i++)
        ;
}

void test_interrupts(void)
{
    extern char after_sti[];
    check((read_msr(0x1b) & 0x900) == 0x900, "interrupts: the bootstrap processor's local APIC is on");
    *apic(0xf0) = 0x1ff;
    onTrap = take;

    self_interrupt();
    check_equal(arrivals, 0, "interrupts: none while IF is clear");
    __asm__ volatile("sti\n\tnop\n\t.globl after_sti\nafter_sti:\n\tnop\n\tcli" : : : "memory");
    check_equal(arrivals, 1, "interrupts: the pending one after STI");
    check_equal(arrivalRip, (u64)after_sti, "interrupts: one instruction after STI (SDM 2B STI)");

    arrivals = 0;
    self_interrupt();
    __asm__ volatile("sti\n\tcli" : : : "memory");
    check_equal(arrivals, 0, "interrupts: STI and CLI let none through");
    __asm__ volatile("sti\n\tnop\n\tcli" : : : "memory");
    check_equal(arrivals, 1, "interrupts: it stays pending");

    arrivals = 0;
    __asm__ volatile("movq %0, %%cr8" : : "r"(4ull));
    self_interrupt();
    __asm__ volatile("sti\n\tnop\n\tnop\n\tcli" : : : "memory");
    check_equal(arrivals, 0, "interrupts: CR8 = 4 holds back vector 0x40");
    __asm__ volatile("sti\n\tmovq %0, %%cr8\n\tnop\n\tnop\n\tcli" : : "r"(0ull) : "memory");
    check_equal(arrivals, 1, "interrupts: CR8 = 0 lets it through");

    arrivals = 0;
    *apic(0x3e0) = 0xb;           // divide by 1
    *apic(0x320) = VECTOR_TIMER;  // one shot
    *apic(0x380) = 100000;
    __asm__ volatile("sti\n\thlt\n\tcli" : : : "memory");
    check_equal(arrivals, 1, "interrupts: the timer ends HLT");
    check_equal(*apic(0x390), 0, "interrupts: a one-shot timer stops at zero");
    *apic(0x320) = 0x20000 | VECTOR_TIMER; // periodic
    *apic(0x380) = 100000;
    arrivals = 0;
    while (arrivals < 3)
        __asm__ volatile("sti\n\thlt\n\tcli" : : : "memory");
    check(arrivals == 3, "interrupts: a periodic timer goes on");
    *apic(0x380) = 0;
    *apic(0x320) = 0x10000;
    onTrap = 0;
}
