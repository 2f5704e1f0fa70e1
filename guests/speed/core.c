// Exercises what a small controller does: a list is searched and sorted, integer matrices are multiplied, and all is summed up by a CRC.
#include "speed.h"

#define ITEMS 200
#define SIZE 24
struct item { struct item *next; u16 key, index; };
static struct item items[ITEMS];
static short left[SIZE][SIZE], right[SIZE][SIZE];
static int product[SIZE][SIZE];

static NOINLINE u16 crc(u16 sum, u32 value)
{
    for (int bit = 0; bit < 32; bit++) {
        u32 carry = (sum ^ value) & 1;
        sum >>= 1;
        value >>= 1;
        if (carry) sum ^= 0xa001;
    }
    return sum;
}

static NOINLINE struct item *find(struct item *list, u16 key)
{
    while (list && list->key != key) list = list->next;
    return list;
}

static NOINLINE struct item *merge(struct item *a, struct item *b)
{
    struct item head, *last = &head;
    while (a && b) {
        struct item **smaller = a->key <= b->key ? &a : &b;
        last->next = *smaller;
        last = *smaller;
        *smaller = last->next;
    }
    last->next = a ? a : b;
    return head.next;
}

static struct item *sort(struct item *list)
{
    if (!list || !list->next) return list;
    struct item *slow = list, *fast = list->next;
    while (fast && fast->next) {
        slow = slow->next;
        fast = fast->next->next;
    }
    struct item *second = slow->next;
    slow->next = 0;
    return merge(sort(list), sort(second));
}

static NOINLINE u16 multiply(u16 sum)
{
    for (int i = 0; i < SIZE; i++)
        for (int j = 0; j < SIZE; j++) {
            int total = 0;
            for (int k = 0; k < SIZE; k++) total += left[i][k] * right[k][j];
            product[i][j] = total;
        }
    for (int i = 0; i < SIZE; i++) sum = crc(sum, (u32)product[i][i]);
    return sum;
}

u32 run(u32 rounds)
{
    u32 state = 362436069;
    u16 sum = 0;
    for (u32 round = 0; round < rounds; round++) {
        for (int i = 0; i < ITEMS; i++) {
            items[i].next = i + 1 < ITEMS ? &items[i + 1] : 0;
            items[i].key = (u16)(next_random(&state) & 0x3ff);
            items[i].index = (u16)i;
        }
        for (int i = 0; i < SIZE; i++)
            for (int j = 0; j < SIZE; j++) {
                left[i][j] = (short)(i * j + (int)round);
                right[i][j] = (short)(i - j);
            }
        for (u16 key = 0; key < 16; key++) {
            struct item *found = find(items, (u16)(key * 61));
            sum = crc(sum, found ? found->index : 0xffff);
        }
        for (struct item *item = sort(items); item; item = item->next) sum = (u16)(sum + item->key * 3);
        sum = multiply(sum);
    }
    return sum;
}
