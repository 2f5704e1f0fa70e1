// What the 32-bit demo kernel's files share.
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

// Linear addresses: the first 4 MiB are the kernel's, one PSE page over the same physical memory; the user program has 4 KiB pages.
#define USER_HEAP 0x40100000u
#define USER_HEAP_SIZE 0x00100000u
#define USER_STACK_TOP 0x50000000u
#define USER_STACK_SIZE 0x00010000u
#define PAGE_SIZE 4096u

#define KERNEL_CODE 0x08
#define KERNEL_DATA 0x10
#define USER_CODE 0x1b
#define USER_DATA 0x23
#define MAIN_TASK 0x28
#define AUDITOR_TASK 0x30

#define SYSTEM_CALL_WRITE 1
#define SYSTEM_CALL_TICKS 2
#define SYSTEM_CALL_EXIT 3

// What entry.S leaves on the kernel stack.
typedef struct TrapFrame {
    u32 edi, esi, ebp, unusedEsp, ebx, edx, ecx, eax; // PUSHA
    u32 vector, errorCode;
    u32 eip, cs, eflags, esp, ss; // the last two only if it came from user mode
} TrapFrame;
