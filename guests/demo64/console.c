// Exercises the 16550 serial port at 0x3F8, polled, and the ways to end the machine.
#include "kernel.h"
#include "locks.h"

#define COM1 0x3f8

static SpinLock lock;

void console_start(void)
{
    outb(COM1 + 1, 0);    // no interrupts
    outb(COM1 + 3, 0x80); // divisor latch
    outb(COM1 + 0, 1);    // 115200 baud
    outb(COM1 + 1, 0);
    outb(COM1 + 3, 0x03); // 8 bits, no parity, one stop bit
    outb(COM1 + 2, 0xc7); // FIFOs on and empty
    outb(COM1 + 4, 0x03); // DTR, RTS
}

static void put(char c)
{
    while (!(inb(COM1 + 5) & 0x20)) // transmitter holding register empty
        pause();
    outb(COM1, (u8)c);
}

static void put_number(u64 value, u64 base)
{
    char digits[20];
    int count = 0;
    do {
        digits[count++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    while (count)
        put(digits[--count]);
}

// %s, %d, %lu, %lx, %c
static void print_arguments(const char *format, __builtin_va_list arguments)
{
    u64 flags = save_flags_and_interrupts_off();
    SpinLock_acquire(&lock);
    for (; *format; format++) {
        if (*format == '\n')
            put('\r');
        if (*format != '%') {
            put(*format);
            continue;
        }
        switch (*++format) {
        case 's':
            for (const char *s = __builtin_va_arg(arguments, const char *); *s; s++)
                put(*s);
            break;
        case 'd': put_number((u64)__builtin_va_arg(arguments, int), 10); break;
        case 'c': put((char)__builtin_va_arg(arguments, int)); break;
        case 'l': put_number(__builtin_va_arg(arguments, u64), *++format == 'x' ? 16 : 10); break;
        default: put(*format);
        }
    }
    SpinLock_release(&lock);
    restore_flags(flags);
}

void print(const char *format, ...)
{
    __builtin_va_list arguments;
    __builtin_va_start(arguments, format);
    print_arguments(format, arguments);
    __builtin_va_end(arguments);
}

void panic(const char *format, ...)
{
    interrupts_off();
    lock.busy = 0; // this CPU may hold it; a torn line is better than silence
    print("PANIC: ");
    __builtin_va_list arguments;
    __builtin_va_start(arguments, format);
    print_arguments(format, arguments);
    __builtin_va_end(arguments);
    print("\n");
    machine_exit(0x12);
}

void machine_exit(u8 code)
{
    outb(0xf4, code);       // QEMU's isa-debug-exit: the process ends with status code * 2 + 1
    outw(0x604, 0x2000);    // else ACPI power-off as QEMU's PC has it
    for (;;)
        __asm__ volatile("cli; hlt");
}
