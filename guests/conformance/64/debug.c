// Exercises single-step by RFLAGS.TF, hardware breakpoints and watchpoints by DR0..DR7, DR6, general detect, ICEBP.
#include "machine.h"

static u64 steps, lastDr6, lastRip, watched[4] __attribute__((aligned(32)));

static u64 read_dr6(void) { u64 v; __asm__ volatile("movq %%dr6, %0" : "=r"(v)); return v; }
static void write_dr6(u64 v) { __asm__ volatile("movq %0, %%dr6" : : "r"(v)); }
static void write_dr7(u64 v) { __asm__ volatile("movq %0, %%dr7" : : "r"(v) : "memory"); }
static u64 read_dr7(void) { u64 v; __asm__ volatile("movq %%dr7, %0" : "=r"(v)); return v; }
static void write_dr0(u64 v) { __asm__ volatile("movq %0, %%dr0" : : "r"(v)); }
static void write_dr1(u64 v) { __asm__ volatile("movq %0, %%dr1" : : "r"(v)); }

static bool count_steps(TrapFrame *frame)
{
    if (frame->vector != DB)
        return false;
    steps++;
    lastDr6 = read_dr6();
    lastRip = frame->rip;
    write_dr6(0xffff0ff0);
    frame->rflags |= 0x10000; // RF: an instruction breakpoint does not stop at the same place again
    return true;
}

static void begin(void)
{
    steps = lastDr6 = lastRip = 0;
    write_dr6(0xffff0ff0);
    onTrap = count_steps;
}

static u64 end(void)
{
    onTrap = 0;
    write_dr7(0x400);
    return steps;
}

static bool tfInHandler;

static bool resume_interrupt(TrapFrame *frame)
{
    if (frame->vector != 0x71)
        return count_steps(frame);
    u64 flags;
    __asm__ volatile("pushfq\n\tpopq %0" : "=r"(flags));
    tfInHandler = flags >> 8 & 1;
    return true;
}

#define TF_ON "pushfq\n\torl $0x100, (%%rsp)\n\tpopfq\n\t"
#define TF_OFF "pushfq\n\tandl $~0x100, (%%rsp)\n\tpopfq\n\t"

static void test_single_step(void)
{
    // The trap comes after each instruction that begins with TF set: three NOPs, PUSHFQ, ANDL and the POPFQ that clears it.
    begin();
    __asm__ volatile(TF_ON "nop\n\tnop\n\tnop\n\t" TF_OFF : : : "memory", "cc");
    check_equal(end(), 6, "single step: one trap per instruction (SDM 3B 17.3.1.4)");
    check_equal(lastDr6 & 0x4000, 0x4000, "single step: DR6.BS");
    begin();
    __asm__ volatile(TF_ON TF_OFF : : : "memory", "cc");
    check_equal(end(), 3, "single step: POPF that sets TF is not stepped itself");
    begin();
    __asm__ volatile(TF_ON "movl %%ss, %%eax\n\tmovl %%eax, %%ss\n\tnop\n\t" TF_OFF : : : "rax", "memory", "cc");
    check_equal(end(), 5, "single step: MOV SS holds the trap back for one instruction (SDM 3A 6.8.3)");
    u64 count = 5;
    void *to = watched, *from = &steps;
    static u8 buffer[16], source[16];
    to = buffer;
    from = source;
    begin();
    __asm__ volatile(TF_ON "rep movsb\n\t" TF_OFF : "+c"(count), "+D"(to), "+S"(from) : : "memory", "cc");
    check_equal(end(), 5 + 3, "single step: REP MOVSB traps after every iteration");
    begin();
    onTrap = resume_interrupt;
    __asm__ volatile(TF_ON "int $0x71\n\t" TF_OFF : : : "memory", "cc");
    check(end() == 3 && !tfInHandler, "single step: INT clears TF in the handler, IRET brings it back");
    begin();
    run_user(user_step, 0);
    check_equal(end(), 2, "single step: in ring 3");
}

