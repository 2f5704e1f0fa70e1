// Variables in registers, on the stack, in pieces, as constants and nowhere: blocks, shadowing, inlining, statics and an entry value.
struct pair { int first, second; };
static int table[8] = { 3, 1, 4, 1, 5, 9, 2, 6 };
int sink;
extern int sink;

__attribute__((noinline)) void stop(int where)
{
    sink += where;
    __asm__ volatile("" ::: "memory");
}

static inline int scaled(int value, int by)
{
    int product = value * by;
    const int bias = 17;
    stop(1);
    return product + bias;
}

static inline struct pair swapped(struct pair p)
{
    struct pair q = { p.second, p.first };
    stop(2);
    return q;
}

__attribute__((noinline)) int blocks(int count, const char *name, double factor)
{
    static int calls;
    int total = 0;
    calls++;
    for (int i = 0; i < count; i++) {
        int total = i * 10;
        {
            short total = (short)(i + 1);
            sink += total;
            stop(3);
        }
        sink += total;
    }
    struct pair p = { count, total };
    struct pair r = swapped(p);
    unsigned char small = (unsigned char)(count + 250);
    total += r.first + scaled(count, 7) + name[0] + (int)factor + small;
    stop(4);
    return total;
}

__attribute__((noinline)) int clobbered(int early, long late)
{
    int copy = early + 1;
    stop(5);
    stop(early & 1);
    return (int)late + copy;
}

__attribute__((noinline)) long many(long a, long b, long c, long d, long e, long f, long g, long h)
{
    long sums[4] = { a + b, c + d, e + f, g + h };
    stop(6);
    return sums[table[a & 7] & 3];
}

int main(void)
{
    int result = blocks(3, "name", 2.5);
    result += clobbered(4, 5l);
    result += (int)many(1, 2, 3, 4, 5, 6, 7, 8);
    sink += result;
    return 0;
}

#ifdef FREESTANDING
void _start(void)
{
    main();
    __asm__ volatile("int $0x80" : : "a"(1), "b"(0));
}
#endif
