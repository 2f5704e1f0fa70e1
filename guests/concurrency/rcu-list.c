// Exercises a list under read-copy-update: readers walk it without a lock while updaters replace its nodes.
#include "rcu.h"

#define LIVE 0x11feul
#define LENGTH 6ul
#define NODES (LENGTH + 2 * MAX_CPUS)
#define ROUNDS 40ul

typedef struct ListNode {
    RCUCallback callback;
    struct ListNode *volatile next;
    volatile u64 state, key, version, check; // check: key and version together
} ListNode;

ListNode *volatile list;
ListNode nodes[NODES];
volatile u64 walks, replacements;
static ListNode *freeNodes;
const char programName[] = "rcu-list";

static u64 check_of(u64 key, u64 version) { return key * 1000003 ^ version; }

// By the updater only.
static ListNode *node_allocate(u64 key, u64 version)
{
    ListNode *node = freeNodes;
    if (!node)
        BROKEN("no node is free");
    freeNodes = (ListNode *)node->callback.next;
    node->key = key;
    node->version = version;
    node->check = check_of(key, version);
    node->state = LIVE;
    return node;
}

static void node_free(RCUCallback *callback)
{
    ListNode *node = (ListNode *)callback;
    node->state = POISON;
    node->next = (ListNode *)POISON;
    node->key = node->version = node->check = POISON;
    node->callback.next = (RCUCallback *)freeNodes;
    freeNodes = node;
}

static void list_walk(u64 cpu)
{
    rcu_read_lock();
    u64 expected = 0;
    ListNode *node = list;
    while (node) {
        work(4);
        u64 key = node->key;
        bool isWhole = node->check == check_of(key, node->version) && key == expected++;
        ListNode *next = node->next;
        if (node->state != LIVE) {
            rcu.violations++;
            BROKEN("reader on vCPU %lu stands on node %lu, which was freed", cpu, (u64)(node - nodes));
        }
        if (!isWhole) {
            rcu.violations++;
            BROKEN("reader on vCPU %lu finds node %lu changed under it", cpu, (u64)(node - nodes));
        }
        node = next;
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
    while ((*link)->key != key)
        link = &(*link)->next;
    ListNode *old = *link, *new = node_allocate(key, old->version + 1);
    new->next = old->next;
    __atomic_store_n(link, new, __ATOMIC_RELEASE); // published
    replacements++;
    rcu_defer(&old->callback, node_free);
    rcu_synchronize();
    rcu_update_unlock();
}

void program_start(void)
{
    for (u64 i = 0; i < NODES; i++)
        node_free(&nodes[i].callback);
    for (u64 key = LENGTH; key-- > 0;) {
        ListNode *node = node_allocate(key, 0);
        node->next = list;
        list = node;
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
    for (ListNode *node = list; node; node = node->next)
        versions += node->version;
    if (versions != replacements || rcu.freed != replacements || rcu.callbackCount != 0)
        BROKEN("%lu replacements, %lu seen, %lu freed", replacements, versions, rcu.freed);
}
