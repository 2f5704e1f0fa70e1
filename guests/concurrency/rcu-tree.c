// Exercises a search tree under read-copy-update: readers descend without a lock while updaters replace its nodes.
#include "rcu.h"

#define LIVE 0x7eeul
#define KEYS 15ul
#define NODES (KEYS + 2 * MAX_CPUS)
#define ROUNDS 60ul

typedef struct TreeNode {
    RCUCallback callback;
    struct TreeNode *volatile left, *volatile right;
    volatile u64 state, key, version, check; // check: key and version together
} TreeNode;

TreeNode *volatile root;
TreeNode nodes[NODES];
volatile u64 lookups, replacements;
static TreeNode *freeNodes;
const char programName[] = "rcu-tree";

static u64 check_of(u64 key, u64 version) { return key * 1000003 ^ version; }

// By the updater only.
static TreeNode *node_allocate(u64 key, u64 version)
{
    TreeNode *node = freeNodes;
    if (!node)
        BROKEN("no node is free");
    freeNodes = (TreeNode *)node->callback.next;
    node->key = key;
    node->version = version;
    node->check = check_of(key, version);
    node->state = LIVE;
    return node;
}

static void node_free(RCUCallback *callback)
{
    TreeNode *node = (TreeNode *)callback;
    node->state = POISON;
    node->left = node->right = (TreeNode *)POISON;
    node->key = node->version = node->check = POISON;
    node->callback.next = (RCUCallback *)freeNodes;
    freeNodes = node;
}

static void tree_look_up(u64 cpu, u64 wanted)
{
    rcu_read_lock();
    TreeNode *node = root;
    while (true) {
        if (!node)
            BROKEN("reader on vCPU %lu does not find key %lu", cpu, wanted);
        work(3);
        u64 key = node->key;
        bool isWhole = node->check == check_of(key, node->version);
        TreeNode *next = wanted < key ? node->left : node->right;
        if (node->state != LIVE) {
            rcu.violations++;
            BROKEN("reader on vCPU %lu stands on node %lu, which was freed", cpu, (u64)(node - nodes));
        }
        if (!isWhole) {
            rcu.violations++;
            BROKEN("reader on vCPU %lu finds node %lu changed under it", cpu, (u64)(node - nodes));
        }
        if (key == wanted)
            break;
        node = next;
    }
    __atomic_add_fetch(&lookups, 1, __ATOMIC_RELAXED);
    rcu_read_unlock();
}

static void tree_replace(u64 key)
{
    rcu_update_lock();
    TreeNode *volatile *link = &root;
    while ((*link)->key != key)
        link = key < (*link)->key ? &(*link)->left : &(*link)->right;
    TreeNode *old = *link, *new = node_allocate(key, old->version + 1);
    new->left = old->left;
    new->right = old->right;
    __atomic_store_n(link, new, __ATOMIC_RELEASE); // published
    replacements++;
    rcu_defer(&old->callback, node_free);
    rcu_synchronize();
    rcu_update_unlock();
}

// Perfectly balanced: 7 is the root, 3 and 11 below it, and so on.
static TreeNode *tree_build(u64 from, u64 to)
{
    if (from == to)
        return NULL;
    u64 middle = (from + to) / 2;
    TreeNode *node = node_allocate(middle, 0);
    node->left = tree_build(from, middle);
    node->right = tree_build(middle + 1, to);
    return node;
}

void program_start(void)
{
    for (u64 i = 0; i < NODES; i++)
        node_free(&nodes[i].callback);
    root = tree_build(0, KEYS);
}

void program_run(u64 cpu)
{
    for (u64 round = 0; round < ROUNDS; round++) {
        tree_look_up(cpu, (round * 7 + cpu * 3) % KEYS);
        if (round % 4 == cpu % 4)
            tree_replace((round * 5 + cpu) % KEYS);
    }
}

static u64 versions_below(TreeNode *node)
{
    return node ? node->version + versions_below(node->left) + versions_below(node->right) : 0;
}

void program_check(void)
{
    for (u64 key = 0; key < KEYS; key++)
        tree_look_up(0, key);
    u64 versions = versions_below(root);
    if (versions != replacements || rcu.freed != replacements || rcu.callbackCount != 0)
        BROKEN("%lu replacements, %lu seen, %lu freed", replacements, versions, rcu.freed);
}
