// Exercises CPUID's consistency with what works, RDTSC and RDTSCP, RDPID, RDRAND, POPCNT, XGETBV.
#include "machine.h"

static u64 rdtsc(void)
{
    u32 low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return low | (u64)high << 32;
}

// The instruction runs if CPUID says so, and is #UD if it does not.
#define CHECK_FEATURE(leaf, registerIndex, bit, code, name)                                                                        \
    do {                                                                                                                           \
        bool offered = has_feature(leaf, registerIndex, bit);                                                                      \
        TRY(code, "r"(pages), "r"(1ull));                                                                                          \
        check(offered ? fault.count == 0 : fault_was(UD, 0), name);                                                                \
    } while (0)

static u8 pages[64] __attribute__((aligned(64)));

void test_identification(void)
{
    u32 r[4], again[4];
    cpuid(0, 0, r);
    check(r[0] >= 7, "cpuid: the highest basic leaf is 7 at least");
    cpuid(0x80000000, 0, r);
    check(r[0] >= 0x80000008, "cpuid: the highest extended leaf is 80000008 at least");
    cpuid(0x80000008, 0, r);
    check((r[0] & 0xff) >= 36 && (r[0] & 0xff) <= 52 && ((r[0] >> 8 & 0xff) == 48 || (r[0] >> 8 & 0xff) == 57), "cpuid: address widths make sense");
    check(has_feature(0x80000001, 3, 29) && has_feature(0x80000001, 3, 20) && has_feature(1, 3, 6), "cpuid: long mode, NX and PAE, as used here");
    cpuid(1, 0, r);
    check_equal(r[1] >> 24, *(volatile u32 *)0xfee00020ul >> 24, "cpuid: leaf 1 has the local APIC's ID");
    cpuid(1, 0, again);
    check(r[0] == again[0] && r[2] == again[2] && r[3] == again[3], "cpuid: twice the same");
    bool hadOsxsave = r[2] >> 27 & 1;
    check_equal(hadOsxsave, read_cr4() >> 18 & 1, "cpuid: OSXSAVE follows CR4.OSXSAVE");

    CHECK_FEATURE(1, 2, 23, "popcntq %0, %%rax", "cpuid: POPCNT is as offered");
    CHECK_FEATURE(1, 2, 0, "addsubps %%xmm0, %%xmm0", "cpuid: SSE3 is as offered");
    CHECK_FEATURE(1, 2, 9, "pshufb %%xmm0, %%xmm0", "cpuid: SSSE3 is as offered");
    CHECK_FEATURE(1, 2, 19, "ptest %%xmm0, %%xmm0", "cpuid: SSE4.1 is as offered");
    CHECK_FEATURE(1, 2, 20, "pcmpgtq %%xmm0, %%xmm0", "cpuid: SSE4.2 is as offered");
    CHECK_FEATURE(1, 2, 22, "movbe (%0), %%rax", "cpuid: MOVBE is as offered");
    CHECK_FEATURE(1, 2, 30, "rdrand %%rax", "cpuid: RDRAND is as offered");
    CHECK_FEATURE(7, 1, 18, "rdseed %%rax", "cpuid: RDSEED is as offered");
    CHECK_FEATURE(7, 1, 8, "bzhi %0, %%rax, %%rax", "cpuid: BMI2 is as offered");
    CHECK_FEATURE(7, 1, 19, "adcx %0, %%rax", "cpuid: ADX is as offered");
    CHECK_FEATURE(1, 2, 25, "aesenc %%xmm0, %%xmm0", "cpuid: AES is as offered");
    CHECK_FEATURE(1, 2, 1, "pclmulqdq $0, %%xmm0, %%xmm0", "cpuid: PCLMULQDQ is as offered");
    CHECK_FEATURE(7, 1, 29, "sha1msg1 %%xmm0, %%xmm0", "cpuid: SHA is as offered");
    CHECK_FEATURE(7, 1, 23, "clflushopt (%0)", "cpuid: CLFLUSHOPT is as offered");

    u64 before = rdtsc(), after = rdtsc();
    check(after > before, "tsc: RDTSC goes up");
    write_msr(0x10, 0x1000000000ull);
    after = rdtsc();
    check(after >= 0x1000000000ull && after < 0x1100000000ull, "tsc: WRMSR sets it");
    if (has_feature(0x80000001, 3, 27)) {
        write_msr(0xc0000103, 0x1234567);
        u32 low, high, auxiliary;
        __asm__ volatile("rdtscp" : "=a"(low), "=d"(high), "=c"(auxiliary));
        check_equal(auxiliary, 0x1234567, "tsc: RDTSCP gives IA32_TSC_AUX");
        check((low | (u64)high << 32) >= after, "tsc: and goes up");
    } else {
        skip("tsc: RDTSCP", "no RDTSCP");
    }
    if (has_feature(1, 2, 26)) {
        TRY("xorl %%ecx, %%ecx\n\txgetbv", "r"(0));
        check_fault(UD, 0, "xsave: XGETBV without CR4.OSXSAVE is #UD");
        write_cr4(read_cr4() | 1 << 18);
        check(has_feature(1, 2, 27), "xsave: CPUID.OSXSAVE follows");
        TRY("xorl %%ecx, %%ecx\n\txgetbv\n\torl $1, %%eax\n\txsetbv", "r"(0));
        check_no_fault("xsave: XSETBV of what XGETBV gives");
        TRY("xorl %%ecx, %%ecx\n\tmovl $2, %%eax\n\txorl %%edx, %%edx\n\txsetbv", "r"(0));
        check_fault(GP, 0, "xsave: XCR0 without x87 is #GP(0)");
        write_cr4(read_cr4() & ~(1ull << 18));
    } else {
        skip("xsave", "no XSAVE");
    }
}
