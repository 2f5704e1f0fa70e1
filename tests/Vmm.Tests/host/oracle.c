// The host CPU as an oracle for user-level instructions: runs a snippet of machine code natively and tells what it did.
//
// Reads requests from stdin and writes responses to stdout, both fixed-size structures (see HostOracle.cs). A snippet runs in
// 64-bit mode, or in compatibility mode as 32-bit code, at a fixed address, in a page that is otherwise full of INT3: it ends at
// the first INT3 it reaches, which is where it falls off its end or where a branch lands. One data page ("scratch") at a fixed
// address is its memory; the pages around it are not mapped.
//
// Entering and leaving use the signal machinery: the handler of SIGUSR1 exchanges the interrupted context with the requested one,
// rt_sigreturn loads it; the signal that ends the snippet carries its final context, and its handler goes back to the first.
#define _GNU_SOURCE
#include <asm/prctl.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

#define CODE_PAGE 0x100000UL
#define CODE_START 0x100800UL
#define SCRATCH 0x200000UL
#define PAGE 4096

#define COMPLETED 0xFFFFFFFFu
#define TIMED_OUT 0xFFFFFFFEu

struct request {
    uint32_t bitness, code_size;
    uint8_t code[256];
    uint64_t gpr[16]; // RAX RCX RDX RBX RSP RBP RSI RDI R8..R15
    uint64_t rflags;
    uint8_t fx[512]; // FXSAVE image
    uint8_t scratch[PAGE];
};

struct response {
    uint32_t vector, error_code;
    uint64_t cr2, rip;
    uint64_t gpr[16];
    uint64_t rflags;
    uint8_t fx[512];
    uint8_t scratch[PAGE];
};

static const int greg_of[16] = { REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                 REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15 };

static struct request request;
static struct response response;
static mcontext_t home;
static uint8_t home_fp[512];
static volatile sig_atomic_t running;
static uint8_t *code_alias; // the code page, writable

// CS in bits 0..15 and SS in bits 48..63 of the slot that Linux calls REG_CSGSFS.
static uint64_t segments(uint64_t old, uint16_t cs, uint16_t ss)
{
    return (old & 0x0000FFFFFFFF0000UL) | cs | (uint64_t)ss << 48;
}

static void enter(int signal_number, siginfo_t *info, void *context)
{
    (void)signal_number;
    (void)info;
    ucontext_t *uc = context;
    home = uc->uc_mcontext;
    memcpy(home_fp, uc->uc_mcontext.fpregs, 512);
    greg_t *g = uc->uc_mcontext.gregs;
    for (int i = 0; i < 16; i++) g[greg_of[i]] = (greg_t)request.gpr[i];
    g[REG_RIP] = CODE_START;
    g[REG_EFL] = (greg_t)request.rflags;
    g[REG_CSGSFS] = (greg_t)segments((uint64_t)g[REG_CSGSFS], request.bitness == 64 ? 0x33 : 0x23, 0x2B);
    uint8_t *fx = (uint8_t *)uc->uc_mcontext.fpregs;
    memcpy(fx, request.fx, 464); // from 464 on Linux keeps its own notes
    if (*(uint32_t *)(fx + 464) == 0x46505853u) *(uint64_t *)(fx + 512) |= 3; // XSTATE_BV: take x87 and SSE from the image
    running = 1;
}

