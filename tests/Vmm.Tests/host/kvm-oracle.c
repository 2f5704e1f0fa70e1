// KVM as an oracle for privileged instructions: runs a one-vCPU virtual machine from a given state until it executes HLT at CPL 0.
//
// Reads requests from stdin and writes responses to stdout (see KvmOracle.cs): a state of the vCPU, then all of its memory, in both
// directions. Every request gets a new virtual machine, so that nothing that KVM caches outlives it. What KVM cannot run, because
// the host virtualizes by emulation and lacks the instruction, is answered with NO_ANSWER.
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

enum { HALTED = 0, SHUT_DOWN = 1, NO_ANSWER = 2, TIMED_OUT = 3, BAD_STATE = 4 };

#define MEMORY_SIZE 0x20000u

struct segment {
    uint64_t base;
    uint32_t limit;
    uint16_t selector;
    uint16_t access; // descriptor bits 40..55: type 0..3, S 4, DPL 5..6, P 7, AVL 12, L 13, D/B 14, G 15
};

struct state {
    uint64_t gpr[16]; // RAX RCX RDX RBX RSP RBP RSI RDI R8..R15
    uint64_t rip, rflags;
    struct segment segments[8]; // ES CS SS DS FS GS LDTR TR
    uint64_t gdtr_base, idtr_base;
    uint32_t gdtr_limit, idtr_limit;
    uint64_t cr0, cr2, cr3, cr4, efer;
    uint64_t msrs[8]; // in the order of msr_numbers
    uint32_t outcome, detail;
};

static const uint32_t msr_numbers[8] = {
    0xC0000081, /* STAR */ 0xC0000082, /* LSTAR */ 0xC0000083, /* CSTAR */ 0xC0000084, /* SFMASK */
    0xC0000102, /* KERNEL_GS_BASE */ 0x174, /* SYSENTER_CS */ 0x175, /* SYSENTER_ESP */ 0x176, /* SYSENTER_EIP */
};

struct cpuid_list {
    struct kvm_cpuid2 head;
    struct kvm_cpuid_entry2 entries[256];
};

struct msr_list {
    struct kvm_msrs head;
    struct kvm_msr_entry entries[8];
};

static int kvm;
static int run_size;
static uint8_t *memory;
static struct cpuid_list cpuid;
static volatile sig_atomic_t alarmed;

static void on_alarm(int signal_number)
{
    (void)signal_number;
    alarmed = 1;
}

static void fail(const char *what)
{
    fprintf(stderr, "kvm-oracle: %s: %s\n", what, strerror(errno));
    exit(2);
}

static struct kvm_segment to_kvm(const struct segment *from)
{
    struct kvm_segment s = {
        .base = from->base, .limit = from->limit, .selector = from->selector, .type = from->access & 15, .s = from->access >> 4 & 1,
        .dpl = from->access >> 5 & 3, .present = from->access >> 7 & 1, .avl = from->access >> 12 & 1, .l = from->access >> 13 & 1,
        .db = from->access >> 14 & 1, .g = from->access >> 15 & 1, .unusable = !(from->access >> 7 & 1),
    };
    return s;
}

static struct segment from_kvm(const struct kvm_segment *from)
{
    struct segment s = { .base = from->base, .limit = from->limit, .selector = from->selector };
    s.access = (uint16_t)(from->type | from->s << 4 | from->dpl << 5 | (from->present && !from->unusable) << 7 | from->avl << 12 | from->l << 13
        | from->db << 14 | from->g << 15);
    return s;
}

static struct kvm_segment *segment_of(struct kvm_sregs *s, int index)
{
    struct kvm_segment *all[8] = { &s->es, &s->cs, &s->ss, &s->ds, &s->fs, &s->gs, &s->ldt, &s->tr };
    return all[index];
}

static int load(int cpu, const struct state *state)
{
    struct kvm_sregs s;
    if (ioctl(cpu, KVM_GET_SREGS, &s)) fail("KVM_GET_SREGS");
    for (int i = 0; i < 8; i++) *segment_of(&s, i) = to_kvm(&state->segments[i]);
    s.gdt.base = state->gdtr_base;
    s.gdt.limit = (uint16_t)state->gdtr_limit;
    s.idt.base = state->idtr_base;
    s.idt.limit = (uint16_t)state->idtr_limit;
    s.cr0 = state->cr0;
    s.cr2 = state->cr2;
    s.cr3 = state->cr3;
    s.cr4 = state->cr4;
    s.efer = state->efer;
    if (ioctl(cpu, KVM_SET_SREGS, &s)) return 0;

    const uint64_t *g = state->gpr;
    struct kvm_regs r = { .rax = g[0], .rcx = g[1], .rdx = g[2], .rbx = g[3], .rsp = g[4], .rbp = g[5], .rsi = g[6], .rdi = g[7], .r8 = g[8],
        .r9 = g[9], .r10 = g[10], .r11 = g[11], .r12 = g[12], .r13 = g[13], .r14 = g[14], .r15 = g[15], .rip = state->rip, .rflags = state->rflags };
    if (ioctl(cpu, KVM_SET_REGS, &r)) return 0;
    struct msr_list m = { .head.nmsrs = 8 };
    for (int i = 0; i < 8; i++) m.entries[i] = (struct kvm_msr_entry){ .index = msr_numbers[i], .data = state->msrs[i] };
    return ioctl(cpu, KVM_SET_MSRS, &m) == 8;
}

