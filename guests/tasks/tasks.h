// What the files of this guest share: types, selectors, system calls.
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;

#define USER_BASE 0x8000000000ul
#define USER_SIZE 0x200000ul
#define KERNEL_CODE 0x08
#define KERNEL_DATA 0x10
#define USER_DATA 0x23
#define USER_CODE 0x2b
#define TSS_SELECTOR 0x30

#define CALL_YIELD 1
#define CALL_ADD 2
#define CALL_EXIT 3
