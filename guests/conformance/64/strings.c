// Exercises REP string instructions: restart after a page fault in the middle, counts, direction, conditions, sizes.
#include "machine.h"

#define FROM (WINDOW + 0x400000)
#define TO (WINDOW + 0x410000)

static u64 frames[4];
static u64 faultRcx, faultRsi, faultRdi, faults;

// Maps the absent page and lets the instruction go on.
static bool map_page(TrapFrame *frame)
{
    if (frame->vector != PF)
        return false;
    faults++;
    faultRcx = frame->rcx;
    faultRsi = frame->rsi;
    faultRdi = frame->rdi;
    page_set(fault.cr2 & ~0xfffull, fault.cr2 >= TO ? frames[3] : frames[1], PTE_P | PTE_W);
    return true;
}

static void test_restart(void)
{
    page_set(FROM, frames[0], PTE_P | PTE_W);
    page_set(FROM + 0x1000, 0, 0);
    page_set(TO, frames[2], PTE_P | PTE_W);
    page_set(TO + 0x1000, frames[3], PTE_P | PTE_W);
    for (u64 i = 0; i < 4096; i++) {
        ((volatile u8 *)frames[0])[i] = (u8)i;
        ((volatile u8 *)frames[1])[i] = (u8)(i * 3);
    }
    onTrap = map_page;
    u64 from = FROM + 0xff0, to = TO + 0x10, count = 32;
    faults = 0;
    __asm__ volatile("rep movsb" : "+S"(from), "+D"(to), "+c"(count) : : "memory");
    onTrap = 0;
    check_equal(faults, 1, "rep: MOVSB meets an absent source page once");
    check(faultRcx == 16 && faultRsi == FROM + 0x1000 && faultRdi == TO + 0x20, "rep: the registers at the fault are exact (SDM 2B REP)");
    check(count == 0 && from == FROM + 0x1010 && to == TO + 0x30, "rep: it goes on to its end");
    bool same = true;
    for (u64 i = 0; i < 16; i++)
        same &= ((volatile u8 *)(TO + 0x10))[i] == (u8)(0xff0 + i) && ((volatile u8 *)(TO + 0x20))[i] == (u8)(i * 3);
    check(same, "rep: every byte arrived");

    page_set(TO + 0x1000, 0, 0);
    onTrap = map_page;
    to = TO + 0xfe0;
    count = 8;
    faults = 0;
    __asm__ volatile("rep stosq" : "+D"(to), "+c"(count) : "a"(0x0102030405060708ull) : "memory");
    onTrap = 0;
    check(faults == 1 && faultRcx == 4 && faultRdi == TO + 0x1000, "rep: STOSQ stops at the page with the right count");
    check(count == 0 && *(volatile u64 *)(TO + 0x1018) == 0x0102030405060708ull, "rep: and ends");

    page_set(TO + 0x1000, 0, 0);
    onTrap = map_page;
    to = TO + 0xffc; // the first element crosses into the absent page
    count = 1;
    faults = 0;
    *(volatile u32 *)(TO + 0xffc) = 0x55555555;
    __asm__ volatile("rep stosq" : "+D"(to), "+c"(count) : "a"(~0ull) : "memory");
    onTrap = 0;
    check(faults == 1 && faultRcx == 1 && faultRdi == TO + 0xffc, "rep: an element that crosses pages is not half counted");

    page_set(FROM, 0, 0);
    TRY("pushq %%rsi\n\tmovq %0, %%rsi\n\txorl %%ecx, %%ecx\n\trep lodsb\n\tpopq %%rsi", "r"(FROM));
    check_no_fault("rep: a count of zero touches nothing");
}

static void test_conditions(void)
{
    static const char text[] = "time travel";
    const char *at = text;
    u64 count = 11;
    __asm__ volatile("repne scasb" : "+D"(at), "+c"(count) : "a"('v') : "cc", "memory");
    check(at == text + 9 && count == 2, "rep: REPNE SCASB stops after the match");
    static const char other[] = "time trowel";
    const char *left = text, *right = other;
    count = 11;
    u8 below;
    __asm__ volatile("repe cmpsb\n\tsetb %3" : "+S"(left), "+D"(right), "+c"(count), "=q"(below) : : "cc", "memory");
    check(left == text + 8 && count == 3 && below, "rep: REPE CMPSB stops at the difference, flags from it");
    static u8 area[16] = {1, 2, 3, 4, 5, 6, 7, 8};
    u8 *to = area + 9, *from = area + 7;
    count = 8;
    __asm__ volatile("std\n\trep movsb\n\tcld" : "+S"(from), "+D"(to), "+c"(count) : : "memory");
    check(area[9] == 8 && area[2] == 1 && area[3] == 2 && to == area + 1, "rep: with DF it runs downwards");
    u64 edi = 0x1000000000 + (u64)area, ecx = 0xf00000004;
    (void)edi;
    to = area;
    __asm__ volatile("addr32 rep stosb" : "+D"(to), "+c"(ecx) : "a"(9) : "memory");
    check(area[3] == 9 && area[4] != 9 && ecx == 0, "rep: with a 67 prefix ECX and EDI count, upper halves go");
}

static void test_port_strings(void)
{
    static u8 bytes[4];
    u8 *to = bytes;
    u64 count = 4;
    __asm__ volatile("rep insb" : "+D"(to), "+c"(count) : "d"(0x3fd) : "memory");
    check(count == 0 && to == bytes + 4 && (bytes[3] & 0x20), "rep: INSB reads a port");
}

void test_strings(void)
{
    for (int i = 0; i < 4; i++)
        frames[i] = page_allocate();
    test_restart();
    test_conditions();
    test_port_strings();
}
