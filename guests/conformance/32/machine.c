// Exercises the descriptor tables that the checks stand on; records every trap.
#include "machine.h"

Fault fault;
u32 recoverEip, recoverEsp, recoverEbp;
bool (*onTrap)(TrapFrame *frame);
u64 gdt[32] __attribute__((aligned(16))), idt[256] __attribute__((aligned(16))), ldt[4] __attribute__((aligned(16)));
TaskStateSegment mainTask, otherTask, rescueTask;
u8 smallArea[32], userArea[4096] __attribute__((aligned(4096))), userStack[4096] __attribute__((aligned(16)));
static u8 trapStack[8192] __attribute__((aligned(16))), otherStack[4096] __attribute__((aligned(16)));
static u8 rescueStack[256] __attribute__((aligned(16)));
extern char trap_stub_table[], low_start[], low_end[];
extern void recover(TrapFrame *frame) __attribute__((noreturn));
extern void leave_user(void) __attribute__((noreturn));
extern void run_state(const UserState *state);
extern void other_task_entry(void), rescue_task_entry(void), call_gate_target(void);

void fault_clear(void)
{
    memset(&fault, 0, sizeof fault);
    fault.frame.vector = 999;
}

bool fault_was(u32 vector, u32 errorCode)
{
    return fault.count == 1 && fault.frame.vector == vector && fault.frame.errorCode == errorCode;
}

void check_fault(u32 vector, u32 errorCode, const char *name)
{
    bool good = fault_was(vector, errorCode);
    check(good, name);
    if (good)
        return;
    print("     got ");
    print_hex(fault.count);
    print(" traps, last vector ");
    print_hex(fault.frame.vector);
    print(" error code ");
    print_hex(fault.frame.errorCode);
    print(" EIP ");
    print_hex(fault.frame.eip);
    print(", wanted vector ");
    print_hex(vector);
    print(" error code ");
    print_hex(errorCode);
    print("\n");
}

void check_no_fault(const char *name)
{
    check(fault.count == 0, name);
    if (fault.count != 0) {
        print("     got vector ");
        print_hex(fault.frame.vector);
        print(" error code ");
        print_hex(fault.frame.errorCode);
        print("\n");
    }
}

void trap_dispatch(TrapFrame *frame)
{
    fault.count++;
    fault.frame = *frame;
    __asm__ volatile("mov %%cr2, %0" : "=r"(fault.cr2));
    __asm__ volatile("mov %%dr6, %0" : "=r"(fault.dr6));
    if (onTrap && onTrap(frame))
        return;
    if ((frame->cs & 3) == 3 || (frame->eflags & 0x20000))
        leave_user();
    if (recoverEip)
        recover(frame);
    print("PANIC: vector ");
    print_hex(frame->vector);
    print(" error code ");
    print_hex(frame->errorCode);
    print(" EIP ");
    print_hex(frame->eip);
    print(" CR2 ");
    print_hex(fault.cr2);
    print("\n");
    machine_exit(0x12);
}

void run(const UserState *state)
{
    fault_clear();
    run_state(state);
}

void run_user(void (*routine)(void), u32 argument)
{
    UserState state = {.eip = (u32)routine, .cs = USER_CODE, .eflags = 2, .esp = (u32)&userStack[4096], .ss = USER_DATA, .edi = argument};
    run(&state);
}

u64 segment(u32 base, u32 limit, u32 access)
{
    return (limit & 0xffff) | (u64)(base & 0xffffff) << 16 | (u64)(access & 0xf0ff) << 40 | (u64)(limit >> 16 & 15) << 48 | (u64)(base >> 24) << 56;
}

u64 gate(const void *handler, u32 selector, u32 access)
{
    return ((u32)handler & 0xffff) | selector << 16 | (u64)access << 40 | (u64)((u32)handler >> 16) << 48;
}

