// Exercises virtual-8086 mode and real mode: segment arithmetic, IOPL-sensitive instructions, interrupts out of them, wrap-around.
#include "machine.h"

extern char low_start[], low_end[], real_results[], v86_code[], v86_hlt[], v86_int[], v86_cli[], v86_far[];

static u32 low(const char *label) { return 0x8000 + (u32)(label - low_start); }

static void run_v86(const char *label, u32 iopl)
{
    UserState state = {
        .eip = low(label), .cs = 0, .eflags = 0x20002 | iopl << 12, .esp = 0x6f00, .ss = 0, .es = 0x900, .ds = 0x123, .fs = 0x234, .gs = 0x345,
    };
    run(&state);
}

void test_v86(void)
{
    *(volatile u32 *)0x9010 = 0xcafebabe;
    run_v86(v86_code, 3);
    check_fault(VECTOR_EXIT, 0, "v86: INT with IOPL 3 goes through the IDT (SDM 3B 20.3)");
    check_equal(fault.frame.eax, 0xcafebabe, "v86: ES = 0x900 is base 0x9000");
    check(fault.frame.eflags & 0x20000, "v86: VM is in the saved flags");
    check(fault.frame.v86es == 0x900 && fault.frame.v86ds == 0x123 && fault.frame.v86fs == 0x234 && fault.frame.v86gs == 0x345,
        "v86: the data segments are on the ring 0 stack");
    check(fault.frame.fs == 0 && fault.frame.gs == 0 && fault.frame.ds == 0 && fault.frame.es == 0, "v86: and null in the handler");
    check(fault.frame.ss == 0 && fault.frame.esp == 0x6f00, "v86: SS and ESP are saved");
    run_v86(v86_int, 0);
    check_fault(GP, 0, "v86: INT with IOPL below 3 is #GP(0)");
    run_v86(v86_hlt, 3);
    check_fault(GP, 0, "v86: HLT is #GP(0)");
    run_v86(v86_cli, 0);
    check_fault(GP, 0, "v86: CLI with IOPL below 3 is #GP(0)");
    run_v86(v86_cli, 3);
    check(fault_was(VECTOR_EXIT, 0) && (fault.frame.eax & 0x3200) == 0x3000, "v86: CLI and PUSHF with IOPL 3");
    run_v86(v86_far, 3);
    check(fault_was(VECTOR_EXIT, 0) && (fault.frame.ecx & 0xffff) == 0x800 && fault.frame.cs == 0, "v86: a far call's selector is a paragraph");
}

void test_real_mode(void)
{
    real_mode_round_trip();
    u8 *results = (u8 *)low(real_results);
    check_equal(*(u16 *)results, 0x6006, "real mode: INT through the interrupt vector table");
    check_equal(*(u16 *)(results + 2), 0x7000, "real mode: IRET balances the stack");
    check_equal(*(u32 *)(results + 4), 0x12345678, "real mode: 0900:0010 is 9010");
    check_equal(*(u32 *)(results + 8), 1, "real mode: a word at offset FFFF is vector 13");
    check_equal(results[12], 0x5a, "real mode: effective addresses wrap at 64 KiB");
    check_equal(*(u32 *)(results + 16), *(volatile u32 *)0x100000, "real mode: FFFF:0010 is 100000 with A20 on");
    check_equal(*(u32 *)(results + 20) & 1, 0, "real mode: CR0.PE is clear");
    check_equal(*(u16 *)(results + 24) & 0x8002, 2, "real mode: FLAGS bit 15 is 0 and bit 1 is 1");
    check(read_cr0() & 1, "real mode: and protected mode again");
}
