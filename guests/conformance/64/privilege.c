// Exercises ring 3: what it may not do, stack switches through the TSS and IST, IRET, conforming and compatibility code, SWAPGS.
#include "machine.h"

extern u8 taskStateSegment[];
extern void enter_user(u64 rip, u64 argument, u64 cs, u64 rflags);

static void expect_user_gp(void (*routine)(void), u64 argument, const char *name)
{
    run_user(routine, argument);
    check_fault(GP, 0, name);
}

static void test_forbidden(void)
{
    expect_user_gp(user_cli, 0, "ring 3: CLI is #GP(0)");
    expect_user_gp(user_hlt, 0, "ring 3: HLT is #GP(0)");
    expect_user_gp(user_cr3, 0, "ring 3: MOV from CR3 is #GP(0)");
    expect_user_gp(user_wbinvd, 0, "ring 3: WBINVD is #GP(0)");
    expect_user_gp(user_rdmsr, 0, "ring 3: RDMSR is #GP(0)");
    expect_user_gp(user_lgdt, USER_STACK - 64, "ring 3: LGDT is #GP(0)");
    expect_user_gp(user_in, 0x3fd, "ring 3: IN without permission is #GP(0) (SDM 1 18.5)");
    u8 *bitmap = taskStateSegment + 104;
    bitmap[0x3fd / 8] &= ~(1 << (0x3fd & 7));
    run_user(user_in, 0x3fd);
    check_fault(VECTOR_EXIT, 0, "ring 3: IN of a port that the I/O bitmap allows");
    bitmap[0x3fd / 8] = 0xff;
    run_user(user_int_20, 0);
    check_fault(GP, 0x20 * 8 + 2, "ring 3: INT through a DPL 0 gate is #GP(vector * 8 + 2)");
    run_user(user_popf, 0x3202);
    check_fault(VECTOR_EXIT, 0, "ring 3: POPF is no fault");
    check_equal(fault.frame.rax & 0x3200, 0, "ring 3: POPF changes neither IF nor IOPL (SDM 2B POPF)");
    write_cr4(read_cr4() | 4);
    expect_user_gp(user_rdtsc, 0, "ring 3: RDTSC with CR4.TSD is #GP(0)");
    write_cr4(read_cr4() & ~4ull);
    run_user(user_rdtsc, 0);
    check_fault(VECTOR_EXIT, 0, "ring 3: RDTSC without CR4.TSD");
    if (has_feature(7, 2, 2)) {
        write_cr4(read_cr4() | 1 << 11);
        expect_user_gp(user_sgdt, 0, "ring 3: SGDT with CR4.UMIP is #GP(0)");
        write_cr4(read_cr4() & ~(1ull << 11));
    } else {
        skip("ring 3: SGDT with CR4.UMIP is #GP(0)", "no UMIP");
    }
    run_user(user_sgdt, 0);
    check(fault_was(VECTOR_EXIT, 0) && fault.frame.rax == (u64)gdt, "ring 3: SGDT without UMIP gives the base");
}

static void test_alignment(void)
{
    run_user(user_unaligned, 0);
    check_fault(VECTOR_EXIT, 0, "ring 3: RFLAGS.AC alone checks nothing");
    write_cr0(read_cr0() | 1 << 18);
    run_user(user_unaligned, 0);
    check_fault(AC, 0, "ring 3: an unaligned read with CR0.AM and RFLAGS.AC is #AC(0)");
    write_cr0(read_cr0() & ~(1ull << 18));
}

static void test_stacks(void)
{
    run_user(user_exit, 0x1234);
    check_fault(VECTOR_EXIT, 0, "privilege: INT from ring 3 arrives");
    check_equal(fault.frame.rax, 0x1234, "privilege: with its registers");
    check_equal(fault.frame.cs, USER_CODE, "privilege: saved CS has RPL 3");
    check_equal(fault.frame.ss, USER_DATA, "privilege: saved SS has RPL 3");
    check_equal(fault.frame.rsp, USER_STACK - 8, "privilege: saved RSP is the user's");
    gate_set(VECTOR_EXIT, stub_of(VECTOR_EXIT), 0xee, 1);
    run_user(user_cpl, 0);
    check(fault_was(VECTOR_EXIT, 0) && (fault.frame.rax & 3) == 3, "privilege: INT from ring 3 through an IST gate");
    gate_set(VECTOR_EXIT, stub_of(VECTOR_EXIT), 0xee, 0);

    TRY("pushq %0\n\tpushq %%rsp\n\tpushfq\n\tpushq %1\n\tpushq $9f\n\tiretq", "r"((u64)KERNEL_DATA), "r"((u64)KERNEL_DATA));
    check_fault(GP, KERNEL_DATA, "privilege: IRETQ to a data segment is #GP(selector)");
    TRY("pushq %0\n\tpushq $0x5000\n\tpushfq\n\tpushq %1\n\tpushq %2\n\tiretq",
        "r"((u64)KERNEL_DATA), "r"((u64)USER_CODE), "r"(0x400000ull));
    check_fault(GP, KERNEL_DATA, "privilege: IRETQ to ring 3 with a ring 0 SS is #GP(SS)");
    TRY("movq %%rsp, %%rcx\n\tpushq $0\n\tpushq %%rcx\n\tpushfq\n\tpushq %0\n\tpushq $9f\n\tiretq", "r"((u64)KERNEL_CODE));
    check_no_fault("privilege: IRETQ within ring 0 takes a null SS");
    __asm__ volatile("movl %0, %%ss" : : "r"(KERNEL_DATA));
    TRY("pushq %0\n\tpushq $9f\n\tlretq", "r"((u64)CONFORMING_CODE));
    check_no_fault("privilege: far return to conforming code");
    TRY("pushq %0\n\tpushq $9f\n\tlretq", "r"((u64)KERNEL_CODE));
    check_no_fault("privilege: and back");
}

