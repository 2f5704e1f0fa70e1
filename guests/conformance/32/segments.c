// Exercises segmentation: limits, expand-down, access rights, null and absent selectors, the LDT, BOUND, INTO, ARPL.
#include "machine.h"

// FS, because the compiler's own string instructions use ES. A fault leaves FS flat.
#define TRY_FS(selector, code) TRY("movl %0, %%fs\n\t" code, "r"(selector))

static void test_limits(void)
{
    TRY_FS(SMALL_DATA, "movl %%fs:12, %%eax");
    check_no_fault("limits: the last doubleword within");
    TRY_FS(SMALL_DATA, "movl %%fs:13, %%eax");
    check_fault(GP, 0, "limits: a doubleword that crosses the limit is #GP(0) (SDM 3A 5.3)");
    TRY_FS(SMALL_DATA, "movb %%fs:16, %%al");
    check_fault(GP, 0, "limits: the first byte beyond is #GP(0)");
    TRY_FS(SMALL_DATA, "movb %%fs:0xffffffff, %%al");
    check_fault(GP, 0, "limits: the highest offset is #GP(0)");
    TRY_FS(EXPAND_DOWN, "movb %%fs:0x1000, %%al");
    check_no_fault("expand-down: the first byte above the limit");
    TRY_FS(EXPAND_DOWN, "movb %%fs:0xfff, %%al");
    check_fault(GP, 0, "expand-down: the limit itself is outside");
    TRY_FS(TWO_PAGES, "movb %%fs:0x1fff, %%al");
    check_no_fault("limits: page-granular, the last byte");
    TRY_FS(TWO_PAGES, "movb %%fs:0x2000, %%al");
    check_fault(GP, 0, "limits: page-granular, one beyond");

    smallArea[3] = 0;
    TRY("movl %0, %%es\n\tcld\n\tmovl $10, %%edi\n\tmovl $10, %%ecx\n\tmovb $1, %%al\n\trep stosb", "r"(SMALL_DATA));
    check(fault_was(GP, 0) && fault.frame.ecx == 4 && fault.frame.edi == 16, "limits: REP STOSB stops at the limit with exact registers");
    __asm__ volatile("movl %0, %%es" : : "r"(KERNEL_DATA));

    if (is_qemu_emulator()) {
        skip("limits: of code and stack segments", "QEMU does not check limits");
        return;
    }
    memset(userArea, 0x90, 0x20); // NOPs that run off their segment's end
    TRY("ljmp %0, $0", "i"(SMALL_CODE));
    check_fault(GP, 0, "limits: running off the end of code is #GP(0)");
    check_equal(fault.frame.eip, 0x20, "limits: at the first byte beyond");
    TRY("ljmp %0, $0x20", "i"(SMALL_CODE));
    check_fault(GP, 0, "limits: a far jump beyond the limit is #GP(0)");

    UserState state = {.eip = (u32)user_push_many, .cs = USER_CODE, .eflags = 2, .esp = 16, .ss = USER_SMALL_STACK};
    run(&state);
    check_fault(SS, 0, "limits: PUSH below a stack segment's start is #SS(0)");
    check_equal(fault.frame.esp, 0, "limits: ESP is as before the PUSH");
}

static void test_rights(void)
{
    TRY_FS(READ_ONLY_DATA, "movl %%fs:smallArea, %%eax");
    check_no_fault("rights: read of a read-only segment");
    TRY_FS(READ_ONLY_DATA, "movl %%eax, %%fs:smallArea");
    check_fault(GP, 0, "rights: write to a read-only segment is #GP(0)");
    TRY("movl %%eax, %%cs:smallArea", "r"(0));
    check_fault(GP, 0, "rights: write through CS is #GP(0)");
    TRY("movl %%cs:smallArea, %%eax", "r"(0));
    check_no_fault("rights: read through a readable CS");
    TRY("movl %0, %%fs", "r"(EXECUTE_ONLY));
    check_fault(GP, EXECUTE_ONLY, "rights: execute-only code does not go into FS");
    TRY("movl %0, %%fs\n\tmovl %%fs:0, %%eax", "r"(0));
    check_fault(GP, 0, "rights: access through a null FS is #GP(0)");
    TRY("movl %0, %%ss", "r"(0));
    check_fault(GP, 0, "rights: a null SS is #GP(0)");
    TRY("movl %0, %%fs", "r"(ABSENT_DATA));
    check_fault(NP, ABSENT_DATA, "rights: FS with an absent segment is #NP(selector)");
    TRY("movl %0, %%ss", "r"(ABSENT_DATA));
    check_fault(SS, ABSENT_DATA, "rights: SS with an absent segment is #SS(selector)");
    TRY("movl %0, %%cs", "r"(KERNEL_CODE));
    check_fault(UD, 0, "rights: MOV to CS is #UD");
    run_user(user_load_kernel_data, 0);
    check_fault(GP, KERNEL_DATA, "rights: ring 3 loads DS with a ring 0 segment: #GP(selector)");

    __asm__ volatile("lldt %w0" : : "r"(LDT));
    smallArea[16] = 0x77;
    TRY("movl %0, %%fs\n\tmovb %%fs:0, %%al\n\tmovb %%al, smallArea", "r"(0xc));
    check(fault.count == 0 && smallArea[0] == 0x77, "ldt: a selector with TI takes its segment");
    TRY("movl %0, %%fs", "r"(0x2c));
    check_fault(GP, 0x2c, "ldt: beyond its limit is #GP(selector)");
    __asm__ volatile("lldt %w0" : : "r"(0));
}

static void test_others(void)
{
    static const int bounds[2] = {3, 7};
    TRY("movl $7, %%eax\n\tboundl %%eax, %0", "m"(bounds));
    check_no_fault("bound: the upper bound is within");
    TRY("movl $8, %%eax\n\tboundl %%eax, %0", "m"(bounds));
    check_fault(BR, 0, "bound: beyond is #BR");
    TRY("movb $0x7f, %%al\n\taddb $1, %%al\n\tinto", "r"(0));
    check_fault(OF, 0, "into: with OF it is #OF");
    TRY("xorl %%eax, %%eax\n\tinto", "r"(0));
    check_no_fault("into: without OF it is nothing");
    TRY(".byte 0xd4, 0x00", "r"(0));
    check_fault(DE, 0, "aam: base 0 is #DE");
    u32 selector = 0x10;
    u8 zero;
    __asm__ volatile("arpl %w2, %w0\n\tsetz %1" : "+r"(selector), "=q"(zero) : "r"(3) : "cc");
    check(zero && (selector & 0xffff) == 0x13, "arpl: raises the RPL");
    // A 16-bit stack pointer wraps within 64 KiB: only SP changes.
    TRY("pushw $0\n\taddl $2, %%esp\n\t.byte 0x66\n\tpushl $1\n\taddl $2, %%esp", "r"(0));
    check_no_fault("stack: 16-bit pushes");
}

void test_segments(void)
{
    test_limits();
    test_rights();
    test_others();
}
