// Exercises 4-level paging: page-fault error codes, accessed and dirty bits, WP, NX, SMEP, SMAP, global pages, INVLPG, PCID, INVPCID.
#include "machine.h"

#define AT (WINDOW + 0x300000)

static u64 frame, otherFrame;

static void expect_pf(u64 errorCode, u64 address, const char *name)
{
    check_fault(PF, errorCode, name);
    if (fault.frame.vector == PF && fault.cr2 != address)
        check_equal(fault.cr2, address, name);
}

static void read_at(u64 address) { TRY("movq (%0), %%rax", "r"(address)); }
static void write_at(u64 address) { TRY("movq $7, (%0)", "r"(address)); }
static void call_at(u64 address) { TRY("call *%0", "r"(address)); }

static void test_error_codes(void)
{
    page_set(AT, 0, 0);
    read_at(AT + 8);
    expect_pf(0, AT + 8, "paging: read of an absent page (SDM 3A 4.7)");
    write_at(AT + 16);
    expect_pf(2, AT + 16, "paging: write to an absent page");
    call_at(AT + 24);
    expect_pf(0x10, AT + 24, "paging: fetch from an absent page, with NXE");
    page_set(AT, frame, PTE_P);
    read_at(AT);
    check_no_fault("paging: read of a read-only page");
    write_at(AT + 8);
    expect_pf(3, AT + 8, "paging: write to a read-only page with CR0.WP");
    write_cr0(read_cr0() & ~0x10000ull);
    write_at(AT + 8);
    check_no_fault("paging: write to a read-only page without CR0.WP");
    write_cr0(read_cr0() | 0x10000);
    page_set(AT, frame, PTE_P | PTE_NX);
    call_at(AT);
    expect_pf(0x11, AT, "paging: fetch from a no-execute page");
    page_set(AT, frame, PTE_P | PTE_W | 1ull << 51);
    read_at(AT);
    expect_pf(9, AT, "paging: read with a reserved bit set");
    write_at(AT);
    expect_pf(0xb, AT, "paging: write with a reserved bit set");

    page_set(AT, frame, PTE_P | PTE_W);
    run_user(user_read, AT);
    expect_pf(5, AT, "paging: ring 3 reads a supervisor page");
    run_user(user_write, AT);
    expect_pf(7, AT, "paging: ring 3 writes a supervisor page");
    run_user(user_jump, AT);
    expect_pf(0x15, AT, "paging: ring 3 fetches from a supervisor page");
    page_set(AT, frame, PTE_P | PTE_U);
    run_user(user_write, AT);
    expect_pf(7, AT, "paging: ring 3 writes a read-only user page");
    page_set(AT, frame, PTE_U);
    run_user(user_read, AT);
    expect_pf(4, AT, "paging: ring 3 reads an absent page");
    run_user(user_write, AT);
    expect_pf(6, AT, "paging: ring 3 writes an absent page");
    run_user(user_jump, AT);
    expect_pf(0x14, AT, "paging: ring 3 fetches from an absent page");
    page_set(AT, frame, PTE_P | PTE_W | PTE_U | PTE_NX);
    run_user(user_read, AT);
    check_fault(VECTOR_EXIT, 0, "paging: ring 3 reads a user page");
    run_user(user_jump, AT);
    expect_pf(0x15, AT, "paging: ring 3 fetches from a no-execute user page");
}

static void test_upper_levels(void)
{
    u64 *pml4Entry = &pml4[WINDOW >> 39 & 511];
    page_set(AT, frame, PTE_P | PTE_W);
    *pml4Entry |= PTE_NX;
    write_cr3(read_cr3());
    call_at(AT);
    expect_pf(0x11, AT, "paging: no-execute in an upper level counts (SDM 3A 4.6)");
    *pml4Entry = (*pml4Entry & ~PTE_NX) & ~PTE_W;
    write_cr3(read_cr3());
    write_at(AT);
    expect_pf(3, AT, "paging: read-only in an upper level counts");
    *pml4Entry |= PTE_W;
    *pml4Entry |= PTE_PS;
    write_cr3(read_cr3());
    read_at(AT);
    expect_pf(9, AT, "paging: PS in a PML4 entry is reserved");
    *pml4Entry &= ~PTE_PS;
    write_cr3(read_cr3());
}

