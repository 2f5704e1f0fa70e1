// Exercises exceptions in ring 0: vectors, error codes, saved RIP; #DE #UD #BP #GP #SS #NP #NM #DF; reserved bits and bad MSRs.
#include "machine.h"

extern char fault_here[];

static void test_simple(void)
{
    static u64 target;
    TRY("xorl %%eax, %%eax\n\txorl %%edx, %%edx\n\t.global fault_here\nfault_here:\n\tdivl %%eax", "r"(0));
    check_fault(DE, 0, "faults: divide by zero is #DE (SDM 3A 6.15)");
    check_equal(fault.frame.rip, (u64)fault_here, "faults: a fault's RIP is the instruction's own (SDM 3A 6.5)");
    TRY("movl $0x80000000, %%eax\n\tcltd\n\tmovl $-1, %%ecx\n\tidivl %%ecx", "r"(0));
    check_fault(DE, 0, "faults: IDIV overflow is #DE");
    TRY("ud2", "r"(0));
    check_fault(UD, 0, "faults: UD2 is #UD");
    TRY("int3", "r"(0));
    check_fault(BP, 0, "faults: INT3 is #BP");
    TRY(".byte 0xce", "r"(0));
    check_fault(UD, 0, "faults: INTO in 64-bit mode is #UD");
    TRY("movq %0, %%rax\n\t.byte 0xf0, 0x89, 0x00", "r"(&target));
    check_fault(UD, 0, "faults: LOCK MOV is #UD (SDM 2A LOCK)");
    TRY(".byte 0xf0, 0x01, 0xc0", "r"(0));
    check_fault(UD, 0, "faults: LOCK ADD with a register destination is #UD");
    TRY("nop; nop; nop; nop", "r"(0));
    check_no_fault("faults: none without a reason");
}

static void test_canonical(void)
{
    TRY("movq (%0), %%rax", "r"(0x800000000000ull));
    check_fault(GP, 0, "faults: read at a non-canonical address is #GP(0)");
    TRY("movq (%0), %%rcx", "r"(0x7fffffffffffull - 3));
    check(fault.count == 1 && (fault.frame.vector == GP || fault.frame.vector == PF), "faults: read across the canonical boundary faults");
    TRY("movq %0, %%rbp\n\tmovq (%%rbp), %%rax", "r"(0x900000000000ull));
    check_fault(SS, 0, "faults: read through RBP at a non-canonical address is #SS(0)");
    // The handler needs a stack, so RSP itself only goes bad while an IST stack takes the trap.
    gate_set(SS, stub_of(SS), 0x8e, 1);
    gate_set(GP, stub_of(GP), 0x8e, 1);
    TRY("movq %0, %%rsp\n\tpushq %%rax", "r"(0x900000000000ull));
    check_fault(SS, 0, "faults: PUSH at a non-canonical address is #SS(0)");
    gate_set(SS, stub_of(SS), 0x8e, 0);
    gate_set(GP, stub_of(GP), 0x8e, 0);
    TRY("jmp *%0", "r"(0x900000000000ull));
    check_fault(GP, 0, "faults: JMP to a non-canonical address is #GP(0)");
}

