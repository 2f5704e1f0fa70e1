// Exercises loads that wait for loads: a list whose nodes lie in no order.
#include "speed.h"

#define COUNT 4096
struct node { struct node *next; u32 value; };
static struct node nodes[COUNT];
static u16 order[COUNT];

u32 run(u32 rounds)
{
    u32 state = 2463534242u, sum = 0;
    for (u32 i = 0; i < COUNT; i++) order[i] = (u16)i;
    for (u32 i = COUNT - 1; i > 0; i--) {
        u32 j = next_random(&state) % (i + 1);
        u16 kept = order[i];
        order[i] = order[j];
        order[j] = kept;
    }
    for (u32 i = 0; i < COUNT; i++) {
        nodes[order[i]].next = &nodes[order[(i + 1) % COUNT]];
        nodes[order[i]].value = i;
    }
    struct node *node = nodes;
    for (u32 round = 0; round < rounds; round++)
        for (u32 i = 0; i < COUNT; i++) {
            sum += node->value;
            node = node->next;
        }
    return sum;
}