static void test_breakpoints(void)
{
    extern char break_here[];
    begin();
    write_dr0((u64)break_here);
    write_dr7(0x402 | 0x400); // G0, execute
    u64 value = 0;
    __asm__ volatile("nop\n\t.globl break_here\nbreak_here:\n\taddq $1, %0" : "+r"(value) : : "cc");
    check_equal(end(), 1, "breakpoints: execution traps once");
    check_equal(lastRip, (u64)break_here, "breakpoints: before the instruction (a fault)");
    check_equal(lastDr6 & 0xf, 1, "breakpoints: DR6.B0");
    check_equal(value, 1, "breakpoints: RF lets the instruction go on");

    begin();
    write_dr1((u64)&watched[1]);
    write_dr7(0x400 | 8 | 0x9ul << 20); // G1, write, 8 bytes
    volatile u64 *words = watched;
    words[0] = 1;
    words[2] = 1;
    check_equal(steps, 0, "watchpoints: neighbours do not trap");
    (void)words[1];
    check_equal(steps, 0, "watchpoints: a read does not trap a write watch");
    words[1] = 1;
    check_equal(steps, 1, "watchpoints: a write traps");
    check_equal(lastDr6 & 0xf, 2, "watchpoints: DR6.B1");
    ((volatile u8 *)words)[15] = 1;
    check_equal(steps, 2, "watchpoints: the last byte is in");
    *(volatile u64 *)((u8 *)watched + 4) = 0;
    check_equal(end(), 3, "watchpoints: a store that overlaps traps");

    begin();
    write_dr0((u64)&watched[0] + 2);
    write_dr7(0x400 | 2 | 0x7ul << 16); // G0, read and write, 2 bytes
    (void)*(volatile u8 *)((u8 *)watched + 3);
    check_equal(steps, 1, "watchpoints: a read traps a read-write watch");
    (void)*(volatile u8 *)((u8 *)watched + 4);
    check_equal(end(), 1, "watchpoints: two bytes are two bytes");

    write_dr7(0);
    check_equal(read_dr7(), 0x400, "debug registers: DR7 bit 10 reads as one");
    write_dr6(0);
    check_equal(read_dr6() & 0xfffe0ff0, 0xfffe0ff0, "debug registers: DR6's reserved bits read as ones");
    TRY("movq %0, %%dr7", "r"(1ull << 32));
    check_fault(GP, 0, "debug registers: the upper half of DR7 is reserved");
    TRY("movq %0, %%dr6", "r"(1ull << 32));
    check_fault(GP, 0, "debug registers: the upper half of DR6 is reserved");
}

static bool note_general_detect(TrapFrame *frame)
{
    if (frame->vector != DB)
        return false;
    steps++;
    lastDr6 = read_dr6(); // GD is clear in the handler, so that this does not trap
    frame->rip = recoverRip;
    return true;
}

static void test_others(void)
{
    begin();
    onTrap = note_general_detect;
    write_dr7(0x2400); // GD
    TRY("movq %%dr0, %%rax", "r"(0));
    check_equal(end(), 1, "general detect: MOV from DR0 traps");
    check_equal(lastDr6 & 0x2000, 0x2000, "general detect: DR6.BD");
    begin();
    TRY(".byte 0xf1", "r"(0));
    check_equal(end(), 1, "icebp: F1 is vector 1");
    write_cr4(read_cr4() | 8);
    TRY(".byte 0x0f, 0x21, 0xe0", "r"(0)); // MOV RAX, DR4
    check_fault(UD, 0, "debug registers: DR4 with CR4.DE is #UD");
    begin();
    write_dr0(0xe9);
    write_dr7(0x400 | 2 | 0x2ul << 16); // G0, port, 1 byte
    (void)inb(0xe9);
    check_equal(end(), 1, "watchpoints: a port, with CR4.DE");
    write_cr4(read_cr4() & ~8ull);
}

void test_debug(void)
{
    test_single_step();
    test_breakpoints();
    test_others();
    write_dr7(0x400);
    write_dr6(0xffff0ff0);
}