static void test_accessed_and_dirty(void)
{
    page_set(AT, frame, PTE_P | PTE_W);
    u64 *entry = page_entry(AT);
    check_equal(*entry & (PTE_A | PTE_D), 0, "accessed and dirty: clear before the first use");
    read_at(AT);
    check_equal(*entry & (PTE_A | PTE_D), PTE_A, "accessed and dirty: a read sets A (SDM 3A 4.8)");
    write_at(AT);
    check_equal(*entry & (PTE_A | PTE_D), PTE_A | PTE_D, "accessed and dirty: a write after a read sets D");
    page_set(AT, frame, PTE_P);
    write_at(AT);
    check_equal(*page_entry(AT) & PTE_D, 0, "accessed and dirty: a write that faults leaves D");
    u64 *pml4Entry = &pml4[WINDOW >> 39 & 511];
    *pml4Entry &= ~PTE_A;
    write_cr3(read_cr3());
    read_at(AT);
    check_equal(*pml4Entry & PTE_A, PTE_A, "accessed and dirty: A in the upper levels too");

    // A 2 MiB page.
    u64 large = WINDOW + 0x40000000 + 0x600000;
    page_entry(large - 0x200000); // makes the page directory
    u64 *directory = (u64 *)(((u64 *)(pml4[WINDOW >> 39 & 511] & ~0xfffull))[1] & ~0xfffull);
    u64 *largeEntry = &directory[3];
    *largeEntry = (frame & ~0x1fffffull) | PTE_P | PTE_W | PTE_PS;
    invlpg(large);
    read_at(large + 0x1234);
    check_equal(*largeEntry & (PTE_A | PTE_D), PTE_A, "2 MiB page: a read sets A");
    TRY("movq (%0), %%rax\n\tmovq %%rax, (%0)", "r"(large + (frame & 0x1fffff)));
    check_equal(*largeEntry & (PTE_A | PTE_D), PTE_A | PTE_D, "2 MiB page: a write sets D");
    *(volatile u64 *)frame = 0x2222;
    u64 value;
    __asm__ volatile("movq (%1), %0" : "=r"(value) : "r"(large + (frame & 0x1fffff)) : "memory");
    check_equal(value, 0x2222, "2 MiB page: the offset is 21 bits");
    *largeEntry |= 1 << 13;
    invlpg(large);
    read_at(large);
    expect_pf(9, large, "2 MiB page: bits 20:13 are reserved");
    *largeEntry = 0;
    invlpg(large);
}

static u64 value_at(u64 address)
{
    u64 value;
    __asm__ volatile("movq (%1), %0" : "=r"(value) : "r"(address) : "memory");
    return value;
}

