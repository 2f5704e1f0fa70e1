// The 32-bit conformance kernel: its tables, how a check provokes a fault and goes on, how it runs code in ring 3 and virtual-8086 mode.
#pragma once
#include "../check.h"

#define KERNEL_CODE 0x08 // the first four in the order that SYSENTER and SYSEXIT want
#define KERNEL_DATA 0x10
#define USER_CODE 0x1b
#define USER_DATA 0x23
#define MAIN_TASK 0x28
#define OTHER_TASK 0x30
#define SMALL_DATA 0x38       // 16 bytes at smallArea
#define EXPAND_DOWN 0x40      // offsets above 0xfff, base 0
#define READ_ONLY_DATA 0x48
#define EXECUTE_ONLY 0x50
#define CODE16 0x58           // base 0, limit 0xffff
#define CALL_GATE 0x60        // DPL 3, two parameters
#define TASK_GATE 0x68        // DPL 3, to OTHER_TASK
#define ABSENT_TASK 0x70
#define SHORT_TASK 0x78       // its limit is too small
#define RESCUE_TASK 0x80      // handles #TS
#define LDT 0x88
#define DATA16 0x90
#define ABSENT_DATA 0x98
#define TWO_PAGES 0xa0        // page-granular limit
#define USER_SMALL_STACK 0xab // DPL 3: 256 bytes at userArea
#define SMALL_CODE 0xb0       // code with a limit of 0x20 bytes at userArea

#define DE 0
#define DB 1
#define OF 4
#define BR 5
#define UD 6
#define NM 7
#define DF 8
#define TS 10
#define NP 11
#define SS 12
#define GP 13
#define PF 14
#define VECTOR_TASK 0x70      // a task gate
#define VECTOR_EXIT 0x81

typedef struct TrapFrame {
    u32 gs, fs, es, ds;
    u32 edi, esi, ebp, unusedEsp, ebx, edx, ecx, eax;
    u32 vector, errorCode;
    u32 eip, cs, eflags, esp, ss;
    u32 v86es, v86ds, v86fs, v86gs;
} TrapFrame;

typedef struct Fault {
    u32 count, cr2, dr6;
    TrapFrame frame;
} Fault;

typedef struct TaskStateSegment {
    u32 link, esp0, ss0, esp1, ss1, esp2, ss2, cr3, eip, eflags, eax, ecx, edx, ebx, esp, ebp, esi, edi;
    u32 es, cs, ss, ds, fs, gs, ldt;
    u16 trap, ioMapBase;
} TaskStateSegment;

extern Fault fault;
extern u32 recoverEip, recoverEsp, recoverEbp;
extern bool (*onTrap)(TrapFrame *frame);
extern u64 gdt[32], idt[256], ldt[4];
extern TaskStateSegment mainTask, otherTask, rescueTask;
extern u8 smallArea[32], userArea[4096];

void fault_clear(void);
bool fault_was(u32 vector, u32 errorCode);
void check_fault(u32 vector, u32 errorCode, const char *name);
void check_no_fault(const char *name);
u64 segment(u32 base, u32 limit, u32 access); // access: flags in bits 15:12, type in 7:0, as in 0xc09a
u64 gate(const void *handler, u32 selector, u32 access);

#define TRY(code, ...)                                                                                                             \
    do {                                                                                                                           \
        fault_clear();                                                                                                             \
        __asm__ volatile("movl $9f, recoverEip\n\tmovl %%esp, recoverEsp\n\tmovl %%ebp, recoverEbp\n\t" code                        \
                         "\n9:\tmovl $0, recoverEip" : : __VA_ARGS__ : "eax", "ecx", "edx", "edi", "memory", "cc");                       \
    } while (0)

typedef struct UserState {
    u32 eip, cs, eflags, esp, ss, es, ds, fs, gs; // the last four in virtual-8086 mode only
    u32 eax, edi;
} UserState;

// Runs until the first trap from ring 3 or virtual-8086 mode that onTrap does not take.
void run(const UserState *state);
void run_user(void (*routine)(void), u32 argument); // on a flat stack; the argument is in EDI
extern u8 userStack[4096];

void user_exit(void), user_call_gate(void), user_task_gate(void), user_push_many(void), user_sysenter(void), user_after_sysexit(void);
void user_load_kernel_data(void), user_int_task(void), user_cli(void), user_return(void);
void real_mode_round_trip(void);

static inline u32 read_cr0(void) { u32 v; __asm__ volatile("mov %%cr0, %0" : "=r"(v)); return v; }
static inline u32 read_cr4(void) { u32 v; __asm__ volatile("mov %%cr4, %0" : "=r"(v)); return v; }
static inline void write_cr0(u32 v) { __asm__ volatile("mov %0, %%cr0" : : "r"(v) : "memory"); }
static inline void write_cr3(u32 v) { __asm__ volatile("mov %0, %%cr3" : : "r"(v) : "memory"); }
static inline void write_cr4(u32 v) { __asm__ volatile("mov %0, %%cr4" : : "r"(v) : "memory"); }
static inline void invlpg(u32 linear) { __asm__ volatile("invlpg (%0)" : : "r"(linear) : "memory"); }
static inline void write_msr(u32 msr, u32 low) { __asm__ volatile("wrmsr" : : "c"(msr), "a"(low), "d"(0) : "memory"); }

void test_segments(void);
void test_tasks(void);
void test_gates(void);
void test_v86(void);
void test_real_mode(void);
void test_paging(void);
void test_pae(void);
