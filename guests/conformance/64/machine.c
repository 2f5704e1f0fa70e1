// Exercises the descriptor tables and the page tables that the checks stand on; records every trap.
#include "machine.h"

Fault fault;
u64 recoverRip, recoverRsp, recoverRbp;
bool (*onTrap)(TrapFrame *frame);
u64 idt[256][2] __attribute__((aligned(16)));
u64 gdt[16] __attribute__((aligned(16)));
u8 taskStateSegment[104 + 8192 + 1] __attribute__((aligned(16)));
static u8 trapStack[16384] __attribute__((aligned(16)));
static u8 pages[64][4096] __attribute__((aligned(4096)));
static int pagesUsed;
extern void enter_user(u64 rip, u64 argument, u64 cs, u64 rflags);
extern void leave_user(void) __attribute__((noreturn));

void fault_clear(void) { fault = (Fault){.frame.vector = 999}; }

bool fault_was(u64 vector, u64 errorCode)
{
    return fault.count == 1 && fault.frame.vector == vector && fault.frame.errorCode == errorCode;
}

void check_fault(u64 vector, u64 errorCode, const char *name)
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
    print(" CR2 ");
    print_hex(fault.cr2);
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
    if ((frame->cs & 3) == 3)
        leave_user();
    if (recoverRip) {
        frame->rip = recoverRip;
        frame->rsp = recoverRsp;
        frame->rbp = recoverRbp;
        frame->rflags &= ~0x40100ul; // TF, AC
        frame->cs = KERNEL_CODE;
        frame->ss = KERNEL_DATA;
        recoverRip = 0;
        return;
    }
    print("PANIC: vector ");
    print_hex(frame->vector);
    print(" error code ");
    print_hex(frame->errorCode);
    print(" RIP ");
    print_hex(frame->rip);
    print(" CR2 ");
    print_hex(fault.cr2);
    print("\n");
    machine_exit(0x12);
}

void *stub_of(int vector) { return trap_stub_table + vector * 16; }

void gate_set(int vector, void *handler, u32 type, u32 ist)
{
    u64 offset = (u64)handler;
    idt[vector][0] = (offset & 0xffff) | KERNEL_CODE << 16 | (u64)ist << 32 | (u64)type << 40 | (offset >> 16 & 0xffff) << 48;
    idt[vector][1] = offset >> 32;
}

u64 page_allocate(void)
{
    if (pagesUsed == 64) {
        print("PANIC: out of pages\n");
        machine_exit(0x12);
    }
    return (u64)memset(pages[pagesUsed++], 0, 4096);
}

u64 *page_entry(u64 linear)
{
    u64 *table = pml4;
    for (int shift = 39; shift > 12; shift -= 9) {
        u64 *entry = &table[linear >> shift & 511];
        if (!(*entry & PTE_P))
            *entry = page_allocate() | PTE_P | PTE_W | PTE_U;
        table = (u64 *)(*entry & 0x000ffffffffff000ull);
    }
    return &table[linear >> 12 & 511];
}

void page_set(u64 linear, u64 physical, u64 flags)
{
    *page_entry(linear) = physical | flags;
    invlpg(linear);
}

u64 user_address(const void *inUserText) { return USER_TEXT + (u64)((const char *)inUserText - user_text_start); }

void run_user(void (*routine)(void), u64 argument)
{
    fault_clear();
    enter_user(user_address((void *)routine), argument, USER_CODE, 2);
}

bool has_feature(u32 leaf, int registerIndex, int bit)
{
    u32 r[4];
    cpuid(leaf & 0x80000000, 0, r);
    if (r[0] < leaf)
        return false;
    cpuid(leaf, 0, r);
    return r[registerIndex] >> bit & 1;
}

bool is_intel(void)
{
    u32 r[4];
    cpuid(0, 0, r);
    return r[1] == 0x756e6547;
}

static void tables_start(void)
{
    u64 base = (u64)taskStateSegment, limit = sizeof taskStateSegment - 1;
    gdt[1] = 0x00af9a000000ffff;
    gdt[2] = 0x00cf92000000ffff;
    gdt[3] = 0x00cffa000000ffff;
    gdt[4] = 0x00cff2000000ffff;
    gdt[5] = 0x00affa000000ffff;
    gdt[6] = (limit & 0xffff) | (base & 0xffffff) << 16 | 0x89ull << 40 | (base >> 24 & 0xff) << 56;
    gdt[7] = base >> 32;
    gdt[8] = 0x00cf12000000ffff;  // 0x40: data, not present
    gdt[9] = 0x00cf9a000000ffff;  // 0x48: 32-bit code
    gdt[10] = 0x00cf90000000ffff; // 0x50: data, read-only
    gdt[11] = 0x00af9e000000ffff; // 0x58: conforming code
    struct __attribute__((packed)) { u16 limit; u64 base; } pointer = {12 * 8 - 1, (u64)gdt};
    __asm__ volatile("lgdt %0\n\tpushq %1\n\tpushq $1f\n\tlretq\n1:\tmov %2, %%ds\n\tmov %2, %%es\n\tmov %2, %%ss"
                     : : "m"(pointer), "i"(KERNEL_CODE), "r"(KERNEL_DATA) : "memory");

    *(u64 *)(taskStateSegment + 4) = (u64)&trapStack[8192];   // RSP0
    *(u64 *)(taskStateSegment + 36) = (u64)&trapStack[16384]; // IST1
    *(u16 *)(taskStateSegment + 102) = 104;
    memset(taskStateSegment + 104, 0xff, 8193); // no port is allowed
    __asm__ volatile("ltr %w0" : : "r"(TSS_SELECTOR));

    for (int vector = 0; vector < 256; vector++)
        gate_set(vector, stub_of(vector), 0x8e, 0);
    gate_set(BP, stub_of(BP), 0xee, 0);
    gate_set(VECTOR_EXIT, stub_of(VECTOR_EXIT), 0xee, 0);
    pointer.limit = sizeof idt - 1;
    pointer.base = (u64)idt;
    __asm__ volatile("lidt %0" : : "m"(pointer));
    outb(0x21, 0xff); // the 8259s stay out of this
    outb(0xa1, 0xff);
}

void kernel_main(void)
{
    outb(0x3fb, 0x03);
    outb(0x3fa, 0xc7);
    print("conformance64\n");
    tables_start();
    for (u64 offset = 0; offset < (u64)(user_text_end - user_text_start); offset += 4096)
        page_set(USER_TEXT + offset, (u64)user_text_start + offset, PTE_P | PTE_U);
    page_set(USER_STACK - 4096, page_allocate(), PTE_P | PTE_W | PTE_U | PTE_NX);

    test_faults();
    test_privilege();
    test_paging();
    test_system_calls();
    test_debug();
    test_strings();
    test_atomics();
    test_code();
    test_interrupts();
    test_identification();
    finish();
}
