/* Executes single SSE instructions on the host CPU: reads batches of cases from stdin, writes their outcomes to stdout.
 *
 * A batch is a 32-bit count, then that many struct sse_case; the answer is that many struct sse_case with the registers as the
 * instruction left them. An instruction that faults is skipped with its destination untouched and `faulted` 1 for #XM (SIGFPE) or 2
 * for #GP (SIGSEGV), MXCSR as the exception left it. RSI points into the case's own `memory`, `misalignment` bytes from its start. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

struct sse_case {
    uint8_t xmm[4][16];   /* offset 0: XMM0..3 */
    uint64_t rax;         /* 64 */
    uint64_t rcx;         /* 72 */
    uint64_t rdx;         /* 80 */
    uint64_t rflags;      /* 88 */
    uint32_t mxcsr;       /* 96 */
    uint32_t faulted;     /* 100 */
    uint8_t length;       /* 104 */
    uint8_t code[15];
    uint64_t misalignment;/* 120 */
    uint8_t memory[32];   /* 128: aligned, as every case is */
};
_Static_assert(sizeof(struct sse_case) == 160, "the test writes cases of 160 bytes");

static struct sse_case *current;

/* In: rdi = case, rsi = code page. The code ends with RET. */
void run_case(struct sse_case *c, void *code);
__asm__(
    ".text\n.globl run_case\nrun_case:\n"
    "push %rbx\npush %rbp\npush %r12\npush %r13\npush %r14\npush %r15\n"
    "sub $24, %rsp\nstmxcsr 8(%rsp)\n"
    "mov %rdi, %r15\nmov %rsi, %r14\nlea 128(%rdi), %rsi\nadd 120(%rdi), %rsi\n"
    "movups 0(%r15), %xmm0\nmovups 16(%r15), %xmm1\nmovups 32(%r15), %xmm2\nmovups 48(%r15), %xmm3\n"
    "mov 64(%r15), %rax\nmov 72(%r15), %rcx\nmov 80(%r15), %rdx\n"
    "pushq 88(%r15)\npopfq\n"
    "ldmxcsr 96(%r15)\n"
    "call *%r14\n"
    "stmxcsr 96(%r15)\n"
    "pushfq\npopq 88(%r15)\n"
    "mov %rax, 64(%r15)\nmov %rcx, 72(%r15)\nmov %rdx, 80(%r15)\n"
    "movups %xmm0, 0(%r15)\nmovups %xmm1, 16(%r15)\nmovups %xmm2, 32(%r15)\nmovups %xmm3, 48(%r15)\n"
    "ldmxcsr 8(%rsp)\nadd $24, %rsp\n"
    "pop %r15\npop %r14\npop %r13\npop %r12\npop %rbp\npop %rbx\nret\n");

/* The handler masks everything and steps over the instruction; the true MXCSR is put back into the case afterwards. */
static uint32_t faulted_mxcsr;

static void on_fault(int signal_number, siginfo_t *info, void *context)
{
    ucontext_t *u = context;
    (void)info;
    current->faulted = signal_number == SIGFPE ? 1 : 2;
    faulted_mxcsr = u->uc_mcontext.fpregs->mxcsr;
    u->uc_mcontext.fpregs->mxcsr |= 0x1F80;
    u->uc_mcontext.gregs[REG_RIP] += current->length;
}

static int read_all(void *buffer, size_t size)
{
    uint8_t *p = buffer;
    while (size != 0) {
        ssize_t n = read(0, p, size);
        if (n <= 0) return 0;
        p += n;
        size -= (size_t)n;
    }
    return 1;
}

static void write_all(const void *buffer, size_t size)
{
    const uint8_t *p = buffer;
    while (size != 0) {
        ssize_t n = write(1, p, size);
        if (n <= 0) exit(1);
        p += n;
        size -= (size_t)n;
    }
}

int main(void)
{
    uint8_t *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) {
        perror("sse-oracle: no executable page");
        return 1;
    }
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGFPE, &action, NULL);
    sigaction(SIGSEGV, &action, NULL);

    uint32_t count;
    while (read_all(&count, sizeof count)) {
        struct sse_case *cases;
        if (count > 100000 || posix_memalign((void **)&cases, 64, (size_t)count * sizeof *cases + 64) != 0) return 1;
        if (!read_all(cases, (size_t)count * sizeof *cases)) return 1;
        for (uint32_t i = 0; i < count; i++) {
            current = &cases[i];
            memcpy(page, current->code, current->length);
            page[current->length] = 0xC3;
            run_case(current, page);
            if (current->faulted) current->mxcsr = faulted_mxcsr;
        }
        write_all(cases, (size_t)count * sizeof *cases);
        free(cases);
    }
    return 0;
}