static void test_invalidation(void)
{
    *(volatile u64 *)frame = 0x1111;
    *(volatile u64 *)otherFrame = 0x2222;
    page_set(AT, frame, PTE_P | PTE_W);
    check_equal(value_at(AT), 0x1111, "invalidation: the first mapping");
    *page_entry(AT) = otherFrame | PTE_P | PTE_W;
    invlpg(AT);
    check_equal(value_at(AT), 0x2222, "invalidation: INVLPG makes a new mapping seen");
    *page_entry(AT) = frame | PTE_P | PTE_W;
    write_cr3(read_cr3());
    check_equal(value_at(AT), 0x1111, "invalidation: MOV to CR3 makes a new mapping seen");
    page_set(AT, 0, 0);
    read_at(AT);
    *page_entry(AT) = frame | PTE_P | PTE_W;
    check_equal(value_at(AT), 0x1111, "invalidation: none is needed when a page becomes present (SDM 3A 4.10.4.3)");
    write_cr4(read_cr4() | 0x80);
    page_set(AT, frame, PTE_P | PTE_W | PTE_G);
    value_at(AT);
    *page_entry(AT) = otherFrame | PTE_P | PTE_W | PTE_G;
    write_cr4(read_cr4() & ~0x80ull);
    check_equal(value_at(AT), 0x2222, "global pages: a change of CR4.PGE flushes them");
    write_cr4(read_cr4() | 0x80);
    page_set(AT, frame, PTE_P | PTE_W | PTE_G);
    check_equal(value_at(AT), 0x1111, "global pages: INVLPG flushes one");
    write_cr4(read_cr4() & ~0x80ull);
    // A table's own mapping changes: the page directory entry is cut, then restored.
    page_set(AT, frame, PTE_P | PTE_W);
    value_at(AT);
    u64 *directory = (u64 *)(((u64 *)(pml4[WINDOW >> 39 & 511] & ~0xfffull))[0] & ~0xfffull);
    u64 saved = directory[AT >> 21 & 511];
    directory[AT >> 21 & 511] = 0;
    invlpg(AT);
    read_at(AT);
    expect_pf(0, AT, "invalidation: a directory entry that goes takes its pages along");
    directory[AT >> 21 & 511] = saved;
    check_equal(value_at(AT), 0x1111, "invalidation: and brings them back");
}

static void test_cross_page(void)
{
    page_set(AT, frame, PTE_P | PTE_W);
    page_set(AT + 0x1000, otherFrame, PTE_P | PTE_W);
    TRY("movq %0, (%1)", "r"(0x1122334455667788ull), "r"(AT + 0xffd));
    check_no_fault("cross-page: a store over two pages");
    check_equal(*(volatile u64 *)(frame + 0xff8) >> 40, 0x667788, "cross-page: its low bytes");
    check_equal(*(volatile u64 *)otherFrame & 0xffffffffff, 0x1122334455, "cross-page: its high bytes");
    page_set(AT + 0x1000, 0, 0);
    *(volatile u64 *)(frame + 0xff8) = 0xaaaaaaaaaaaaaaaaull;
    TRY("movq %0, (%1)", "r"(0x1122334455667788ull), "r"(AT + 0xffd));
    expect_pf(2, AT + 0x1000, "cross-page: CR2 is the second page");
    check_equal(*(volatile u64 *)(frame + 0xff8), 0xaaaaaaaaaaaaaaaaull, "cross-page: a store that faults writes nothing");
    TRY("movl $1, %%edx\n\tlock xaddq %%rdx, (%0)", "r"(AT + 0xffd));
    expect_pf(2, AT + 0x1000, "cross-page: a locked read-modify-write faults as a write");
    read_at(AT + 0xffd);
    expect_pf(0, AT + 0x1000, "cross-page: a read's CR2 is the second page");
}

static void test_smep_smap(void)
{
    if (has_feature(7, 1, 7)) {
        ((volatile u8 *)frame)[0] = 0xc3; // RET
        page_set(AT, frame, PTE_P | PTE_U);
        call_at(AT);
        check_no_fault("smep: off, ring 0 runs a user page");
        write_cr4(read_cr4() | 1 << 20);
        call_at(AT);
        expect_pf(0x11, AT, "smep: on, ring 0 must not run a user page");
        read_at(AT);
        check_no_fault("smep: on, ring 0 reads it");
        write_cr4(read_cr4() & ~(1ull << 20));
    } else {
        skip("smep", "no SMEP");
    }
    if (!has_feature(7, 1, 20)) {
        skip("smap", "no SMAP");
        return;
    }
    page_set(AT, frame, PTE_P | PTE_W | PTE_U);
    write_cr4(read_cr4() | 1 << 21);
    read_at(AT);
    expect_pf(1, AT, "smap: on, ring 0 must not read a user page");
    write_at(AT);
    expect_pf(3, AT, "smap: on, ring 0 must not write it");
    TRY("stac\n\tmovq (%0), %%rax\n\tclac", "r"(AT));
    check_no_fault("smap: with RFLAGS.AC it may");
    TRY("stac\n\tclac\n\tmovq (%0), %%rax", "r"(AT));
    expect_pf(1, AT, "smap: CLAC ends that");
    run_user(user_read, AT);
    check_fault(VECTOR_EXIT, 0, "smap: ring 3 does not mind");
    write_cr4(read_cr4() & ~(1ull << 21));
}

