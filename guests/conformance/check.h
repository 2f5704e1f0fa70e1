// What all conformance kernels share: the serial console, checks, and the end.
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef __UINTPTR_TYPE__ word;
typedef _Bool bool;
#define true 1
#define false 0

static inline void outb(u16 port, u8 value) { __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port)); }
static inline void outw(u16 port, u16 value) { __asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port)); }
static inline u8 inb(u16 port) { u8 value; __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port)); return value; }

// Prints "PASS name" or "FAIL name". `name` starts with its group and ends with the section of the manual: "paging: ... (SDM 3A 4.7)".
void check(bool passed, const char *name);
// Prints "SKIP name: why", for what CPUID does not offer.
void skip(const char *name, const char *why);
// Like check; on failure it also prints what it got and what it wanted.
void check_equal(u64 got, u64 wanted, const char *name);
// QEMU's own emulator leaves some checks of the architecture out, and a check that would derail it is skipped there.
bool is_qemu_emulator(void);
void print(const char *text);
void print_hex(u64 value);
void finish(void) __attribute__((noreturn));
void machine_exit(u8 code) __attribute__((noreturn));
void *memset(void *to, int value, __SIZE_TYPE__ length);
void *memcpy(void *to, const void *from, __SIZE_TYPE__ length);
