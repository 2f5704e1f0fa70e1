// Exercises self-modifying code: a store to the next instruction, to a routine just run, through another mapping, across pages.
#include "machine.h"

#define AT (WINDOW + 0x600000)

static u32 call(u64 address)
{
    u64 result;
    __asm__ volatile("call *%1" : "=a"(result) : "r"(address) : "rcx", "rdx", "memory", "cc");
    return (u32)result;
}

static const u8 returnNumber[] = {0xb8, 1, 0, 0, 0, 0xc3}; // MOV EAX, 1; RET

void test_code(void)
{
    u64 frame = page_allocate(), second = page_allocate();
    page_set(AT, frame, PTE_P | PTE_W);
    page_set(AT + 0x1000, second, PTE_P | PTE_W);
    memcpy((void *)AT, returnNumber, sizeof returnNumber);
    check_equal(call(AT), 1, "self-modifying code: a routine that was just written runs");
    ((volatile u8 *)AT)[1] = 2;
    check_equal(call(AT), 2, "self-modifying code: a change is seen (SDM 3A 8.1.3)");
    ((volatile u8 *)frame)[1] = 3;
    u32 r[4];
    cpuid(0, 0, r); // serializes, as cross-modifying through another linear address requires
    check_equal(call(AT), 3, "self-modifying code: a change through another mapping is seen");
    memcpy((void *)(AT + 0xffd), returnNumber, sizeof returnNumber);
    check_equal(call(AT + 0xffd), 1, "self-modifying code: an instruction over two pages");
    ((volatile u8 *)AT)[0x1000] = 1; // the immediate's third byte
    check_equal(call(AT + 0xffd), 0x10001 + 0 * second, "self-modifying code: a change of its second page is seen");

    // MOV BYTE [RIP + 1], 7 changes the immediate of the MOV EAX that follows at once.
    static const u8 next[] = {0xc6, 0x05, 1, 0, 0, 0, 7, 0xb8, 1, 0, 0, 0, 0xc3};
    memcpy((void *)(AT + 0x100), next, sizeof next);
    check_equal(call(AT + 0x100), 7, "self-modifying code: a store to the very next instruction");

    // A loop that counts its own immediate up: 100 changes of a block that is running.
    static const u8 loop[] = {
        0xb9, 100, 0, 0, 0,             // mov ecx, 100
        0x31, 0xd2,                     // xor edx, edx
        0x81, 0xc2, 0, 0, 0, 0,         // add edx, 0      <- the immediate
        0xff, 0x05, 0xf6, 0xff, 0xff, 0xff, // inc dword [rip - 10]
        0xff, 0xc9,                     // dec ecx
        0x75, 0xf0,                     // jnz -16
        0x89, 0xd0, 0xc3,               // mov eax, edx; ret
    };
    memcpy((void *)(AT + 0x200), loop, sizeof loop);
    check_equal(call(AT + 0x200), 99 * 100 / 2, "self-modifying code: a loop that changes its own instruction");

    page_set(AT, second, PTE_P | PTE_W);
    memcpy((void *)AT, returnNumber, sizeof returnNumber);
    check_equal(call(AT), 1, "self-modifying code: another page at the same address");
    page_set(AT, frame, PTE_P | PTE_W);
    check_equal(call(AT), 3, "self-modifying code: and the first one again");
    static const u8 repStore[] = {0xb0, 0x90, 0xb9, 3, 0, 0, 0, 0x48, 0x8d, 0x3d, 2, 0, 0, 0, 0xf3, 0xaa, 0x0f, 0x0b, 0xcc, 0xb8, 9, 0, 0, 0, 0xc3};
    memcpy((void *)(AT + 0x300), repStore, sizeof repStore);
    check_equal(call(AT + 0x300), 9, "self-modifying code: REP STOSB over the instructions that follow it");
}
