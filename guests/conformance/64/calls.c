// Exercises SYSCALL and SYSRET, SYSENTER and SYSEXIT: targets, saved registers, selectors and flags.
#include "machine.h"

#define EFER 0xc0000080
#define STAR 0xc0000081
#define LSTAR 0xc0000082
#define FMASK 0xc0000084
#define SYSENTER_CS 0x174
#define SYSENTER_ESP 0x175
#define SYSENTER_EIP 0x176

typedef struct Arrival {
    u64 count, rcx, r11, rsp, cs, ss, rflags;
} Arrival;

Arrival arrival;
u8 entryStack[1024] __attribute__((aligned(16)));
u64 userRsp;

// Both entries note what they see; SYSCALL's goes back by SYSRET, SYSENTER's by SYSEXIT with RCX = RSP and RDX = RIP.
__asm__(".globl syscall_target, sysenter_target\n"
        "syscall_target:\n\t"
        "incq arrival\n\t"
        "movq %rcx, arrival + 8\n\t"
        "movq %r11, arrival + 16\n\t"
        "movq %rsp, arrival + 24\n\t"
        "movq %rsp, userRsp\n\t"
        "movl $entryStack + 1024, %esp\n\t"
        "movl %cs, %eax\n\tmovq %rax, arrival + 32\n\t"
        "movl %ss, %eax\n\tmovq %rax, arrival + 40\n\t"
        "pushfq\n\tpopq arrival + 48\n\t"
        "movl $0x5678, %eax\n\t"
        "movq userRsp, %rsp\n\t"
        "sysretq\n"
        "sysenter_target:\n\t"
        "incq arrival\n\t"
        "movq %rsp, arrival + 24\n\t"
        "movl %cs, %eax\n\tmovq %rax, arrival + 32\n\t"
        "movl %ss, %eax\n\tmovq %rax, arrival + 40\n\t"
        "pushfq\n\tpopq arrival + 48\n\t"
        "movq userRsp, %rcx\n\t"
        "movq %rdi, %rdx\n\t"
        "rex.W sysexit\n\t");
extern char syscall_target[], sysenter_target[];

static void test_syscall(void)
{
    write_msr(STAR, 0x1bull << 48 | (u64)KERNEL_CODE << 32);
    write_msr(LSTAR, (u64)syscall_target);
    write_msr(FMASK, 0x4d5);
    arrival = (Arrival){0};
    run_user(user_syscall, 0);
    check_fault(VECTOR_EXIT, 0, "syscall: there and back (SDM 2B SYSCALL)");
    check_equal(arrival.count, 1, "syscall: LSTAR was reached");
    check_equal(fault.frame.rax, 0x5678, "syscall: with the kernel's RAX");
    check_equal(arrival.cs, KERNEL_CODE, "syscall: CS from STAR[47:32]");
    check_equal(arrival.ss, KERNEL_DATA, "syscall: SS is CS + 8");
    check_equal(arrival.rflags & 0x4d5, 0, "syscall: FMASK clears flags");
    check_equal(arrival.r11 & 0x202, 2, "syscall: R11 is RFLAGS");
    check_equal(arrival.rsp, USER_STACK - 8, "syscall: RSP is untouched");
    // The INT 0x81 that follows is two bytes long, and its trap's RIP is after it.
    check_equal(fault.frame.rip, arrival.rcx + 2, "syscall: RCX is the next instruction");
    check_equal(fault.frame.cs, USER_CODE, "sysret: CS from STAR[63:48] + 16, RPL 3");
    check_equal(fault.frame.ss, USER_DATA, "sysret: SS from STAR[63:48] + 8, RPL 3");

    write_msr(EFER, read_msr(EFER) & ~1ull);
    run_user(user_syscall, 0);
    check_fault(UD, 0, "syscall: without EFER.SCE it is #UD");
    write_msr(EFER, read_msr(EFER) | 1);
    run_user(user_rdtsc, 0);
    check_fault(VECTOR_EXIT, 0, "syscall: ring 3 is well afterwards");
}

static void test_sysenter(void)
{
    if (!is_intel()) {
        // AMD 64-Bit Technology, volume 3: SYSENTER and SYSEXIT are invalid in long mode.
        run_user(user_sysenter, 0);
        check_fault(UD, 0, "sysenter: in long mode it is #UD on AMD");
        return;
    }
    write_msr(SYSENTER_CS, 0);
    run_user(user_sysenter, 0);
    check_fault(GP, 0, "sysenter: with a null IA32_SYSENTER_CS it is #GP(0) (SDM 2B SYSENTER)");
    write_msr(SYSENTER_CS, KERNEL_CODE);
    write_msr(SYSENTER_ESP, (u64)&entryStack[512]);
    write_msr(SYSENTER_EIP, (u64)sysenter_target);
    check(read_msr(SYSENTER_EIP) == (u64)sysenter_target && read_msr(SYSENTER_CS) == KERNEL_CODE, "sysenter: its MSRs read back");
    arrival = (Arrival){0};
    userRsp = USER_STACK - 64;
    run_user(user_sysenter, user_address((void *)user_cpl));
    check_equal(arrival.count, 1, "sysenter: the target was reached");
    check_equal(arrival.rsp, (u64)&entryStack[512], "sysenter: RSP from its MSR");
    check_equal(arrival.cs, KERNEL_CODE, "sysenter: CS from its MSR");
    check_equal(arrival.ss, KERNEL_DATA, "sysenter: SS is CS + 8");
    check_equal(arrival.rflags & 0x200, 0, "sysenter: interrupts are off");
    // SYSEXIT to 64-bit code takes SYSENTER_CS + 32 and + 40, here 0x2b and 0x33; the latter must not be used before it is loaded.
    check_fault(VECTOR_EXIT, 0, "sysexit: back in ring 3");
    check_equal(fault.frame.rax, (KERNEL_CODE + 32) | 3, "sysexit: CS is SYSENTER_CS + 32, RPL 3");
    check_equal(fault.frame.ss, (KERNEL_CODE + 40) | 3, "sysexit: SS is SYSENTER_CS + 40, RPL 3");
    check_equal(fault.frame.rsp, USER_STACK - 64, "sysexit: RSP from RCX");
    write_msr(SYSENTER_CS, 0);
}

void test_system_calls(void)
{
    test_syscall();
    test_sysenter();
}
