// Exercises 2-level paging with a 4 MiB page, the 8254 through the 8259s, ring 3, INT 0x80, demand paging, a hardware task switch.
#include "kernel.h"

typedef struct TaskStateSegment {
    u32 link, esp0, ss0, esp1, ss1, esp2, ss2, cr3, eip, eflags, eax, ecx, edx, ebx, esp, ebp, esi, edi;
    u32 es, cs, ss, ds, fs, gs, ldt;
    u16 trap, ioMapBase;
} TaskStateSegment;

static u32 pageDirectory[1024] __attribute__((aligned(4096)));
static u64 gdt[7];
static u64 idt[0x81];
static TaskStateSegment mainTask, auditorTask;
static u8 auditorStack[4096] __attribute__((aligned(16)));
static u32 nextFreePage;
static volatile u32 ticks;
static u32 pageFaults, systemCalls, audits;

extern void (*const trap_stubs[48])(void);
extern void stub_system_call(void), auditor_entry(void), user_main(void);
extern void enter_user(u32 eip, u32 esp);
extern char kernel_end[], user_start[], user_end[], user_load[], boot_stack_top[];

static void outb(u16 port, u8 value) { __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port)); }
static void outw(u16 port, u16 value) { __asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port)); }
static u8 inb(u16 port) { u8 value; __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port)); return value; }

static void put(char c)
{
    if (c == '\n')
        put('\r');
    while (!(inb(0x3fd) & 0x20))
        ;
    outb(0x3f8, (u8)c);
}

static void print(const char *text)
{
    while (*text)
        put(*text++);
}

static void print_number(const char *label, u32 value)
{
    char digits[10];
    int count = 0;
    print(label);
    do
        digits[count++] = (char)('0' + value % 10);
    while (value /= 10);
    while (count)
        put(digits[--count]);
    put('\n');
}

static void machine_exit(u8 code)
{
    outb(0xf4, code);    // QEMU's isa-debug-exit
    outw(0x604, 0x2000); // else ACPI power-off as QEMU's PC has it
    for (;;)
        __asm__ volatile("cli; hlt");
}

static void panic(const char *why, TrapFrame *frame)
{
    print("PANIC: ");
    print(why);
    print_number(", vector ", frame->vector);
    print_number("error code ", frame->errorCode);
    print_number("EIP ", frame->eip);
    machine_exit(0x12);
}

static u32 page_allocate(void)
{
    u32 page = nextFreePage;
    nextFreePage += PAGE_SIZE;
    u32 *words = (u32 *)page, count = PAGE_SIZE / 4;
    __asm__ volatile("rep stosl" : "+D"(words), "+c"(count) : "a"(0) : "memory");
    return page;
}

static void page_map(u32 linear, u32 physical, u32 flags)
{
    u32 *entry = &pageDirectory[linear >> 22];
    if (!(*entry & 1))
        *entry = page_allocate() | 7; // the table decides
    ((u32 *)(*entry & -PAGE_SIZE))[linear >> 12 & 1023] = physical | flags | 1;
}

static void paging_start(void)
{
    nextFreePage = ((u32)kernel_end + PAGE_SIZE - 1) & -PAGE_SIZE;
    pageDirectory[0] = 0x83; // present, writable, 4 MiB: the kernel
    for (u32 offset = 0; offset < (u32)(user_end - user_start); offset += PAGE_SIZE)
        page_map((u32)user_start + offset, (u32)user_load + offset, 6);
    u32 value;
    __asm__ volatile("mov %%cr4, %0\n\tor $0x10, %0\n\tmov %0, %%cr4" : "=&r"(value)); // PSE
    __asm__ volatile("mov %0, %%cr3" : : "r"(pageDirectory) : "memory");
    __asm__ volatile("mov %%cr0, %0\n\tor $0x80010000, %0\n\tmov %0, %%cr0" : "=&r"(value) : : "memory"); // PG, WP
}

static u64 segment(u32 base, u32 limit, u32 access)
{
    return (limit & 0xffff) | (u64)(base & 0xffffff) << 16 | (u64)access << 40 | (u64)(limit >> 16 & 15) << 48 | (u64)(base >> 24) << 56;
}

static u64 gate(void (*handler)(void), u32 access)
{
    return ((u32)handler & 0xffff) | KERNEL_CODE << 16 | (u64)access << 40 | (u64)((u32)handler >> 16) << 48;
}

