// Nodes that are read under read-copy-update: their pool, and what a reader must find in one. Links to other nodes come behind, in each program's own type.
#pragma once
#include "rcu.h"

#define LIVE 0x11feul

typedef struct RCUNode {
    RCUCallback callback;
    volatile u64 state, key, version, check; // check: key and version together
} RCUNode;

volatile u64 replacements;
static RCUNode *freeNodes;

static u64 check_of(u64 key, u64 version) { return key * 1000003 ^ version; }

// By the updater only.
static RCUNode *node_allocate(u64 key, u64 version)
{
    RCUNode *node = freeNodes;
    if (!node)
        BROKEN("no node is free");
    freeNodes = (RCUNode *)node->callback.next;
    node->key = key;
    node->version = version;
    node->check = check_of(key, version);
    node->state = LIVE;
    return node;
}

// What is left in it is nothing that a reader can take for a node's.
static void node_poison(RCUNode *node)
{
    node->state = POISON;
    node->key = node->version = node->check = POISON;
    node->callback.next = (RCUCallback *)freeNodes;
    freeNodes = node;
}

static bool node_is_whole(const RCUNode *node) { return node->check == check_of(node->key, node->version); }

// By a reader that has read all of a node.
static void node_expect(const RCUNode *node, bool isWhole, u64 cpu, u64 index)
{
    bool isLive = node->state == LIVE;
    if (isLive && isWhole)
        return;
    rcu.violations++;
    if (!isLive)
        BROKEN("reader on vCPU %lu stands on node %lu, which was freed", cpu, index);
    BROKEN("reader on vCPU %lu finds node %lu changed under it", cpu, index);
}

// The version behind a published link, and the one that is freed when no reader can have it any more.
static void node_replace(void *volatile *link, RCUNode *new, void (*free)(RCUCallback *callback))
{
    RCUNode *old = *link;
    __atomic_store_n(link, new, __ATOMIC_RELEASE); // published
    replacements++;
    rcu_defer(&old->callback, free);
    rcu_synchronize();
}

static void nodes_expect(u64 versions)
{
    if (versions != replacements || rcu.freed != replacements || rcu.callbackCount != 0)
        BROKEN("%lu replacements, %lu seen, %lu freed", replacements, versions, rcu.freed);
}
