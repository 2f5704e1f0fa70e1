// Functions with and without inlining, loops, a switch, a cold path and recursion: what debug information has to describe.
struct node { struct node *next; int value; };

static int table[16];
int sink;

static inline int square(int x)
{
    int result = x * x;
    return result + table[x & 15];
}

static inline __attribute__((always_inline)) int twice_square(int x)
{
    int first = square(x);
    int second = square(x + 1);
    return first + second;
}

__attribute__((cold, noinline)) void report(int code)
{
    sink = code;
}

__attribute__((noinline)) int sum(struct node *list)
{
    int total = 0;
    for (struct node *n = list; n; n = n->next) {
        if (n->value < 0)
            report(n->value);
        total += twice_square(n->value);
    }
    return total;
}

__attribute__((noinline)) int choose(int which, int value)
{
    switch (which) {
    case 0: return value + 1;
    case 1: return value * 3;
    case 2: return square(value);
    case 3: return value / 7;
    case 4: return value - 9;
    default: break;
    }
    return which;
}

__attribute__((noinline)) int recurse(int depth)
{
    volatile int local = depth;
    if (depth <= 0)
        return 1;
    return recurse(depth - 1) + local;
}

__attribute__((section(".text.other"), noinline)) int elsewhere(int x) { return x ^ 0x55; }

int alias_of_recurse(int) __attribute__((alias("recurse")));

#ifdef FREESTANDING
void _start(void)
#else
int main(void)
#endif
{
    struct node second = { 0, 5 }, first = { &second, -3 };
    sink += sum(&first);
    for (int i = 0; i < 6; i++)
        sink += choose(i, sink);
    sink += recurse(4) + elsewhere(sink);
#ifndef FREESTANDING
    return 0;
#endif
}
