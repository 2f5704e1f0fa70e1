// Exercises a list under read-copy-update: readers walk it without a lock while updaters replace its nodes.
#include "rcu-node.h"

#define LENGTH 6ul
#define NODES (LENGTH + 2 * MAX_CPUS)
#define ROUNDS 40ul

typedef struct ListNode {
    RCUNode node;
    struct ListNode *volatile next;
} ListNode;

ListNode *volatile list;
ListNode nodes[NODES];
volatile u64 walks;
const char programName[] = "rcu-list";

static void node_free(RCUCallback *callback)
{
    ((ListNode *)callback)->next = (ListNode *)POISON;
    node_poison((RCUNode *)callback);
}

static void list_walk(u64 cpu)
{
    rcu_read_lock();
    u64 expected = 0;
    ListNode *at = list;
    while (at) {
        work(4);
        bool isWhole = node_is_whole(&at->node) && at->node.key == expected++;
        ListNode *next = at->next;
        node_expect(&at->node, isWhole, cpu, (u64)(at - nodes));
        at = next;
    }
    if (expected != LENGTH)
        BROKEN("reader on vCPU %lu finds %lu nodes", cpu, expected);
    __atomic_add_fetch(&walks, 1, __ATOMIC_RELAXED);
    rcu_read_unlock();
}

static void list_replace(u64 key)
{
    rcu_update_lock();
    ListNode *volatile *link = &list;
    while ((*link)->node.key != key)
        link = &(*link)->next;
    ListNode *new = (ListNode *)node_allocate(key, (*link)->node.version + 1);
    new->next = (*link)->next;
    node_replace((void *volatile *)link, &new->node, node_free);
    rcu_update_unlock();
}

void program_start(void)
{
    for (u64 i = 0; i < NODES; i++)
        node_free(&nodes[i].node.callback);
    for (u64 key = LENGTH; key-- > 0;) {
        ListNode *one = (ListNode *)node_allocate(key, 0);
        one->next = list;
        list = one;
    }
}

void program_run(u64 cpu)
{
    for (u64 round = 0; round < ROUNDS; round++) {
        list_walk(cpu);
        if (round % 4 == cpu % 4)
            list_replace((round + cpu) % LENGTH);
    }
}

void program_check(void)
{
    u64 versions = 0;
    list_walk(0);
    for (ListNode *one = list; one; one = one->next)
        versions += one->node.version;
    nodes_expect(versions);
}
