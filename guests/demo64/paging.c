// Exercises 4-level page tables: 2 MiB, global, read-only and no-execute pages, an address space per task, demand paging.
#include "tasks.h"

extern char image_end[], kernel_text_start[], kernel_text_end[], kernel_rodata_end[], kernel_end[];
extern char user_text_start[], user_text_end[], user_text_load[], user_data_start[], user_data_end[], user_data_load[];

static u64 nextFreePage, lastFreePage;
static u64 kernelPml4;
static SpinLock allocatorLock;

u64 kernel_cr3(void) { return kernelPml4; }

// Pages are handed out in order and never given back: the demo ends before it needs them again.
u64 page_allocate(void)
{
    u64 flags = save_flags_and_interrupts_off();
    SpinLock_acquire(&allocatorLock);
    u64 page = nextFreePage;
    nextFreePage += PAGE_SIZE;
    SpinLock_release(&allocatorLock);
    restore_flags(flags);
    if (page >= lastFreePage)
        panic("out of memory");
    u64 *words = physical(page), count = PAGE_SIZE / 8;
    __asm__ volatile("rep stosq" : "+D"(words), "+c"(count) : "a"(0ul) : "memory");
    return page;
}

static u64 *next_table(u64 *entry)
{
    if (!(*entry & PTE_PRESENT))
        *entry = page_allocate() | PTE_PRESENT | PTE_WRITABLE | PTE_USER; // the last level decides
    return physical(*entry & 0x000ffffffffff000ul);
}

void page_map(u64 pml4, u64 linear, u64 physicalAddress, u64 flags)
{
    u64 *table = physical(pml4);
    for (int shift = 39; shift > ((flags & PTE_LARGE) ? 21 : 12); shift -= 9)
        table = next_table(&table[linear >> shift & 511]);
    table[linear >> ((flags & PTE_LARGE) ? 21 : 12) & 511] = physicalAddress | flags | PTE_PRESENT;
}

static void map_image(char *from, char *to, u64 flags)
{
    for (u64 linear = (u64)from; linear < (u64)to; linear += PAGE_SIZE)
        page_map(kernelPml4, linear, linear - KERNEL_BASE, flags | PTE_GLOBAL);
}

void paging_start(u64 memoryTop)
{
    nextFreePage = ((u64)kernel_end - KERNEL_BASE + PAGE_SIZE - 1) & -PAGE_SIZE;
    lastFreePage = memoryTop & -PAGE_SIZE;
    kernelPml4 = page_allocate();

    for (u64 address = 0; address < 1ul << 32; address += 1ul << 21) {
        u64 flags = PTE_WRITABLE | PTE_LARGE | PTE_GLOBAL | PTE_NO_EXECUTE;
        if (address >= 0xfec00000) // the APICs' registers
            flags |= PTE_CACHE_DISABLE;
        page_map(kernelPml4, PHYSICAL_MAP + address, address, flags);
    }
    map_image(kernel_text_start, kernel_text_end, 0);
    map_image(kernel_text_end, kernel_rodata_end, PTE_NO_EXECUTE);
    map_image(kernel_rodata_end, kernel_end, PTE_WRITABLE | PTE_NO_EXECUTE);
    paging_use();
}

void paging_use(void)
{
    load_cr3(kernelPml4);
    load_cr4(read_cr4() | 0x80); // PGE, after the boot tables are gone
    u32 eax = 7, ebx, ecx = 0, edx;
    __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    if (ebx & 1 << 7)
        load_cr4(read_cr4() | 1 << 20); // SMEP: the kernel never runs user pages
}

// The upper half is the kernel's, shared by all address spaces.
u64 address_space_create(void)
{
    u64 pml4 = page_allocate();
    for (int i = 256; i < 512; i++)
        ((u64 *)physical(pml4))[i] = ((u64 *)physical(kernelPml4))[i];

    for (u64 offset = 0; offset < (u64)(user_text_end - user_text_start); offset += PAGE_SIZE)
        page_map(pml4, (u64)user_text_start + offset, (u64)user_text_load + offset, PTE_USER);
    for (u64 offset = 0; offset < (u64)(user_data_end - user_data_start); offset += PAGE_SIZE) {
        u64 page = page_allocate();
        __builtin_memcpy(physical(page), physical((u64)user_data_load + offset), PAGE_SIZE);
        page_map(pml4, (u64)user_data_start + offset, page, PTE_USER | PTE_WRITABLE | PTE_NO_EXECUTE);
    }
    return pml4;
}

// True when the fault was the first touch of a heap or stack page, which is there now.
bool user_page_fault(u64 address, u64 errorCode)
{
    bool isHeap = address >= USER_HEAP && address < USER_HEAP + USER_HEAP_SIZE;
    bool isStack = address >= USER_STACK_TOP - USER_STACK_SIZE && address < USER_STACK_TOP;
    if ((errorCode & 5) != 4 || !(isHeap || isStack)) // from user mode, page not present
        return false;
    page_map(current_task()->cr3, address & -PAGE_SIZE, page_allocate(), PTE_USER | PTE_WRITABLE | PTE_NO_EXECUTE);
    return true;
}
