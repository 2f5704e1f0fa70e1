// Exercises hardware task switches: CALL, JMP, INT, IRET; back links, NT, busy bits, CR0.TS, what they fault on, the T bit.
#include "machine.h"

extern u32 otherTaskRuns, otherTaskFlags, otherTaskCr0, otherTaskRegister;
extern u32 rescueRuns, rescueErrorCode;
extern void other_task_entry(void);

static bool is_busy(u32 selector) { return gdt[selector / 8] >> 41 & 1; }

void test_tasks(void)
{
    check(is_busy(MAIN_TASK), "tasks: LTR marks the TSS busy (SDM 3A 7.2.2)");
    TRY("lcall %0, $0", "i"(OTHER_TASK));
    check_no_fault("tasks: CALL of a TSS and IRET back");
    check_equal(otherTaskRuns, 1, "tasks: the other task ran");
    check_equal(otherTaskFlags & 0x4000, 0x4000, "tasks: CALL sets NT in the new task");
    check_equal(otherTask.link & 0xffff, MAIN_TASK, "tasks: and links back");
    check_equal(otherTaskCr0 & 8, 8, "tasks: CR0.TS is set");
    check_equal(otherTaskRegister & 0xffff, OTHER_TASK, "tasks: TR is the other task's");
    check(!is_busy(OTHER_TASK) && is_busy(MAIN_TASK), "tasks: IRET frees the one and keeps the other busy");
    check_equal(otherTask.eflags & 0x4000, 0, "tasks: IRET saves NT as zero");
    u32 register16;
    __asm__ volatile("str %0" : "=r"(register16));
    check_equal(register16 & 0xffff, MAIN_TASK, "tasks: TR is ours again");
    check_equal(read_cr0() & 8, 8, "tasks: the way back sets CR0.TS too");
    __asm__ volatile("clts");

    otherTask.eip = (u32)other_task_entry;
    run_user(user_task_gate, 0);
    check_fault(VECTOR_EXIT, 0, "tasks: CALL of a task gate from ring 3");
    check_equal(otherTaskRuns, 2, "tasks: it ran");
    check_equal(mainTask.cs, USER_CODE, "tasks: the state that was saved is ring 3's");
    __asm__ volatile("clts");
    otherTask.eip = (u32)other_task_entry;
    run_user(user_int_task, 0);
    check_fault(VECTOR_EXIT, 0, "tasks: INT through a task gate from ring 3");
    check_equal(otherTaskRuns, 3, "tasks: it ran");
    __asm__ volatile("clts");

    TRY("lcall %0, $0", "i"(MAIN_TASK));
    check_fault(GP, MAIN_TASK, "tasks: CALL of a busy TSS is #GP(selector)");
    TRY("lcall %0, $0", "i"(ABSENT_TASK));
    check_fault(NP, ABSENT_TASK, "tasks: CALL of an absent TSS is #NP(selector)");
    TRY("lcall %0, $0", "i"(SHORT_TASK));
    check_fault(TS, SHORT_TASK, "tasks: a TSS that is too short is #TS(selector)");

    // #TS has a task of its own here, for the stack that an ordinary handler would need is what is broken. It mends the stack's selector and
    // returns, and the INT begins again.
    u64 ordinaryGate = idt[TS];
    idt[TS] = gate(0, RESCUE_TASK, 0x85);
    mainTask.ss0 = USER_DATA;
    run_user(user_exit, 0x99);
    check_fault(VECTOR_EXIT, 0, "tasks: a fault's task gate, mended and returned from: INT begins again");
    check_equal(rescueRuns, 1, "tasks: a ring 0 stack with RPL 3 is #TS");
    check_equal(rescueErrorCode, USER_DATA & ~3, "tasks: with that selector as error code, on the handler task's stack");
    check_equal(rescueTask.link & 0xffff, MAIN_TASK, "tasks: the handler's task links back to ours");
    idt[TS] = ordinaryGate;

    otherTask.eip = (u32)other_task_entry;
    otherTask.trap = 1;
    TRY("lcall %0, $0", "i"(OTHER_TASK));
    check_fault(DB, 0, "tasks: the T bit traps when the task begins");
    check_equal(fault.dr6 & 0x8000, 0x8000, "tasks: DR6.BT");
    otherTask.trap = 0;
    gdt[MAIN_TASK / 8] &= ~(1ull << 41);
    gdt[OTHER_TASK / 8] &= ~(1ull << 41);
    __asm__ volatile("clts\n\tpushfl\n\tandl $~0x4000, (%%esp)\n\tpopfl\n\tltr %w0" : : "r"(MAIN_TASK) : "cc");
    u32 dr6 = 0xffff0ff0;
    __asm__ volatile("mov %0, %%dr6" : : "r"(dr6));
}