static void test_pcid(void)
{
    bool hasInvpcid = has_feature(7, 1, 10);
    struct { u64 pcid, address; } descriptor = {0, AT};
    if (!has_feature(1, 2, 17)) {
        skip("pcid", "no PCID");
    } else {
        TRY("movq %0, %%cr3\n\tmovq %1, %%cr4", "r"((u64)pml4 | 5), "r"(read_cr4() | 1 << 17));
        check_fault(GP, 0, "pcid: CR4.PCIDE with CR3[11:0] not zero is #GP(0) (SDM 3A 4.10.1)");
        write_cr3((u64)pml4);
        write_cr4(read_cr4() | 1 << 17);
        *(volatile u64 *)frame = 0x1111;
        page_set(AT, frame, PTE_P | PTE_W);
        write_cr3((u64)pml4 | 5);
        check_equal(value_at(AT), 0x1111, "pcid: PCID 5 walks the same tables");
        check_equal(read_cr3(), (u64)pml4 | 5, "pcid: CR3 reads back with its PCID");
        write_cr3((u64)pml4 | 1ull << 63);
        check_equal(read_cr3(), (u64)pml4, "pcid: bit 63 is not kept");
        *page_entry(AT) = otherFrame | PTE_P | PTE_W;
        *(volatile u64 *)otherFrame = 0x2222;
        write_cr3((u64)pml4 | 5); // bit 63 clear: flushes PCID 5
        check_equal(value_at(AT), 0x2222, "pcid: MOV to CR3 without bit 63 flushes that PCID");
        TRY("movq %0, %%cr0", "r"(read_cr0() & ~0x80000000ull));
        check_fault(GP, 0, "pcid: CR0.PG cannot go with CR4.PCIDE");
        write_cr3((u64)pml4);
        write_cr4(read_cr4() & ~(1ull << 17));
    }
    if (!hasInvpcid) {
        skip("invpcid", "no INVPCID");
        return;
    }
    page_set(AT, frame, PTE_P | PTE_W);
    *(volatile u64 *)frame = 0x1111;
    *(volatile u64 *)otherFrame = 0x2222;
    for (u64 type = 0; type < 4; type++) {
        static const char *const names[] = {"invpcid: one address", "invpcid: one PCID", "invpcid: everything", "invpcid: all but global pages"};
        page_set(AT, frame, PTE_P | PTE_W);
        value_at(AT);
        *page_entry(AT) = otherFrame | PTE_P | PTE_W;
        __asm__ volatile("invpcid %0, %1" : : "m"(descriptor), "r"(type) : "memory");
        check_equal(value_at(AT), 0x2222, names[type]);
    }
    TRY("invpcid %0, %1", "m"(descriptor), "r"(4ull));
    check_fault(GP, 0, "invpcid: type 4 is #GP(0)");
    descriptor.pcid = 1 << 12;
    TRY("invpcid %0, %1", "m"(descriptor), "r"(0ull));
    check_fault(GP, 0, "invpcid: reserved descriptor bits are #GP(0)");
}

void test_paging(void)
{
    frame = page_allocate();
    otherFrame = page_allocate();
    test_error_codes();
    test_upper_levels();
    test_accessed_and_dirty();
    test_invalidation();
    test_cross_page();
    test_smep_smap();
    test_pcid();
}