static void store(int cpu, struct state *state)
{
    struct kvm_sregs s;
    struct kvm_regs r;
    if (ioctl(cpu, KVM_GET_SREGS, &s) || ioctl(cpu, KVM_GET_REGS, &r)) fail("KVM_GET_REGS");
    for (int i = 0; i < 8; i++) state->segments[i] = from_kvm(segment_of(&s, i));
    state->gdtr_base = s.gdt.base;
    state->gdtr_limit = s.gdt.limit;
    state->idtr_base = s.idt.base;
    state->idtr_limit = s.idt.limit;
    state->cr0 = s.cr0;
    state->cr2 = s.cr2;
    state->cr3 = s.cr3;
    state->cr4 = s.cr4;
    state->efer = s.efer;
    const uint64_t g[16] = { r.rax, r.rcx, r.rdx, r.rbx, r.rsp, r.rbp, r.rsi, r.rdi, r.r8, r.r9, r.r10, r.r11, r.r12, r.r13, r.r14, r.r15 };
    memcpy(state->gpr, g, sizeof g);
    state->rip = r.rip;
    state->rflags = r.rflags;
    struct msr_list m = { .head.nmsrs = 8 };
    for (int i = 0; i < 8; i++) m.entries[i].index = msr_numbers[i];
    if (ioctl(cpu, KVM_GET_MSRS, &m) == 8)
        for (int i = 0; i < 8; i++) state->msrs[i] = m.entries[i].data;
}

static void run(struct state *state)
{
    int vm = ioctl(kvm, KVM_CREATE_VM, 0);
    if (vm < 0) fail("KVM_CREATE_VM");
    struct kvm_userspace_memory_region region = { .memory_size = MEMORY_SIZE, .userspace_addr = (uint64_t)memory };
    if (ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region)) fail("KVM_SET_USER_MEMORY_REGION");
    int cpu = ioctl(vm, KVM_CREATE_VCPU, 0);
    if (cpu < 0) fail("KVM_CREATE_VCPU");
    if (ioctl(cpu, KVM_SET_CPUID2, &cpuid)) fail("KVM_SET_CPUID2");
    struct kvm_run *kvm_run = mmap(NULL, (size_t)run_size, PROT_READ | PROT_WRITE, MAP_SHARED, cpu, 0);
    if (kvm_run == MAP_FAILED) fail("mmap");
    state->outcome = BAD_STATE;
    state->detail = 0;
    if (load(cpu, state)) {
        alarmed = 0;
        struct itimerval limit = { .it_value = { .tv_usec = 500000 } }, none = { 0 };
        setitimer(ITIMER_REAL, &limit, NULL);
        int result = ioctl(cpu, KVM_RUN, 0);
        setitimer(ITIMER_REAL, &none, NULL);
        state->detail = kvm_run->exit_reason;
        if (result < 0) state->outcome = errno == EINTR && alarmed ? TIMED_OUT : NO_ANSWER;
        else if (kvm_run->exit_reason == KVM_EXIT_HLT) state->outcome = HALTED;
        else if (kvm_run->exit_reason == KVM_EXIT_SHUTDOWN) state->outcome = SHUT_DOWN;
        else state->outcome = NO_ANSWER;
        store(cpu, state);
    }
    munmap(kvm_run, (size_t)run_size);
    close(cpu);
    close(vm);
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
    kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (kvm < 0 || ioctl(kvm, KVM_GET_API_VERSION, 0) != KVM_API_VERSION) fail("/dev/kvm");
    run_size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
    cpuid.head.nent = 256;
    if (ioctl(kvm, KVM_GET_SUPPORTED_CPUID, &cpuid)) fail("KVM_GET_SUPPORTED_CPUID");
    memory = mmap(NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) fail("mmap");
    struct sigaction action = { .sa_handler = on_alarm }; // without SA_RESTART: KVM_RUN returns
    if (sigaction(SIGALRM, &action, NULL)) fail("sigaction");
    struct state state;
    while (read_all(&state, sizeof state) && read_all(memory, MEMORY_SIZE)) {
        run(&state);
        write_all(&state, sizeof state);
        write_all(memory, MEMORY_SIZE);
    }
    return 0;
}
