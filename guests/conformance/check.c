// Exercises the serial port; counts and prints the results of all checks, and ends the machine.
#include "check.h"

static u32 passed, failed, skipped;

static void put(char c)
{
    if (c == '\n')
        put('\r');
    while (!(inb(0x3fd) & 0x20))
        ;
    outb(0x3f8, (u8)c);
}

void print(const char *text)
{
    while (*text)
        put(*text++);
}

void print_hex(u64 value)
{
    int shift = 60;
    while (shift > 0 && !(value >> shift))
        shift -= 4;
    for (; shift >= 0; shift -= 4)
        put("0123456789abcdef"[value >> shift & 15]);
}

static void print_decimal(u32 value)
{
    if (value >= 10)
        print_decimal(value / 10);
    put((char)('0' + value % 10));
}

void check(bool good, const char *name)
{
    print(good ? "PASS " : "FAIL ");
    print(name);
    put('\n');
    if (good)
        passed++;
    else
        failed++;
}

void check_equal(u64 got, u64 wanted, const char *name)
{
    check(got == wanted, name);
    if (got == wanted)
        return;
    print("     got ");
    print_hex(got);
    print(", wanted ");
    print_hex(wanted);
    put('\n');
}

void skip(const char *name, const char *why)
{
    print("SKIP ");
    print(name);
    print(": ");
    print(why);
    put('\n');
    skipped++;
}

bool is_qemu_emulator(void)
{
    u32 a = 1, b, c = 0, d;
    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    if (!(c >> 31))
        return false;
    a = 0x40000000;
    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return b == 0x54474354; // "TCGT"
}

void finish(void)
{
    print_decimal(passed);
    print(" passed, ");
    print_decimal(failed);
    print(" failed, ");
    print_decimal(skipped);
    print(" skipped\n");
    machine_exit(failed == 0 ? 0x10 : 0x11);
}

void machine_exit(u8 code)
{
    outb(0xf4, code);    // QEMU's isa-debug-exit
    outw(0x604, 0x2000); // else ACPI power-off as QEMU's PC has it
    for (;;)
        __asm__ volatile("cli; hlt");
}

void *memset(void *to, int value, __SIZE_TYPE__ length)
{
    void *result = to;
    __asm__ volatile("rep stosb" : "+D"(to), "+c"(length) : "a"(value) : "memory");
    return result;
}

void *memcpy(void *to, const void *from, __SIZE_TYPE__ length)
{
    void *result = to;
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(length) : : "memory");
    return result;
}
