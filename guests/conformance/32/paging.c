// Exercises 2-level paging with 4 KiB and 4 MiB pages, then PAE paging: error codes, accessed and dirty bits, WP, PDPTEs, no-execute.
#include "machine.h"

#define AT 0x10000000u
#define P 1
#define W 2
#define U 4
#define PS 0x80
#define A 0x20
#define D 0x40

static u32 directory[1024] __attribute__((aligned(4096))), table[1024] __attribute__((aligned(4096)));
static u64 pointers[4] __attribute__((aligned(32)));
static u64 directories[4][512] __attribute__((aligned(4096))), table64[512] __attribute__((aligned(4096)));
static u8 frame[4096] __attribute__((aligned(4096)));

static void expect_pf(u32 errorCode, u32 address, const char *name)
{
    check_fault(PF, errorCode, name);
    if (fault.frame.vector == PF && fault.cr2 != address)
        check_equal(fault.cr2, address, name);
}

static void read_at(u32 address) { TRY("movl (%0), %%eax", "r"(address)); }
static void write_at(u32 address) { TRY("movl $7, (%0)", "r"(address)); }
static void call_at(u32 address) { TRY("call *%0", "r"(address)); }

static void set(u32 entry)
{
    table[0] = entry;
    invlpg(AT);
}

void test_paging(void)
{
    directory[0] = P | W | PS;                       // 0..4 MiB, one to one
    directory[AT >> 22] = (u32)table | P | W | U;
    write_cr4(read_cr4() | 0x10);                    // PSE
    write_cr3((u32)directory);
    mainTask.cr3 = otherTask.cr3 = rescueTask.cr3 = (u32)directory;
    write_cr0(read_cr0() | 0x80010000);              // PG, WP
    set(0);
    read_at(AT + 4);
    expect_pf(0, AT + 4, "2-level paging: read of an absent page");
    write_at(AT + 4);
    expect_pf(2, AT + 4, "2-level paging: write to an absent page");
    call_at(AT + 4);
    expect_pf(0, AT + 4, "2-level paging: fetch from an absent page; no I bit without NXE (SDM 3A 4.7)");
    set((u32)frame | P);
    write_at(AT);
    expect_pf(3, AT, "2-level paging: write to a read-only page");
    check_equal(table[0] & (A | D), 0, "2-level paging: a write that faults sets neither A nor D");
    read_at(AT);
    check_equal(table[0] & (A | D), A, "2-level paging: a read sets A");
    set((u32)frame | P | W);
    write_at(AT);
    check_equal(table[0] & (A | D), A | D, "2-level paging: a write sets both");
    check(directory[AT >> 22] & A, "2-level paging: the directory entry's A");
    write_cr0(read_cr0() & ~0x10000u);
    set((u32)frame | P);
    write_at(AT);
    check_no_fault("2-level paging: without CR0.WP ring 0 writes a read-only page");
    write_cr0(read_cr0() | 0x10000);
    directory[AT >> 22] = (u32)table | P | U;        // read-only above
    write_cr3((u32)directory);
    set((u32)frame | P | W);
    write_at(AT);
    expect_pf(3, AT, "2-level paging: read-only in the directory counts");
    directory[AT >> 22] = P | W | PS | 1u << 21;     // 4 MiB page with a reserved bit
    write_cr3((u32)directory);
    read_at(AT);
    expect_pf(9, AT, "4 MiB page: bit 21 is reserved");
    directory[AT >> 22] = P | W | PS;
    write_cr3((u32)directory);
    *(volatile u32 *)(frame + 8) = 0x4711;
    u32 value;
    __asm__ volatile("movl (%1), %0" : "=r"(value) : "r"(AT + (u32)frame + 8));
    check_equal(value, 0x4711, "4 MiB page: the offset is 22 bits");
    check_equal(directory[AT >> 22] & (A | D), A, "4 MiB page: a read sets A");
    write_at(AT + (u32)frame);
    check_equal(directory[AT >> 22] & (A | D), A | D, "4 MiB page: a write sets D");
    directory[AT >> 22] = 0;
    write_cr3((u32)directory);
    read_at(AT);
    expect_pf(0, AT, "4 MiB page: it goes with MOV to CR3");
    run_user(user_exit, 0);
    expect_pf(5, (u32)user_exit, "2-level paging: ring 3 runs a supervisor page");
    write_cr0(read_cr0() & ~0x80000000u);
}

void test_pae(void)
{
    pointers[0] = (u32)directories[0] | P;
    pointers[1] = pointers[2] = pointers[3] = 0;
    directories[0][0] = P | W | PS;                  // 0..4 MiB in two 2 MiB pages
    directories[0][1] = 0x200000 | P | W | PS;
    directories[0][AT >> 21] = (u32)table64 | P | W | U;
    table64[0] = (u32)frame | P | W;
    u32 low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(0xc0000080));
    write_msr(0xc0000080, low | 0x800);              // NXE
    write_cr3((u32)pointers);
    write_cr4(read_cr4() | 0x20);
    write_cr0(read_cr0() | 0x80000000);
    read_at(AT);
    check_no_fault("PAE: a page is reached through three levels");
    check_equal(table64[0] & (A | D), A, "PAE: a read sets A");
    table64[0] = (u32)frame | P | W | 1ull << 63;
    invlpg(AT);
    frame[0] = 0xc3;
    call_at(AT);
    expect_pf(0x11, AT, "PAE: fetch from a no-execute page");
    read_at(0x40000000);
    expect_pf(0, 0x40000000, "PAE: an absent PDPTE");
    pointers[1] = (u32)directories[1] | P;
    directories[1][0] = P | W | PS;
    read_at(0x40000000);
    expect_pf(0, 0x40000000, "PAE: the PDPTEs are registers: memory alone changes nothing (SDM 3A 4.4.1)");
    write_cr3((u32)pointers);
    read_at(0x40000000);
    check_no_fault("PAE: MOV to CR3 loads them");
    pointers[1] |= 2; // reserved
    TRY("movl %0, %%cr3", "r"(pointers));
    check_fault(GP, 0, "PAE: MOV to CR3 with a reserved bit in a PDPTE is #GP(0)");
    pointers[1] = 0;
    write_cr0(read_cr0() & ~0x80000000u);
    write_cr4(read_cr4() & ~0x20u);
}