static void descriptors_start(void)
{
    gdt[1] = segment(0, 0xfffff, 0xc09a);
    gdt[2] = segment(0, 0xfffff, 0xc092);
    gdt[3] = segment(0, 0xfffff, 0xc0fa);
    gdt[4] = segment(0, 0xfffff, 0xc0f2);
    gdt[5] = segment((u32)&mainTask, sizeof mainTask - 1, 0x89);
    gdt[6] = segment((u32)&auditorTask, sizeof auditorTask - 1, 0x89);
    struct __attribute__((packed)) { u16 limit; void *base; } pointer = {sizeof gdt - 1, gdt};
    __asm__ volatile("lgdt %0\n\tljmp %1, $1f\n1:\tmov %2, %%ds\n\tmov %2, %%es\n\tmov %2, %%ss\n\tmov %2, %%fs\n\tmov %2, %%gs"
                     : : "m"(pointer), "i"(KERNEL_CODE), "r"(KERNEL_DATA) : "memory");

    for (int vector = 0; vector < 48; vector++)
        idt[vector] = gate(trap_stubs[vector], 0x8e);
    idt[0x80] = gate(stub_system_call, 0xee); // ring 3 may
    pointer.limit = sizeof idt - 1;
    pointer.base = idt;
    __asm__ volatile("lidt %0" : : "m"(pointer));

    mainTask.ss0 = KERNEL_DATA;
    mainTask.esp0 = (u32)boot_stack_top;
    mainTask.ioMapBase = sizeof mainTask;
    mainTask.cr3 = (u32)pageDirectory; // what a switch back loads: the processor saves every register there but CR3
    auditorTask = (TaskStateSegment){
        .cr3 = (u32)pageDirectory, .eip = (u32)auditor_entry, .eflags = 2, .esp = (u32)&auditorStack[sizeof auditorStack],
        .cs = KERNEL_CODE, .ss = KERNEL_DATA, .ds = KERNEL_DATA, .es = KERNEL_DATA, .ioMapBase = sizeof auditorTask,
    };
    __asm__ volatile("ltr %w0" : : "r"(MAIN_TASK));
}

static void timer_start(void)
{
    outb(0x20, 0x11); // the 8259s: vectors 0x20 and 0x28, cascaded on input 2
    outb(0xa0, 0x11);
    outb(0x21, 0x20);
    outb(0xa1, 0x28);
    outb(0x21, 0x04);
    outb(0xa1, 0x02);
    outb(0x21, 0x01);
    outb(0xa1, 0x01);
    outb(0x21, 0xfe); // input 0 only
    outb(0xa1, 0xff);
    outb(0x43, 0x34); // the 8254: channel 0, both bytes, mode 2
    outb(0x40, 119);  // 10 kHz
    outb(0x40, 0);
}

// Runs as a hardware task of its own.
void audit(void) { audits++; }

static void call_auditor(void)
{
    __asm__ volatile("lcall %0, $0" : : "i"(AUDITOR_TASK) : "memory");
}

static void finish(u32 result)
{
    print_number("ticks ", ticks != 0);
    print_number("page faults ", pageFaults);
    print_number("system calls ", systemCalls);
    print_number("audits ", audits);
    print_number("primes below 20000: ", result);
    int right = result == 2262 && ticks != 0 && pageFaults == 6 && audits == systemCalls;
    print(right ? "OK\n" : "BUG: a number above is wrong\n");
    machine_exit(right ? 0x10 : 0x11);
}

static void page_fault(TrapFrame *frame)
{
    u32 address;
    __asm__ volatile("mov %%cr2, %0" : "=r"(address));
    int isHeap = address - USER_HEAP < USER_HEAP_SIZE;
    int isStack = address - (USER_STACK_TOP - USER_STACK_SIZE) < USER_STACK_SIZE;
    if ((frame->errorCode & 5) != 4 || !(isHeap || isStack)) // from user mode, not present
        panic("page fault", frame);
    page_map(address & -PAGE_SIZE, page_allocate(), 6);
    pageFaults++;
}

void trap_dispatch(TrapFrame *frame)
{
    switch (frame->vector) {
    case 14:
        page_fault(frame);
        break;
    case 0x20:
        ticks++;
        outb(0x20, 0x20); // end of interrupt
        break;
    case 0x80:
        systemCalls++;
        call_auditor();
        if (frame->eax == SYSTEM_CALL_WRITE)
            put((char)frame->ebx);
        else if (frame->eax == SYSTEM_CALL_TICKS)
            frame->eax = ticks;
        else
            finish(frame->ebx);
        break;
    default:
        panic("exception", frame);
    }
}

void kernel_main(void)
{
    outb(0x3fb, 0x03); // 8 bits, no parity, one stop bit
    outb(0x3fa, 0xc7);
    print("demo32: 2-level paging, PIT and 8259, ring 3, INT 0x80, hardware task switch\n");
    descriptors_start();
    paging_start();
    timer_start();
    enter_user((u32)user_main, USER_STACK_TOP);
}
