// Exercises locked read-modify-write instructions and their faults: XCHG, XADD, CMPXCHG, CMPXCHG8B and 16B, BTS.
#include "machine.h"

#define AT (WINDOW + 0x500000)

static u64 pair[2] __attribute__((aligned(16)));

void test_atomics(void)
{
    u64 a = 1, memory = 5;
    u8 zero;
    __asm__ volatile("xchgq %0, %1" : "+r"(a), "+m"(memory));
    check(a == 5 && memory == 1, "atomics: XCHG");
    a = 3;
    __asm__ volatile("lock xaddq %0, %1" : "+r"(a), "+m"(memory) : : "cc");
    check(a == 1 && memory == 4, "atomics: XADD");
    a = 4;
    __asm__ volatile("lock cmpxchgq %3, %1\n\tsetz %2" : "+a"(a), "+m"(memory), "=q"(zero) : "r"(9ull) : "cc");
    check(zero && memory == 9, "atomics: CMPXCHG, equal");
    __asm__ volatile("lock cmpxchgq %3, %1\n\tsetz %2" : "+a"(a), "+m"(memory), "=q"(zero) : "r"(7ull) : "cc");
    check(!zero && memory == 9 && a == 9, "atomics: CMPXCHG, unequal, loads RAX");
    a = 0xffffffff00000001;
    memory = 2;
    __asm__ volatile("lock cmpxchgl %3, %1\n\tsetz %2" : "+a"(a), "+m"(memory), "=q"(zero) : "r"(7) : "cc");
    check(!zero && a == 2, "atomics: CMPXCHG of 32 bits, unequal, clears RAX's upper half");

    u32 low = 2, high = 0;
    __asm__ volatile("lock cmpxchg8b %2\n\tsetz %3" : "+a"(low), "+d"(high), "+m"(memory), "=q"(zero) : "b"(0x1111), "c"(0x2222) : "cc");
    check(zero && memory == 0x222200001111ull, "atomics: CMPXCHG8B, equal");
    __asm__ volatile("lock cmpxchg8b %2\n\tsetz %3" : "+a"(low), "+d"(high), "+m"(memory), "=q"(zero) : "b"(1), "c"(2) : "cc");
    check(!zero && low == 0x1111 && high == 0x2222, "atomics: CMPXCHG8B, unequal");
    TRY(".byte 0xf0, 0x0f, 0xc7, 0xc8", "r"(0));
    check_fault(UD, 0, "atomics: CMPXCHG8B of a register is #UD");

    if (has_feature(1, 2, 13)) {
        u64 first = 0, second = 0;
        __asm__ volatile("lock cmpxchg16b %2\n\tsetz %3"
                         : "+a"(first), "+d"(second), "+m"(pair), "=q"(zero) : "b"(11ull), "c"(22ull) : "cc");
        check(zero && pair[0] == 11 && pair[1] == 22, "atomics: CMPXCHG16B, equal");
        __asm__ volatile("lock cmpxchg16b %2\n\tsetz %3"
                         : "+a"(first), "+d"(second), "+m"(pair), "=q"(zero) : "b"(1ull), "c"(2ull) : "cc");
        check(!zero && first == 11 && second == 22 && pair[0] == 11, "atomics: CMPXCHG16B, unequal");
        TRY("lock cmpxchg16b 8(%0)", "r"(pair));
        check_fault(GP, 0, "atomics: CMPXCHG16B on no 16-byte boundary is #GP(0)");
    } else {
        skip("atomics: CMPXCHG16B", "no CX16");
    }

    u64 frame = page_allocate();
    *(u64 *)frame = 1;
    page_set(AT, frame, PTE_P);
    TRY("xorl %%eax, %%eax\n\tmovl $7, %%edx\n\tlock cmpxchgq %%rdx, (%0)", "r"(AT));
    check_fault(PF, 3, "atomics: CMPXCHG that is unequal still needs a writable page");
    TRY("lock btsq $5, (%0)", "r"(AT));
    check_fault(PF, 3, "atomics: BTS of a read-only page");
    check_equal(*(u64 *)frame, 1, "atomics: and nothing changed");
    memory = 0;
    u8 carry;
    __asm__ volatile("lock btsq $63, %0\n\tsetc %1" : "+m"(memory), "=q"(carry) : : "cc");
    check(!carry && memory >> 63, "atomics: BTS");
    static u64 bits[4];
    __asm__ volatile("lock btsq %1, %0" : "+m"(bits[0]) : "r"(130ull) : "cc", "memory");
    check_equal(*(volatile u64 *)&bits[2], 4, "atomics: BTS with a register reaches beyond the operand");
    static u64 crossing[3];
    __asm__ volatile("lock incq 4+%0" : "+m"(crossing) : : "cc");
    check_equal(((volatile u32 *)crossing)[1], 1, "atomics: LOCK INC at an odd address");
}
