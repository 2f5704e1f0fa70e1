// Exercises call gates with parameters, interrupt stack switches, far returns, SYSENTER and SYSEXIT in 32-bit mode.
#include "machine.h"

extern void sysenter_target(void);
extern u32 sysenter_esp, sysenter_cs;

void test_gates(void)
{
    run_user(user_exit, 0x1234);
    check_fault(VECTOR_EXIT, 0, "privilege: INT from ring 3");
    check(fault.frame.eax == 0x1234 && fault.frame.cs == USER_CODE && fault.frame.ss == USER_DATA, "privilege: registers and selectors are saved");
    check_equal(fault.frame.esp, (u32)&userStack[4096], "privilege: ESP is saved");
    run_user(user_call_gate, 0);
    check_fault(VECTOR_EXIT, 0, "call gate: from ring 3 to ring 0 and back (SDM 3A 5.8.5)");
    check(fault.frame.ecx == 0x2222 && fault.frame.eax == 0x1111, "call gate: the parameters are copied");
    check_equal(fault.frame.ebx, KERNEL_CODE, "call gate: the target ran in ring 0");
    check_equal(fault.frame.edx, (u32)&userStack[4096], "call gate: RET 8 releases both stacks' parameters");
    gdt[CALL_GATE / 8] &= ~(0x60ull << 40); // DPL 0
    run_user(user_call_gate, 0);
    check_fault(GP, CALL_GATE, "call gate: its DPL protects it");
    gdt[CALL_GATE / 8] = (gdt[CALL_GATE / 8] | 0x60ull << 40) & ~(0x80ull << 40);
    run_user(user_call_gate, 0);
    check_fault(NP, CALL_GATE, "call gate: absent is #NP(selector)");
    gdt[CALL_GATE / 8] |= 0x80ull << 40;
    run_user(user_cli, 0);
    check_fault(GP, 0, "privilege: CLI in ring 3 is #GP(0)");
    run_user(user_return, 0);
    check_fault(GP, KERNEL_DATA, "privilege: far return from ring 3 to a ring 0 selector is #GP(selector)");

    write_msr(0x174, KERNEL_CODE);
    write_msr(0x175, 0x7800);
    write_msr(0x176, (u32)sysenter_target);
    run_user(user_sysenter, 0);
    check_fault(VECTOR_EXIT, 0, "sysenter: there, and back by SYSEXIT");
    check(sysenter_esp == 0x7800 && sysenter_cs == KERNEL_CODE, "sysenter: CS and ESP from the MSRs");
    check(fault.frame.eax == USER_CODE && fault.frame.ss == USER_DATA, "sysexit: CS and SS are the next two descriptors, RPL 3");
    check_equal(fault.frame.esp, (u32)&userStack[2048], "sysexit: ESP is ECX");
    write_msr(0x174, 0);
    run_user(user_sysenter, 0);
    check_fault(GP, 0, "sysenter: with a null CS it is #GP(0)");
}