static void test_compatibility_mode(void)
{
    // A 32-bit code segment needs addresses below 4 GiB: the routine's page is mapped there for a moment.
    u64 low = 0x50000000, offset = (u64)user_compatibility - (u64)user_text_start;
    u64 page = ((u64)user_text_start + offset) & ~0xfffull;
    pml4[0] |= PTE_U;
    u64 *pdpt = (u64 *)(pml4[0] & ~0xfffull);
    pdpt[1] = page_allocate() | PTE_P | PTE_W | PTE_U;
    page_set(low, page, PTE_P | PTE_U);
    fault_clear();
    enter_user(low + ((u64)user_compatibility & 0xfff), 0, USER_CODE32, 2);
    check_fault(VECTOR_EXIT, 0, "compatibility mode: 32-bit code runs in ring 3 and INT leads to 64-bit code");
    check_equal(fault.frame.rax, 4, "compatibility mode: byte 48 is DEC EAX, not REX.W");
    check_equal(fault.frame.cs, USER_CODE32, "compatibility mode: saved CS is the 32-bit segment");
    pdpt[1] = 0;
    pml4[0] &= ~PTE_U;
    write_cr3(read_cr3());
}

static void test_swapgs(void)
{
    write_msr(0xc0000101, 0x1111000);
    write_msr(0xc0000102, 0x2222000);
    __asm__ volatile("swapgs" : : : "memory");
    check_equal(read_msr(0xc0000101), 0x2222000, "swapgs: GS base is the other");
    check_equal(read_msr(0xc0000102), 0x1111000, "swapgs: and the other is GS base");
    write_msr(0xc0000101, 0);
    if (!has_feature(7, 1, 0)) {
        skip("fsgsbase: WRFSBASE and RDFSBASE", "no FSGSBASE");
        return;
    }
    TRY("rdfsbase %%rax", "r"(0));
    check_fault(UD, 0, "fsgsbase: RDFSBASE without CR4.FSGSBASE is #UD");
    write_cr4(read_cr4() | 1 << 16);
    u64 value;
    __asm__ volatile("wrfsbase %1\n\trdfsbase %0" : "=r"(value) : "r"(0x7777000ull));
    check(value == 0x7777000 && read_msr(0xc0000100) == value, "fsgsbase: WRFSBASE, RDFSBASE and the MSR agree");
    write_cr4(read_cr4() & ~(1ull << 16));
    write_msr(0xc0000100, 0);
}

static void test_inspection(void)
{
    u64 rights = 0, limit = 0;
    u8 zero;
    __asm__ volatile("larq %2, %0\n\tsetz %1" : "+r"(rights), "=q"(zero) : "r"((u64)KERNEL_CODE));
    check(zero && (rights & 0xfe00) == 0x9a00, "inspection: LAR of code gives its rights");
    __asm__ volatile("lslq %2, %0\n\tsetz %1" : "+r"(limit), "=q"(zero) : "r"((u64)KERNEL_DATA));
    check(zero && (u32)limit == 0xffffffff, "inspection: LSL of data gives its limit in bytes");
    __asm__ volatile("verw %w1\n\tsetz %0" : "=q"(zero) : "r"(READ_ONLY_DATA));
    check(!zero, "inspection: VERW of a read-only segment clears ZF");
    __asm__ volatile("verr %w1\n\tsetz %0" : "=q"(zero) : "r"(READ_ONLY_DATA));
    check(zero, "inspection: VERR of it sets ZF");
    __asm__ volatile("larq %2, %0\n\tsetz %1" : "+r"(rights), "=q"(zero) : "r"(0x1000ull));
    check(!zero, "inspection: LAR beyond the GDT clears ZF and does not fault");
    u64 selector;
    __asm__ volatile("str %0" : "=r"(selector));
    check_equal(selector & 0xffff, TSS_SELECTOR, "inspection: STR gives the task register");
    __asm__ volatile("sldt %0" : "=r"(selector));
    check_equal(selector & 0xffff, 0, "inspection: SLDT gives a null LDT");
}

void test_privilege(void)
{
    test_forbidden();
    test_alignment();
    test_stacks();
    test_compatibility_mode();
    test_swapgs();
    test_inspection();
}
