// Exercises a lock-free stack (Treiber 1986); with BROKEN_LOCK its top has no tag, and nodes that are used again deceive compare-and-swap.
#include "guest.h"

#define NODES 8ul
#define ROUNDS 50ul
#define NOBODY 0xfful

// Nodes are numbered from 1, so that number and tag fit into what one compare-and-swap takes; 0: none.
typedef union StackTop {
    struct {
        u32 node, tag;
    };
    u64 whole;
} StackTop;

typedef struct StackNode {
    volatile u32 next;
    volatile u64 owner; // the vCPU that has popped it, or NOBODY
    volatile u64 value;
} StackNode;

typedef struct TreiberStack {
    volatile StackTop top;
} TreiberStack;

TreiberStack stack;
StackNode nodes[NODES + 1];
volatile u64 pops, pushes, retries, poppedSum, pushedSum;
const char programName[] = "stack";

static bool stack_swap(TreiberStack *stack, StackTop old, u32 node)
{
#ifdef BROKEN_LOCK
    StackTop new = {.node = node, .tag = 0};
#else
    StackTop new = {.node = node, .tag = old.tag + 1};
#endif
    if (__atomic_compare_exchange_n(&stack->top.whole, &old.whole, new.whole, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return true;
    __atomic_add_fetch(&retries, 1, __ATOMIC_RELAXED);
    return false;
}

// The number of a node, or 0 when there is none.
u32 stack_pop(TreiberStack *stack)
{
    while (true) {
        StackTop old = {.whole = stack->top.whole};
        if (old.node == 0)
            return 0;
        u32 next = nodes[old.node].next; // of a node that others may pop and push meanwhile
        if (stack_swap(stack, old, next))
            return old.node;
    }
}

void stack_push(TreiberStack *stack, u32 node)
{
    while (true) {
        StackTop old = {.whole = stack->top.whole};
        nodes[node].next = old.node;
        if (stack_swap(stack, old, node))
            return;
    }
}

static u32 take(u64 cpu)
{
    u32 node = stack_pop(&stack);
    if (node == 0)
        return 0;
    u64 owner = __atomic_exchange_n(&nodes[node].owner, cpu, __ATOMIC_ACQ_REL);
    if (owner != NOBODY)
        BROKEN("vCPU %lu pops node %lu, which vCPU %lu has", cpu, (u64)node, owner);
    __atomic_add_fetch(&pops, 1, __ATOMIC_RELAXED);
    __atomic_add_fetch(&poppedSum, nodes[node].value, __ATOMIC_RELAXED);
    return node;
}

static void give(u64 cpu, u32 node)
{
    u64 owner = __atomic_exchange_n(&nodes[node].owner, NOBODY, __ATOMIC_ACQ_REL);
    if (owner != cpu)
        BROKEN("vCPU %lu pushes node %lu, which %lu has", cpu, (u64)node, owner);
    __atomic_add_fetch(&pushes, 1, __ATOMIC_RELAXED);
    __atomic_add_fetch(&pushedSum, nodes[node].value, __ATOMIC_RELAXED);
    stack_push(&stack, node);
}

void program_start(void)
{
    for (u32 node = 1; node <= NODES; node++) {
        nodes[node].owner = NOBODY;
        nodes[node].value = 1ul << node;
        stack_push(&stack, node);
    }
}

void program_run(u64 cpu)
{
    for (u64 round = 0; round < ROUNDS; round++) {
        u32 a = take(cpu), b = take(cpu);
        work((cpu + round) % 5);
        if (a)
            give(cpu, a);
        if (b)
            give(cpu, b);
        work(4 + (cpu * 3 + round) % 7);
    }
}

void program_check(void)
{
    u64 values = 0, count = 0;
    for (u32 node = stack.top.node; node != 0 && count <= NODES; node = nodes[node].next) {
        values |= nodes[node].value;
        count++;
    }
    if (count != NODES || values != ((1ul << NODES) - 1) << 1)
        BROKEN("%lu nodes are left, their values are %lx", count, values);
    if (pops != pushes || poppedSum != pushedSum)
        BROKEN("%lu pops of %lu, %lu pushes of %lu", pops, poppedSum, pushes, pushedSum);
}
