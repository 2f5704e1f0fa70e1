/* Executes single instructions on the host's x87/MMX unit.
 *
 * stdin: records (struct record, 192 bytes); stdout: the same records after the instruction ran. A memory operand is [rdi], at `memory`.
 * Build: gcc -O1 -mno-red-zone x87-oracle.c -o x87-oracle (x86-64 Linux). */
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

struct record {
    uint8_t code[15];
    uint8_t length;
    uint64_t rflags;
    uint64_t rax;
    uint16_t control, status;
    uint8_t tags, unused[3];
    uint8_t st[8][10]; /* relative to the top of stack in `status` */
    uint8_t memory[32];
    uint8_t xmm[2][16];
    uint32_t mxcsr;
    uint32_t signal;
};

_Static_assert(sizeof(struct record) == 192, "record layout");

static sigjmp_buf after_signal;
static uint8_t image[512] __attribute__((aligned(64)));
static uint8_t clean[512] __attribute__((aligned(64)));
static uint8_t memory[64] __attribute__((aligned(64)));

static void on_signal(int number) {
    siglongjmp(after_signal, number);
}

static void load(const struct record *r) {
    memcpy(image, clean, sizeof image);
    memcpy(image, &r->control, 2);
    memcpy(image + 2, &r->status, 2);
    image[4] = r->tags;
    memcpy(image + 24, &r->mxcsr, 4);
    for (int i = 0; i < 8; i++) {
        memset(image + 32 + 16 * i, 0, 16);
        memcpy(image + 32 + 16 * i, r->st[i], 10);
    }
    memcpy(image + 160, r->xmm, 32);
    memcpy(memory, r->memory, 32);
}

static void store(struct record *r) {
    memcpy(&r->control, image, 2);
    memcpy(&r->status, image + 2, 2);
    r->tags = image[4];
    memcpy(&r->mxcsr, image + 24, 4);
    for (int i = 0; i < 8; i++) memcpy(r->st[i], image + 32 + 16 * i, 10);
    memcpy(r->xmm, image + 160, 32);
    memcpy(r->memory, memory, 32);
}

int main(void) {
    uint8_t *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) return 1;
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_NODEFER };
    sigaction(SIGFPE, &action, NULL);
    sigaction(SIGILL, &action, NULL);
    sigaction(SIGSEGV, &action, NULL);
    __asm__ volatile("fninit; fxsave64 %0; fninit" : "=m"(clean));
    static struct record r;
    while (fread(&r, sizeof r, 1, stdin) == 1) {
        load(&r);
        memcpy(page, r.code, r.length);
        page[r.length] = 0xC3;
        int number = sigsetjmp(after_signal, 0);
        r.signal = (uint32_t)number;
        if (number == 0) {
            uint64_t rax = r.rax, rflags = r.rflags;
            __asm__ volatile(
                "fxrstor64 %[image]\n\t"
                "push %[rflags]\n\t"
                "popfq\n\t"
                "call *%[page]\n\t"
                "pushfq\n\t"
                "pop %[rflags]\n\t"
                "fxsave64 %[image]\n\t"
                "fninit\n\t"
                "ldmxcsr %[mxcsr]"
                : "+a"(rax), [rflags] "+r"(rflags), [image] "+m"(image)
                : "D"(memory), [page] "r"(page), [mxcsr] "m"(clean[24])
                : "memory", "cc", "xmm0", "xmm1");
            r.rax = rax;
            r.rflags = rflags & 0x8D5;
            store(&r);
        } else {
            __asm__ volatile("fninit; ldmxcsr %0" : : "m"(clean[24]));
        }
        fwrite(&r, sizeof r, 1, stdout);
    }
    return 0;
}
