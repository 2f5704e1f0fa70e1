// Exercises the local APIC: its timer (calibrated against the 8254), end of interrupt, inter-processor interrupts; masks the 8259s.
#include "kernel.h"

#define APIC_ID 0x020
#define APIC_END_OF_INTERRUPT 0x0b0
#define APIC_SPURIOUS 0x0f0
#define APIC_COMMAND_LOW 0x300
#define APIC_COMMAND_HIGH 0x310
#define APIC_TIMER 0x320
#define APIC_LINT0 0x350
#define APIC_TIMER_INITIAL 0x380
#define APIC_TIMER_CURRENT 0x390
#define APIC_TIMER_DIVIDE 0x3e0

#define TICK_MICROSECONDS 100

static u32 timerCountPerTick;

static volatile u32 *apic_register(u32 offset) { return physical(0xfee00000 + offset); }

void apic_start(void)
{
    *apic_register(APIC_LINT0) = 0x10000; // masked: no 8259 here
    *apic_register(APIC_SPURIOUS) = 0x100 | VECTOR_SPURIOUS;
}

void apic_end_of_interrupt(void) { *apic_register(APIC_END_OF_INTERRUPT) = 0; }

u8 apic_id(void) { return *apic_register(APIC_ID) >> 24; }

void apic_send(u8 destination, u32 command)
{
    while (*apic_register(APIC_COMMAND_LOW) & 1 << 12) // the last one is still on its way
        pause();
    *apic_register(APIC_COMMAND_HIGH) = (u32)destination << 24;
    *apic_register(APIC_COMMAND_LOW) = command;
}

// Channel 2 of the 8254 counts down at 1,193,182 Hz; bit 5 of port 0x61 shows its output.
void delay_microseconds(u32 microseconds)
{
    u32 count = microseconds * 1193 / 1000 + 1;
    outb(0x61, (inb(0x61) & ~3) | 1); // gate on, speaker off
    outb(0x43, 0xb0);                 // channel 2, both bytes, mode 0
    outb(0x42, (u8)count);
    outb(0x42, (u8)(count >> 8));
    while (!(inb(0x61) & 0x20))
        pause();
}

void apic_calibrate_timer(void)
{
    *apic_register(APIC_TIMER_DIVIDE) = 0x3; // by 16
    *apic_register(APIC_TIMER) = 0x10000;    // masked
    *apic_register(APIC_TIMER_INITIAL) = 0xffffffff;
    delay_microseconds(TICK_MICROSECONDS);
    timerCountPerTick = 0xffffffff - *apic_register(APIC_TIMER_CURRENT);
    *apic_register(APIC_TIMER_INITIAL) = 0;

    outb(0x20, 0x11); // the 8259s: away from the exceptions' vectors, then all masked
    outb(0x21, 0x28);
    outb(0x21, 0x04);
    outb(0x21, 0x01);
    outb(0xa0, 0x11);
    outb(0xa1, 0x28);
    outb(0xa1, 0x02);
    outb(0xa1, 0x01);
    outb(0x21, 0xff);
    outb(0xa1, 0xff);
}

void apic_start_timer(void)
{
    *apic_register(APIC_TIMER_DIVIDE) = 0x3;
    *apic_register(APIC_TIMER) = 0x20000 | VECTOR_TIMER; // periodic
    *apic_register(APIC_TIMER_INITIAL) = timerCountPerTick;
}
