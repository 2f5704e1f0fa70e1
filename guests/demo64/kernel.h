// What the demo kernel's files share: types, the memory layout, and each file's functions.
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;
typedef _Bool bool;
#define true 1
#define false 0
#define NULL ((void *)0)

// Memory layout, linear addresses:
//   0000000000400000  user program: code and constants shared, data private to each task
//   0000000010000000  user heap, filled on demand by page faults
//   0000007ffffff000  top of the user stack, filled on demand
//   ffff800000000000  all physical memory up to 4 GiB, in 2 MiB pages
//   ffffffff80000000  the kernel image, in 4 KiB pages: code read-only, the rest not executable
#define KERNEL_BASE 0xffffffff80000000ul
#define PHYSICAL_MAP 0xffff800000000000ul
#define USER_HEAP 0x10000000ul
#define USER_HEAP_SIZE 0x10000ul
#define USER_STACK_TOP 0x7ffffff000ul
#define USER_STACK_SIZE 0x10000ul
#define PAGE_SIZE 4096ul

#define KERNEL_CODE 0x08
#define KERNEL_DATA 0x10
#define USER_DATA 0x23
#define USER_CODE 0x2b
#define TSS_SELECTOR 0x30

#define VECTOR_PAGE_FAULT 14
#define VECTOR_TIMER 0x20
#define VECTOR_RESCHEDULE 0x21
#define VECTOR_SPURIOUS 0x2f
#define VECTOR_COUNT 48

#define MAX_CPUS 8
#define MAX_TASKS 16

static inline void *physical(u64 address) { return (void *)(PHYSICAL_MAP + address); }

static inline void outb(u16 port, u8 value) { __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port)); }
static inline void outw(u16 port, u16 value) { __asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port)); }
static inline u8 inb(u16 port) { u8 value; __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port)); return value; }
static inline void pause(void) { __asm__ volatile("pause" : : : "memory"); }
static inline void interrupts_off(void) { __asm__ volatile("cli" : : : "memory"); }
static inline void interrupts_on(void) { __asm__ volatile("sti" : : : "memory"); }
// STI takes effect after the next instruction, so no interrupt can slip in between and be slept through.
static inline void interrupts_on_and_halt(void) { __asm__ volatile("sti; hlt" : : : "memory"); }
static inline void load_cr3(u64 value) { __asm__ volatile("mov %0, %%cr3" : : "r"(value) : "memory"); }
static inline u64 read_cr2(void) { u64 value; __asm__ volatile("mov %%cr2, %0" : "=r"(value)); return value; }
static inline u64 read_cr4(void) { u64 value; __asm__ volatile("mov %%cr4, %0" : "=r"(value)); return value; }
static inline void load_cr4(u64 value) { __asm__ volatile("mov %0, %%cr4" : : "r"(value) : "memory"); }
static inline void write_msr(u32 msr, u64 value)
{
    __asm__ volatile("wrmsr" : : "c"(msr), "a"((u32)value), "d"((u32)(value >> 32)) : "memory");
}
static inline u64 save_flags_and_interrupts_off(void)
{
    u64 flags;
    __asm__ volatile("pushfq; popq %0; cli" : "=r"(flags) : : "memory");
    return flags;
}
static inline void restore_flags(u64 flags) { __asm__ volatile("pushq %0; popfq" : : "r"(flags) : "memory", "cc"); }

// What an interrupt, an exception or a system call leaves on the kernel stack; entry.S builds it.
typedef struct TrapFrame {
    u64 r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
    u64 vector, errorCode;
    u64 rip, cs, rflags, rsp, ss;
} TrapFrame;

// From the command line: "tasks=4 rounds=500 think=40 lock=broken".
typedef enum LockKind { LOCK_BROKEN, LOCK_MCS, LOCK_XCHG } LockKind;
typedef struct Options {
    u64 tasks, rounds, think;
    LockKind lock;
} Options;
extern Options options;

// console.c
void console_start(void);
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));
void panic(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
void machine_exit(u8 code) __attribute__((noreturn));

// paging.c
u64 page_allocate(void);
void page_map(u64 pml4, u64 linear, u64 physicalAddress, u64 flags);
u64 address_space_create(void);
bool user_page_fault(u64 address, u64 errorCode);
void paging_start(u64 memoryTop);
void paging_use(void);
u64 kernel_cr3(void);
#define PTE_PRESENT 1ul
#define PTE_WRITABLE 2ul
#define PTE_USER 4ul
#define PTE_CACHE_DISABLE 0x10ul
#define PTE_LARGE 0x80ul
#define PTE_GLOBAL 0x100ul
#define PTE_NO_EXECUTE (1ul << 63)

// firmware.c
int firmware_find_cpus(u8 apicIds[MAX_CPUS]);

// apic.c
void apic_start(void);
void apic_start_timer(void);
void apic_end_of_interrupt(void);
u8 apic_id(void);
void apic_send(u8 destination, u32 command);
void apic_calibrate_timer(void);
void delay_microseconds(u32 microseconds);

// smp.c
int smp_start(void);

// cpu.c
void cpu_start(int index);
void cpu_set_kernel_stack(u64 top);

// traps.c
void idt_load(void);
