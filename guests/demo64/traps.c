// Exercises the IDT, page faults that fill user memory on demand, timer preemption, inter-processor interrupts and system calls.
#include "bank.h"
#include "tasks.h"

typedef struct Gate {
    u16 offsetLow, selector;
    u8 ist, type;
    u16 offsetMiddle;
    u32 offsetHigh, reserved;
} Gate;

static Gate idt[VECTOR_COUNT];
extern void (*const trap_stubs[VECTOR_COUNT])(void);

void idt_load(void)
{
    for (int vector = 0; vector < VECTOR_COUNT; vector++) {
        u64 offset = (u64)trap_stubs[vector];
        idt[vector] = (Gate){(u16)offset, KERNEL_CODE, 0, 0x8e, (u16)(offset >> 16), (u32)(offset >> 32), 0};
    }
    struct __attribute__((packed)) { u16 limit; u64 base; } pointer = {sizeof idt - 1, (u64)idt};
    __asm__ volatile("lidt %0" : : "m"(pointer));
}

void trap_dispatch(TrapFrame *frame)
{
    switch (frame->vector) {
    case VECTOR_PAGE_FAULT: {
        u64 address = read_cr2();
        if (!user_page_fault(address, frame->errorCode))
            panic("page fault at %lx, error code %lx, RIP %lx", address, frame->errorCode, frame->rip);
        current_task()->pageFaults++;
        break;
    }
    case VECTOR_TIMER:
        this_cpu()->ticks++;
        apic_end_of_interrupt();
        if ((frame->cs & 3) == 3) // the kernel is not preempted
            schedule();
        break;
    case VECTOR_RESCHEDULE:
        apic_end_of_interrupt(); // it ends the HLT of the idle loop, which is all it is for
        break;
    case VECTOR_SPURIOUS:
        break;
    default:
        panic("exception %lu, error code %lx, RIP %lx", frame->vector, frame->errorCode, frame->rip);
    }
}

void syscall_dispatch(TrapFrame *frame)
{
    current_task()->systemCalls++;
    switch (frame->rax) {
    case SYSTEM_CALL_DEPOSIT:
        frame->rax = bank_deposit(frame->rdi);
        break;
    case SYSTEM_CALL_EXIT:
        task_exit(frame->rdi);
    default:
        frame->rax = (u64)-1;
    }
}
