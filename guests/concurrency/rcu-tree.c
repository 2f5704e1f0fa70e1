// Exercises a search tree under read-copy-update: readers descend without a lock while updaters replace its nodes.
#include "rcu-node.h"

#define KEYS 15ul
#define NODES (KEYS + 2 * MAX_CPUS)
#define ROUNDS 60ul

typedef struct TreeNode {
    RCUNode node;
    struct TreeNode *volatile left, *volatile right;
} TreeNode;

TreeNode *volatile root;
TreeNode nodes[NODES];
volatile u64 lookups;
const char programName[] = "rcu-tree";

static void node_free(RCUCallback *callback)
{
    TreeNode *freed = (TreeNode *)callback;
    freed->left = freed->right = (TreeNode *)POISON;
    node_poison(&freed->node);
}

static void tree_look_up(u64 cpu, u64 wanted)
{
    rcu_read_lock();
    TreeNode *at = root;
    while (true) {
        if (!at)
            BROKEN("reader on vCPU %lu does not find key %lu", cpu, wanted);
        work(3);
        u64 key = at->node.key;
        bool isWhole = node_is_whole(&at->node);
        TreeNode *next = wanted < key ? at->left : at->right;
        node_expect(&at->node, isWhole, cpu, (u64)(at - nodes));
        if (key == wanted)
            break;
        at = next;
    }
    __atomic_add_fetch(&lookups, 1, __ATOMIC_RELAXED);
    rcu_read_unlock();
}

static void tree_replace(u64 key)
{
    rcu_update_lock();
    TreeNode *volatile *link = &root;
    while ((*link)->node.key != key)
        link = key < (*link)->node.key ? &(*link)->left : &(*link)->right;
    TreeNode *new = (TreeNode *)node_allocate(key, (*link)->node.version + 1);
    new->left = (*link)->left;
    new->right = (*link)->right;
    node_replace((void *volatile *)link, &new->node, node_free);
    rcu_update_unlock();
}

// Perfectly balanced: 7 is the root, 3 and 11 below it, and so on.
static TreeNode *tree_build(u64 from, u64 to)
{
    if (from == to)
        return NULL;
    u64 middle = (from + to) / 2;
    TreeNode *one = (TreeNode *)node_allocate(middle, 0);
    one->left = tree_build(from, middle);
    one->right = tree_build(middle + 1, to);
    return one;
}

void program_start(void)
{
    for (u64 i = 0; i < NODES; i++)
        node_free(&nodes[i].node.callback);
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

static u64 versions_below(TreeNode *top)
{
    return top ? top->node.version + versions_below(top->left) + versions_below(top->right) : 0;
}

void program_check(void)
{
    for (u64 key = 0; key < KEYS; key++)
        tree_look_up(0, key);
    nodes_expect(versions_below(root));
}