static void leave(int signal_number, siginfo_t *info, void *context)
{
    (void)info;
    ucontext_t *uc = context;
    greg_t *g = uc->uc_mcontext.gregs;
    if (!running) _exit(3);
    running = 0;
    response.vector = (uint32_t)g[REG_TRAPNO];
    response.error_code = (uint32_t)g[REG_ERR];
    response.cr2 = (uint64_t)g[REG_CR2];
    response.rip = (uint64_t)g[REG_RIP];
    uint64_t rip = response.rip;
    if (signal_number == SIGALRM) response.vector = TIMED_OUT;
    else if (response.vector == 3 && rip - 1 - CODE_PAGE < PAGE && rip - 1 - CODE_START >= request.code_size) {
        response.vector = COMPLETED; // the INT3 after the snippet, or the one at a branch's target
        response.rip = rip - 1;
    } else if (response.vector == 14 && response.cr2 == rip && rip != CODE_START) {
        response.vector = COMPLETED; // a branch to where nothing can be fetched
    }
    for (int i = 0; i < 16; i++) response.gpr[i] = (uint64_t)g[greg_of[i]];
    response.rflags = (uint64_t)g[REG_EFL];
    memcpy(response.fx, uc->uc_mcontext.fpregs, 512);
    memset(response.fx + 464, 0, 48);

    uint8_t *fx = (uint8_t *)uc->uc_mcontext.fpregs;
    for (int i = 0; i < 16; i++) g[greg_of[i]] = home.gregs[greg_of[i]];
    g[REG_RIP] = home.gregs[REG_RIP];
    g[REG_EFL] = home.gregs[REG_EFL];
    g[REG_CSGSFS] = home.gregs[REG_CSGSFS];
    memcpy(fx, home_fp, 464);
    if (*(uint32_t *)(fx + 464) == 0x46505853u) *(uint64_t *)(fx + 512) |= 3;
}

static void fail(const char *what)
{
    fprintf(stderr, "oracle: %s: %s\n", what, strerror(errno));
    exit(2);
}

static void *map(uint64_t address, int protection, int flags, int file)
{
    void *at = mmap((void *)address, PAGE, protection, flags | (address ? MAP_FIXED_NOREPLACE : 0), file, 0);
    if (at == MAP_FAILED) fail("mmap");
    return at;
}

static void set_up(void)
{
    int file = memfd_create("oracle-code", 0);
    if (file < 0 || ftruncate(file, PAGE)) fail("memfd_create");
    map(CODE_PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, file);
    code_alias = map(0, PROT_READ | PROT_WRITE, MAP_SHARED, file);
    map(SCRATCH, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    if (syscall(SYS_arch_prctl, ARCH_SET_GS, SCRATCH)) fail("arch_prctl");

    stack_t stack = { .ss_sp = malloc(1 << 18), .ss_size = 1 << 18 };
    if (!stack.ss_sp || sigaltstack(&stack, NULL)) fail("sigaltstack");
    struct sigaction action = { .sa_sigaction = enter, .sa_flags = SA_SIGINFO | SA_ONSTACK };
    sigfillset(&action.sa_mask);
    if (sigaction(SIGUSR1, &action, NULL)) fail("sigaction");
    action.sa_sigaction = leave;
    static const int ends[] = { SIGTRAP, SIGSEGV, SIGFPE, SIGILL, SIGBUS, SIGALRM };
    for (unsigned i = 0; i < sizeof ends / sizeof ends[0]; i++)
        if (sigaction(ends[i], &action, NULL)) fail("sigaction");
    // 64-bit Linux programs run with null DS and ES, which 32-bit code cannot use.
    __asm__ volatile("mov %0, %%ds\n\tmov %0, %%es" : : "r"(0x2B));
}

static int read_all(void *to, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t count = read(0, (char *)to + done, size - done);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) fail("read");
        if (count == 0) return 0;
        done += (size_t)count;
    }
    return 1;
}

static void write_all(const void *from, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t count = write(1, (const char *)from + done, size - done);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) fail("write");
        done += (size_t)count;
    }
}

int main(void)
{
    set_up();
    while (read_all(&request, sizeof request)) {
        if (request.code_size > sizeof request.code) {
            errno = EINVAL;
            fail("request");
        }
        memset(code_alias, 0xCC, PAGE);
        memcpy(code_alias + (CODE_START - CODE_PAGE), request.code, request.code_size);
        memcpy((void *)SCRATCH, request.scratch, PAGE);
        struct itimerval limit = { .it_value = { .tv_sec = 2 } }, none = { 0 };
        setitimer(ITIMER_REAL, &limit, NULL);
        raise(SIGUSR1);
        setitimer(ITIMER_REAL, &none, NULL);
        memcpy(response.scratch, (void *)SCRATCH, PAGE);
        write_all(&response, sizeof response);
        memset(&response, 0, sizeof response);
    }
    return 0;
}
