// Port instructions and the serial console, for the loader and for the kernel.
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;

#define KERNEL_SECTOR 64
#define SECTOR_SIZE 512

static inline u8 inb(u16 port) { u8 value; __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port)); return value; }
static inline void outb(u16 port, u8 value) { __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port)); }
static inline void outl(u16 port, u32 value) { __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port)); }

static inline void insl(u16 port, void *to, u32 count)
{
    __asm__ volatile("cld; rep insl" : "+D"(to), "+c"(count) : "d"(port) : "memory", "cc");
}

static inline void outsl(u16 port, const void *from, u32 count)
{
    __asm__ volatile("cld; rep outsl" : "+S"(from), "+c"(count) : "d"(port) : "memory", "cc");
}

static inline void print(const char *text)
{
    for (; *text; text++) {
        while (!(inb(0x3FD) & 0x20)) { }
        outb(0x3F8, *text);
    }
}

static inline void print_number(u32 value)
{
    char digits[11];
    int at = 10;
    digits[at] = 0;
    do digits[--at] = '0' + value % 10; while (value /= 10);
    print(digits + at);
}