static void tables_start(void)
{
    gdt[KERNEL_CODE / 8] = segment(0, 0xfffff, 0xc09a);
    gdt[KERNEL_DATA / 8] = segment(0, 0xfffff, 0xc092);
    gdt[USER_CODE / 8] = segment(0, 0xfffff, 0xc0fa);
    gdt[USER_DATA / 8] = segment(0, 0xfffff, 0xc0f2);
    gdt[MAIN_TASK / 8] = segment((u32)&mainTask, sizeof mainTask - 1, 0x89);
    gdt[OTHER_TASK / 8] = segment((u32)&otherTask, sizeof otherTask - 1, 0x89);
    gdt[SMALL_DATA / 8] = segment((u32)smallArea, 15, 0x4092);
    gdt[EXPAND_DOWN / 8] = segment(0, 0xfff, 0x4096);
    gdt[READ_ONLY_DATA / 8] = segment(0, 0xfffff, 0xc090);
    gdt[EXECUTE_ONLY / 8] = segment(0, 0xfffff, 0xc098);
    gdt[CODE16 / 8] = segment(0, 0xffff, 0x9a);
    gdt[CALL_GATE / 8] = gate(call_gate_target, KERNEL_CODE, 0xec) | 2ull << 32;
    gdt[TASK_GATE / 8] = gate(0, OTHER_TASK, 0xe5);
    gdt[ABSENT_TASK / 8] = segment((u32)&otherTask, sizeof otherTask - 1, 0x09);
    gdt[SHORT_TASK / 8] = segment((u32)&otherTask, 0x66, 0x89);
    gdt[RESCUE_TASK / 8] = segment((u32)&rescueTask, sizeof rescueTask - 1, 0x89);
    gdt[LDT / 8] = segment((u32)ldt, sizeof ldt - 1, 0x82);
    gdt[DATA16 / 8] = segment(0, 0xffff, 0x92);
    gdt[ABSENT_DATA / 8] = segment(0, 0xfffff, 0xc012);
    gdt[TWO_PAGES / 8] = segment((u32)userArea - 4096, 1, 0xc092);
    gdt[USER_SMALL_STACK / 8] = segment((u32)userArea, 255, 0x40f2);
    gdt[SMALL_CODE / 8] = segment((u32)userArea, 0x1f, 0x409a);
    ldt[1] = segment((u32)smallArea + 16, 15, 0x4092);
    struct __attribute__((packed)) { u16 limit; void *base; } pointer = {sizeof gdt - 1, gdt};
    __asm__ volatile("lgdt %0\n\tljmp %1, $1f\n1:\tmov %2, %%ds\n\tmov %2, %%es\n\tmov %2, %%ss\n\tmov %2, %%fs\n\tmov %2, %%gs"
                     : : "m"(pointer), "i"(KERNEL_CODE), "r"(KERNEL_DATA) : "memory");

    mainTask.ss0 = KERNEL_DATA;
    mainTask.esp0 = (u32)&trapStack[sizeof trapStack];
    mainTask.ioMapBase = sizeof mainTask;
    otherTask.eip = (u32)other_task_entry;
    otherTask.eflags = 2;
    otherTask.esp = (u32)&otherStack[sizeof otherStack];
    otherTask.cs = KERNEL_CODE;
    otherTask.ss = otherTask.ds = otherTask.es = KERNEL_DATA;
    otherTask.ioMapBase = sizeof otherTask;
    rescueTask = otherTask;
    rescueTask.eip = (u32)rescue_task_entry;
    rescueTask.esp = (u32)&rescueStack[sizeof rescueStack];
    __asm__ volatile("ltr %w0" : : "r"(MAIN_TASK));

    for (int vector = 0; vector < 256; vector++)
        idt[vector] = gate(trap_stub_table + vector * 16, KERNEL_CODE, 0x8e);
    idt[VECTOR_EXIT] = gate(trap_stub_table + VECTOR_EXIT * 16, KERNEL_CODE, 0xee);
    idt[VECTOR_TASK] = gate(0, OTHER_TASK, 0xe5);
    pointer.limit = sizeof idt - 1;
    pointer.base = idt;
    __asm__ volatile("lidt %0" : : "m"(pointer));
    outb(0x21, 0xff);
    outb(0xa1, 0xff);
    memcpy((void *)0x8000, low_start, (u32)(low_end - low_start));
}

void kernel_main(void)
{
    outb(0x3fb, 0x03);
    outb(0x3fa, 0xc7);
    print("conformance32\n");
    tables_start();
    test_segments();
    test_gates();
    test_tasks();
    test_v86();
    test_real_mode();
    test_paging();
    test_pae();
    finish();
}