static void test_selectors(void)
{
    TRY("movl %k0, %%ds", "r"(0x1003));
    check_fault(GP, 0x1000, "faults: a selector beyond the GDT is #GP(selector, RPL cleared) (SDM 3A 6.13)");
    __asm__ volatile("lldt %w0" : : "r"(0));
    TRY("movl %k0, %%ds", "r"(0x104));
    check_fault(GP, 0x104, "faults: a selector in a null LDT is #GP(selector with TI)");
    TRY("movl %k0, %%ds", "r"(ABSENT_DATA));
    check_fault(NP, ABSENT_DATA, "faults: DS with a segment that is not present is #NP(selector)");
    TRY("movl %k0, %%ss", "r"(ABSENT_DATA));
    check_fault(SS, ABSENT_DATA, "faults: SS with a segment that is not present is #SS(selector)");
    TRY("movl %k0, %%ss", "r"(READ_ONLY_DATA));
    check_fault(GP, READ_ONLY_DATA, "faults: SS with a read-only segment is #GP(selector)");
    TRY("movl %k0, %%ss", "r"(USER_DATA));
    check_fault(GP, USER_DATA & ~3, "faults: SS with RPL 3 in ring 0 is #GP(selector)");
    TRY("movl %k0, %%ds\n\tmovl %k1, %%ds", "r"(0), "r"(KERNEL_DATA));
    check_no_fault("faults: a null DS is no fault");
    TRY("pushq %0\n\tpushq $9f\n\tlretq", "r"((u64)KERNEL_DATA));
    check_fault(GP, KERNEL_DATA, "faults: far return to a data segment is #GP(selector)");
    TRY("pushq $0\n\tpushq $9f\n\tlretq", "r"(0));
    check_fault(GP, 0, "faults: far return to a null CS is #GP(0)");
    TRY("ltr %w0", "r"(TSS_SELECTOR));
    check_fault(GP, TSS_SELECTOR, "faults: LTR of a busy TSS is #GP(selector)");
    TRY("lldt %w0", "r"(KERNEL_DATA));
    check_fault(GP, KERNEL_DATA, "faults: LLDT of a data segment is #GP(selector)");
    check_equal(gdt[2] >> 40 & 1, 1, "faults: the accessed bit of a loaded segment's descriptor is set");
}

static void test_gates(void)
{
    u64 saved = idt[0x70][0];
    idt[0x70][0] &= ~(1ull << 47);
    TRY("int $0x70", "r"(0));
    check_fault(NP, 0x70 * 8 + 2, "faults: INT through a gate that is not present is #NP(vector * 8 + 2) (SDM 3A 6.13)");
    idt[0x70][0] = saved & ~(0xfull << 40); // no gate type at all
    TRY("int $0x70", "r"(0));
    check_fault(GP, 0x70 * 8 + 2, "faults: INT through something that is no gate is #GP(vector * 8 + 2)");
    idt[0x70][0] = (saved & ~0xffff0000ull) | KERNEL_DATA << 16;
    TRY("int $0x70", "r"(0));
    check_fault(GP, KERNEL_DATA, "faults: a gate to a data segment is #GP(selector)");
    idt[0x70][0] = saved;

    struct __attribute__((packed)) { u16 limit; u64 base; } small = {0x70 * 16 - 1, (u64)idt}, whole = {sizeof idt - 1, (u64)idt};
    __asm__ volatile("lidt %0" : : "m"(small));
    TRY("int $0x70", "r"(0));
    check_fault(GP, 0x70 * 8 + 2, "faults: INT beyond the IDT's limit is #GP(vector * 8 + 2)");
    __asm__ volatile("lidt %0" : : "m"(whole));

    saved = idt[GP][0];
    idt[GP][0] &= ~(1ull << 47);
    gate_set(DF, stub_of(DF), 0x8e, 1);
    TRY("movl %k0, %%ds", "r"(0x1000));
    check_fault(DF, 0, "faults: a contributory fault while delivering another is #DF(0) (SDM 3A table 6-5)");
    idt[GP][0] = saved;
}

