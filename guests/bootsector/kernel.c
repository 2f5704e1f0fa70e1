// Exercises MP tables, local APIC timer, I/O APIC, processor start-up and ATA interrupts, in the manner of MIT's xv6: the kernel on the disk.
#include "pc.h"

#define TIMER_VECTOR 32
#define DISK_VECTOR (32 + 14)
#define SPURIOUS_VECTOR 63
#define WANTED_TICKS 10
#define TEST_SECTOR 1000

// Local APIC registers (SDM 3A table 10-1) as indices of 32-bit words.
enum { ID = 0x20 / 4, TPR = 0x80 / 4, EOI = 0xB0 / 4, SVR = 0xF0 / 4, ESR = 0x280 / 4, ICRLO = 0x300 / 4, ICRHI = 0x310 / 4, TIMER = 0x320 / 4,
    LINT0 = 0x350 / 4, LINT1 = 0x360 / 4, ERROR = 0x370 / 4, TICR = 0x380 / 4, TDCR = 0x3E0 / 4 };

struct frame;
typedef struct Gate { u16 low, selector; u8 zero, type; u16 high; } Gate;

typedef struct FloatingPointer { u8 signature[4]; u32 table; u8 length, revision, checksum, features[5]; } FloatingPointer;
typedef struct ConfigurationTable {
    u8 signature[4];
    u16 length;
    u8 revision, checksum, oem[8], product[12];
    u32 oemTable;
    u16 oemLength, count;
    u32 localApic;
    u16 extendedLength;
    u8 extendedChecksum, reserved;
} ConfigurationTable;

extern u8 trampoline[], trampoline_end[];
u8 *processor_stack;

static volatile u32 *s_localApic, *s_ioApic;
static u8 s_processors[8], s_ioApicId;
static u32 s_processorCount;
static volatile u32 s_ticks[8], s_diskInterrupts, s_started;
static Gate s_gates[64];
static u8 s_stacks[8][4096] __attribute__((aligned(16)));
static u32 s_sector[SECTOR_SIZE / 4];

__attribute__((noreturn)) static void end(u8 code)
{
    outb(0xF4, code);
    for (;;) __asm__ volatile("cli; hlt");
}

__attribute__((noreturn)) static void panic(const char *why)
{
    print("kernel: PANIC: ");
    print(why);
    print("\n");
    end(0x12);
}

// ---- MP tables (MultiProcessor Specification 1.4, chapter 4).

static int sum(const void *bytes, u32 size)
{
    u8 total = 0;
    for (u32 i = 0; i < size; i++) total += ((const u8 *)bytes)[i];
    return total;
}

static FloatingPointer *search(u32 from, u32 size)
{
    for (u32 at = from; at < from + size; at += 16)
        if (*(u32 *)at == 0x5F504D5F && sum((void *)at, 16) == 0) return (FloatingPointer *)at; // "_MP_"
    return 0;
}

static void read_tables(void)
{
    u32 low = 0;
    __asm__("" : "+r"(low)); // the compiler must not see an access to address 0x400
    u32 extended = (u32) * (u16 *)(low + 0x40E) << 4;
    FloatingPointer *pointer = extended ? search(extended, 1024) : search((u32) * (u16 *)(low + 0x413) * 1024 - 1024, 1024);
    if (!pointer) pointer = search(0xF0000, 0x10000);
    if (!pointer || !pointer->table) panic("no MP tables");
    ConfigurationTable *table = (ConfigurationTable *)pointer->table;
    if (sum(table, table->length)) panic("the MP configuration table's checksum is wrong");
    s_localApic = (u32 *)table->localApic;
    for (u8 *entry = (u8 *)(table + 1), *last = (u8 *)table + table->length; entry < last; entry += entry[0] == 0 ? 20 : 8) {
        if (entry[0] == 0 && s_processorCount < 8) s_processors[s_processorCount++] = entry[1];
        if (entry[0] != 2) continue;
        s_ioApicId = entry[1];
        s_ioApic = *(u32 **)(entry + 4);
    }
    if (!s_ioApic) panic("no I/O APIC in the MP tables");
    print("kernel: ");
    print_number(s_processorCount);
    print(" processors, I/O APIC ");
    print_number(s_ioApicId);
    print("\n");
}

// ---- Interrupts.

static u32 processor_index(void)
{
    u8 id = s_localApic[ID] >> 24;
    for (u32 i = 0; i < s_processorCount; i++)
        if (s_processors[i] == id) return i;
    panic("a processor is not in the MP tables");
}

__attribute__((interrupt)) static void on_timer(struct frame *frame)
{
    (void)frame;
    s_ticks[processor_index()]++;
    s_localApic[EOI] = 0;
}

__attribute__((interrupt)) static void on_disk(struct frame *frame)
{
    (void)frame;
    inb(0x1F7); // takes the interrupt back
    s_diskInterrupts++;
    s_localApic[EOI] = 0;
}

__attribute__((interrupt)) static void on_spurious(struct frame *frame) { (void)frame; }

static void set_gate(int vector, void *handler)
{
    u32 address = (u32)handler;
    s_gates[vector] = (Gate){ address & 0xFFFF, 0x08, 0, 0x8E, address >> 16 };
}

static void write_io_apic(u32 index, u32 value)
{
    s_ioApic[0] = index;
    s_ioApic[4] = value;
}

