// The 64-bit conformance kernel: its tables, how a check provokes a fault and goes on, how it runs code in ring 3.
#pragma once
#include "../check.h"

#define KERNEL_CODE 0x08
#define KERNEL_DATA 0x10
#define USER_CODE32 0x1b
#define USER_DATA 0x23
#define USER_CODE 0x2b
#define TSS_SELECTOR 0x30
#define ABSENT_DATA 0x40
#define KERNEL_CODE32 0x48
#define READ_ONLY_DATA 0x50
#define CONFORMING_CODE 0x58

#define DE 0
#define DB 1
#define BP 3
#define OF 4
#define UD 6
#define NM 7
#define DF 8
#define TS 10
#define NP 11
#define SS 12
#define GP 13
#define PF 14
#define AC 17
#define VECTOR_TIMER 0x20
#define VECTOR_EXIT 0x81 // ring 3 ends itself by it

// Linear addresses that only the checks use. Everything else is mapped one to one, for the supervisor, in 2 MiB pages.
#define WINDOW 0x8000000000ull
#define USER_TEXT (WINDOW + 0x100000) // an alias of the section .usertext
#define USER_STACK (WINDOW + 0x201000)

#define PTE_P 1ull
#define PTE_W 2ull
#define PTE_U 4ull
#define PTE_A 0x20ull
#define PTE_D 0x40ull
#define PTE_PS 0x80ull
#define PTE_G 0x100ull
#define PTE_NX (1ull << 63)

typedef struct TrapFrame {
    u64 r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
    u64 vector, errorCode, rip, cs, rflags, rsp, ss;
} TrapFrame;

// The last trap, and how many there were since fault_clear.
typedef struct Fault {
    u32 count;
    u64 cr2, dr6;
    TrapFrame frame;
} Fault;

extern Fault fault;
extern u64 recoverRip, recoverRsp, recoverRbp;
// Looked at first: true means that the trap is dealt with and the instruction goes on.
extern bool (*onTrap)(TrapFrame *frame);
extern u64 idt[256][2], gdt[16], pml4[512];
extern char trap_stub_table[];

void fault_clear(void);
// Exactly one trap with this vector and error code.
bool fault_was(u64 vector, u64 errorCode);
void check_fault(u64 vector, u64 errorCode, const char *name);
void check_no_fault(const char *name);

// Runs assembly that may fault; goes on after it in either case. Inputs as in an asm statement; RAX, RCX and RDX are free to use.
#define TRY(code, ...)                                                                                                             \
    do {                                                                                                                           \
        fault_clear();                                                                                                             \
        __asm__ volatile("movq $9f, recoverRip\n\tmovq %%rsp, recoverRsp\n\tmovq %%rbp, recoverRbp\n\t" code "\n9:\tmovq $0, recoverRip"                      \
                         : : __VA_ARGS__ : "rax", "rcx", "rdx", "memory", "cc");                                                   \
    } while (0)

// Runs a routine from user.S in ring 3 until it traps; any trap ends it, INT 0x81 as well. The argument is in RDI.
void run_user(void (*routine)(void), u64 argument);
u64 user_address(const void *inUserText);

u64 *page_entry(u64 linear); // the last level's entry in WINDOW, made if need be
u64 page_allocate(void);     // a zeroed page; the address is linear and physical
void page_set(u64 linear, u64 physical, u64 flags); // and INVLPG
void gate_set(int vector, void *handler, u32 type, u32 ist);
void *stub_of(int vector);

static inline void invlpg(u64 linear) { __asm__ volatile("invlpg (%0)" : : "r"(linear) : "memory"); }
static inline u64 read_cr0(void) { u64 v; __asm__ volatile("mov %%cr0, %0" : "=r"(v)); return v; }
static inline u64 read_cr3(void) { u64 v; __asm__ volatile("mov %%cr3, %0" : "=r"(v)); return v; }
static inline u64 read_cr4(void) { u64 v; __asm__ volatile("mov %%cr4, %0" : "=r"(v)); return v; }
static inline void write_cr0(u64 v) { __asm__ volatile("mov %0, %%cr0" : : "r"(v) : "memory"); }
static inline void write_cr3(u64 v) { __asm__ volatile("mov %0, %%cr3" : : "r"(v) : "memory"); }
static inline void write_cr4(u64 v) { __asm__ volatile("mov %0, %%cr4" : : "r"(v) : "memory"); }
static inline u64 read_msr(u32 msr)
{
    u32 low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return low | (u64)high << 32;
}
static inline void write_msr(u32 msr, u64 v) { __asm__ volatile("wrmsr" : : "c"(msr), "a"((u32)v), "d"((u32)(v >> 32)) : "memory"); }
static inline void cpuid(u32 leaf, u32 subleaf, u32 r[4])
{
    __asm__ volatile("cpuid" : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3]) : "a"(leaf), "c"(subleaf));
}
bool has_feature(u32 leaf, int registerIndex, int bit); // registerIndex: 0 EAX .. 3 EDX
bool is_intel(void);

// user.S: position-independent routines for ring 3.
extern char user_text_start[], user_text_end[];
void user_exit(void), user_read(void), user_write(void), user_jump(void), user_cli(void), user_hlt(void), user_in(void), user_cr3(void);
void user_rdtsc(void), user_popf(void), user_int_20(void), user_unaligned(void), user_syscall(void), user_sysenter(void);
void user_wbinvd(void), user_rdmsr(void), user_lgdt(void), user_step(void), user_compatibility(void), user_sgdt(void), user_cpl(void);

void test_faults(void);
void test_paging(void);
void test_system_calls(void);
void test_debug(void);
void test_strings(void);
void test_atomics(void);
void test_code(void);
void test_identification(void);
void test_privilege(void);
void test_interrupts(void);
