// Values that are wider than a register, in vector registers, in pieces, of a size that is only known when the program runs, and parts of words.
typedef float four __attribute__((vector_size(16)));
typedef int ints __attribute__((vector_size(16)));
int sink;
__attribute__((noinline)) void stop(int where)
{
    sink += where;
    __asm__ volatile("" ::: "memory");
}
struct fields { unsigned a : 3; int b : 13; unsigned long long c : 40; _Bool d : 1; unsigned e : 31; };
struct pair { long first, second; };
struct mixed { double real; int whole; };

__attribute__((noinline)) int arrays(int count, int width)
{
    int line[count];
    short table[count][width];
    for (int i = 0; i < count; i++) {
        line[i] = i * 3;
        for (int j = 0; j < width; j++) table[i][j] = (short)(i * 10 + j);
    }
    stop(1);
    return line[count - 1] + table[count - 1][width - 1];
}

__attribute__((noinline)) int wide(long seed, float factor)
{
    __int128 large = (__int128)seed << 70;
    unsigned __int128 other = (unsigned __int128)large + 5;
    long double extended = 1.5L * seed;
    _Complex double complex = seed + 2.5 * __extension__ 1.0i;
    four vector = { factor, 2.0f, -3.5f, factor * 2 };
    ints numbers = { 1, -2, (int)seed, 4 };
    struct fields fields = { 5, -100, 0x123456789aull, 1, 77 };
    struct pair pair = { seed, seed * 2 };
    struct mixed mixed = { factor, (int)seed };
    stop(2);
    float sum = vector[0] + vector[3];
    stop(3);
    return (int)(large >> 70) + (int)other + (int)extended + (int)__real__ complex + numbers[2] + fields.b + (int)pair.second + (int)mixed.real + (int)sum;
}

static inline int held(struct pair p, double real, float small)
{
    struct pair q = { p.second + 1, p.first };
    double product = real * small;
    const struct mixed constant = { 2.5, 7 };
    stop(4);
    return (int)(q.first + q.second) + (int)product + constant.whole;
}

__attribute__((noinline)) int caller(long a, double b)
{
    struct pair p = { a, a + 1 };
    return held(p, b, (float)a) + (int)p.first;
}

int main(void)
{
    int result = arrays(3, 2) + wide(9, 1.25f) + caller(4, 2.5);
    sink += result;
    return 0;
}