static void init_io_apic(void)
{
    s_ioApic[0] = 1;
    u32 last = s_ioApic[4] >> 16 & 0xFF;
    for (u32 input = 0; input <= last; input++) {
        write_io_apic(0x10 + 2 * input, 1 << 16 | (32 + input)); // masked, edge, active high
        write_io_apic(0x11 + 2 * input, 0);
    }
    // The disk's interrupt goes to the last processor.
    write_io_apic(0x10 + 2 * 14, DISK_VECTOR);
    write_io_apic(0x11 + 2 * 14, (u32)s_processors[s_processorCount - 1] << 24);
}

static void init_processor(void)
{
    struct { u16 limit; u32 base; } __attribute__((packed)) idtr = { sizeof s_gates - 1, (u32)s_gates };
    __asm__ volatile("lidt %0" : : "m"(idtr));
    s_localApic[SVR] = 0x100 | SPURIOUS_VECTOR;
    s_localApic[TDCR] = 0xB;
    s_localApic[TIMER] = 0x20000 | TIMER_VECTOR; // periodic
    s_localApic[TICR] = 1000000;
    s_localApic[LINT0] = s_localApic[LINT1] = 0x10000;
    s_localApic[ERROR] = SPURIOUS_VECTOR;
    s_localApic[ESR] = 0;
    s_localApic[ESR] = 0;
    s_localApic[EOI] = 0;
    s_localApic[ICRHI] = 0;
    s_localApic[ICRLO] = 0x88500; // INIT level de-assert to all: sets the arbitration IDs of old, nothing today
    while (s_localApic[ICRLO] & 0x1000) { }
    s_localApic[TPR] = 0;
}

// ---- Processors.

void processor_main(void)
{
    init_processor();
    __sync_fetch_and_add(&s_started, 1);
    for (;;) __asm__ volatile("sti; hlt");
}

// MP 1.4, B.4: warm reset vector, INIT, two STARTUPs.
static void start_processor(u32 index)
{
    u32 before = s_started;
    processor_stack = s_stacks[index] + sizeof s_stacks[index];
    outb(0x70, 0xF);
    outb(0x71, 0x0A);
    u32 warm = 0x467;
    __asm__("" : "+r"(warm));
    ((u16 *)warm)[0] = 0;
    ((u16 *)warm)[1] = 0x7000 >> 4;
    s_localApic[ICRHI] = (u32)s_processors[index] << 24;
    s_localApic[ICRLO] = 0xC500;
    s_localApic[ICRLO] = 0x8500;
    for (int i = 0; i < 2; i++) {
        s_localApic[ICRHI] = (u32)s_processors[index] << 24;
        s_localApic[ICRLO] = 0x600 | 0x7000 >> 12;
        while (s_localApic[ICRLO] & 0x1000) { }
    }
    while (s_started == before) __asm__ volatile("pause");
}

// ---- Disk.

static void disk_command(u8 command)
{
    while ((inb(0x1F7) & 0xC0) != 0x40) { }
    outb(0x3F6, 0);
    outb(0x1F2, 1);
    outb(0x1F3, TEST_SECTOR & 0xFF);
    outb(0x1F4, TEST_SECTOR >> 8 & 0xFF);
    outb(0x1F5, TEST_SECTOR >> 16);
    outb(0x1F6, 0xE0);
    outb(0x1F7, command);
}

static void wait_interrupt(u32 count)
{
    // The interrupt may be another processor's: this one wakes with its timer.
    while (s_diskInterrupts < count) __asm__ volatile("sti; hlt");
}

static void try_disk(void)
{
    for (u32 i = 0; i < SECTOR_SIZE / 4; i++) s_sector[i] = i * 0x01010101;
    disk_command(0x30);
    while (!(inb(0x3F6) & 0x08)) { } // DRQ, read where that does not touch the interrupt
    outsl(0x1F0, s_sector, SECTOR_SIZE / 4);
    wait_interrupt(1);
    for (u32 i = 0; i < SECTOR_SIZE / 4; i++) s_sector[i] = 0;
    disk_command(0x20);
    wait_interrupt(2);
    insl(0x1F0, s_sector, SECTOR_SIZE / 4);
    for (u32 i = 0; i < SECTOR_SIZE / 4; i++)
        if (s_sector[i] != i * 0x01010101) panic("the disk gives back something else");
    print("kernel: disk written and read, ");
    print_number(s_diskInterrupts);
    print(" interrupts\n");
}

void kernel_main(void)
{
    print("kernel: loaded from disk\n");
    read_tables();
    outb(0x21, 0xFF); // the 8259s are not used
    outb(0xA1, 0xFF);
    set_gate(TIMER_VECTOR, on_timer);
    set_gate(DISK_VECTOR, on_disk);
    set_gate(SPURIOUS_VECTOR, on_spurious);
    init_processor();
    init_io_apic();
    for (u8 *from = trampoline, *to = (u8 *)0x7000; from < trampoline_end;) *to++ = *from++;
    u32 self = processor_index();
    for (u32 i = 0; i < s_processorCount; i++)
        if (i != self) start_processor(i);
    print("kernel: ");
    print_number(s_started + 1);
    print(" processors run\n");
    __asm__ volatile("sti");
    try_disk();
    for (u32 i = 0; i < s_processorCount; i++)
        while (s_ticks[i] < WANTED_TICKS) __asm__ volatile("hlt");
    print("kernel: every processor's timer ticks\nOK\n");
    end(0x10);
}
