// Exercises ATA programmed I/O in protected mode: the second stage reads an ELF kernel and enters it, as MIT xv6's bootmain does.
#include "pc.h"

#define SCRATCH ((u8 *)0x10000)

typedef struct ElfHeader {
    u32 magic;
    u8 ident[12];
    u16 type, machine;
    u32 version, entry, programHeaders, sectionHeaders, flags;
    u16 size, programHeaderSize, programHeaderCount, sectionHeaderSize, sectionHeaderCount, names;
} ElfHeader;

typedef struct ProgramHeader {
    u32 type, offset, linear, physical, fileSize, memorySize, flags, alignment;
} ProgramHeader;

// BSY clear and DRDY set.
static void wait_disk(void) { while ((inb(0x1F7) & 0xC0) != 0x40) { } }

static void read_sector(void *to, u32 sector)
{
    wait_disk();
    outb(0x1F2, 1);
    outb(0x1F3, sector);
    outb(0x1F4, sector >> 8);
    outb(0x1F5, sector >> 16);
    outb(0x1F6, sector >> 24 | 0xE0);
    outb(0x1F7, 0x20);
    wait_disk();
    insl(0x1F0, to, SECTOR_SIZE / 4);
}

// Whole sectors: what is too much before and after is overwritten or not used.
static void read_segment(u8 *to, u32 size, u32 offset)
{
    u8 *end = to + size;
    to -= offset % SECTOR_SIZE;
    for (u32 sector = offset / SECTOR_SIZE + KERNEL_SECTOR; to < end; to += SECTOR_SIZE, sector++) read_sector(to, sector);
}

void load(void)
{
    outb(0x3FA, 0);
    outb(0x3FB, 0x80); // 115200 baud, 8 bits, no parity, one stop bit
    outb(0x3F8, 1);
    outb(0x3F9, 0);
    outb(0x3FB, 0x03);
    outb(0x3FC, 0);
    print("bootsector: protected mode\n");

    ElfHeader *elf = (ElfHeader *)SCRATCH;
    read_segment(SCRATCH, 4096, 0);
    if (elf->magic != 0x464C457F) {
        print("bootsector: no ELF file in sector 64\n");
        return;
    }
    ProgramHeader *program = (ProgramHeader *)(SCRATCH + elf->programHeaders);
    for (ProgramHeader *end = program + elf->programHeaderCount; program < end; program++) {
        if (program->type != 1) continue;
        read_segment((u8 *)program->physical, program->fileSize, program->offset);
        for (u32 i = program->fileSize; i < program->memorySize; i++) ((u8 *)program->physical)[i] = 0;
    }
    ((void (*)(void))elf->entry)();
}