static void test_control_registers(void)
{
    // QEMU's emulator checks none of these and is lost after the first; the SDM (3A 2.5) is the reference for them alone.
    if (is_qemu_emulator()) {
        skip("control: reserved bits and combinations of CR0 and CR4", "QEMU does not check them");
    } else {
        TRY("movq %0, %%cr0", "r"(read_cr0() & ~1ull));
        check_fault(GP, 0, "control: CR0.PG without PE is #GP(0) (SDM 3A 2.5)");
        TRY("movq %0, %%cr0", "r"((read_cr0() | 0x20000000) & ~0x40000000ull));
        check_fault(GP, 0, "control: CR0.NW without CD is #GP(0)");
        TRY("movq %0, %%cr0", "r"(read_cr0() | 1ull << 32));
        check_fault(GP, 0, "control: the upper half of CR0 is reserved");
        TRY("movq %0, %%cr4", "r"(read_cr4() & ~0x20ull));
        check_fault(GP, 0, "control: CR4.PAE cannot go in long mode");
        TRY("movq %0, %%cr4", "r"(read_cr4() | 1ull << 31));
        check_fault(GP, 0, "control: reserved bits of CR4 are #GP(0)");
    }
    TRY("movq %0, %%cr8", "r"(16ull));
    check_fault(GP, 0, "control: CR8 above 15 is #GP(0)");
    __asm__ volatile("movq %0, %%cr8" : : "r"(5ull));
    u64 value;
    __asm__ volatile("movq %%cr8, %0" : "=r"(value));
    check_equal(value, 5, "control: CR8 keeps a priority");
    check_equal(*(volatile u32 *)0xfee00080ul, 0x50, "control: CR8 is bits 7:4 of the local APIC's TPR (SDM 3A 10.8.6)");
    __asm__ volatile("movq %0, %%cr8" : : "r"(0ull));
    TRY(".byte 0x0f, 0x20, 0xc8", "r"(0)); // MOV RAX, CR1
    check_fault(UD, 0, "control: CR1 is #UD");

    write_cr0(read_cr0() | 8);
    TRY("fninit", "r"(0));
    check_fault(NM, 0, "control: x87 with CR0.TS is #NM");
    TRY("xorps %%xmm0, %%xmm0", "r"(0));
    check_fault(NM, 0, "control: SSE with CR0.TS is #NM");
    __asm__ volatile("clts");
    TRY("fninit\n\txorps %%xmm0, %%xmm0", "r"(0));
    check_no_fault("control: CLTS ends it");
    write_cr0(read_cr0() | 4);
    TRY("xorps %%xmm0, %%xmm0", "r"(0));
    check_fault(UD, 0, "control: SSE with CR0.EM is #UD");
    write_cr0(read_cr0() & ~4ull);
    __asm__ volatile("smsw %0" : "=r"(value));
    check_equal(value & 0xffff, read_cr0() & 0xffff, "control: SMSW reads CR0");
}

static void test_msrs(void)
{
    TRY("movl $0xdeadbeef, %%ecx\n\trdmsr", "r"(0));
    check_fault(GP, 0, "msr: RDMSR of one that does not exist is #GP(0)");
    TRY("movl $0xdeadbeef, %%ecx\n\txorl %%eax, %%eax\n\txorl %%edx, %%edx\n\twrmsr", "r"(0));
    check_fault(GP, 0, "msr: WRMSR of one that does not exist is #GP(0)");
    TRY("movl $0xc0000082, %%ecx\n\txorl %%eax, %%eax\n\tmovl $0x00800000, %%edx\n\twrmsr", "r"(0));
    check_fault(GP, 0, "msr: a non-canonical LSTAR is #GP(0)");
    TRY("movl $0xc0000100, %%ecx\n\txorl %%eax, %%eax\n\tmovl $0x00800000, %%edx\n\twrmsr", "r"(0));
    check_fault(GP, 0, "msr: a non-canonical FS base is #GP(0)");
    u64 efer = read_msr(0xc0000080);
    check_equal(efer & 0xd01, 0xd01, "msr: EFER has SCE, LME, LMA and NXE");
    TRY("movl $0xc0000080, %%ecx\n\trdmsr\n\tandl $~0x100, %%eax\n\twrmsr", "r"(0));
    check_fault(GP, 0, "msr: EFER.LME cannot change while paging is on");
    write_msr(0xc0000100, 0x123456789a00);
    check_equal(read_msr(0xc0000100), 0x123456789a00, "msr: FS base reads back");
    write_msr(0xc0000100, (u64)&fault);
    u64 value;
    __asm__ volatile("movq %%fs:0, %0" : "=r"(value));
    check_equal((u32)value, fault.count, "msr: FS base is added to addresses");
    write_msr(0xc0000100, 0);
}

void test_faults(void)
{
    test_simple();
    test_canonical();
    test_selectors();
    test_gates();
    test_control_registers();
    test_msrs();
}
