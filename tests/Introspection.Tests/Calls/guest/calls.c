// Exercises calls of every kind: recursion, tail calls, loops at a function's first instruction, jumps out of functions, and arguments of many types.
typedef unsigned long word;
typedef long long wide;

#define FUNCTION __attribute__((noinline, noclone, noipa))

typedef struct Pair { int first; char second; } Pair;
typedef struct Mixed { double ratio; long count; } Mixed;
typedef struct Point { float x, y; } Point;
typedef struct Large { long values[5]; } Large;
typedef struct Trio { int a, b, c; } Trio;
typedef struct Blend { float x; int n; double y; } Blend;
typedef union Either { int number; float real; } Either;
typedef struct Bits { unsigned low : 3; int high : 5; } Bits;
typedef enum Colour { RED, GREEN = 5, BLUE = -1 } Colour;

word place[8];
volatile word sink;

word save_place(word *where);
void return_to_place(word *where) __attribute__((noreturn));

FUNCTION word factorial(word n) { return n < 2 ? 1 : n * factorial(n - 1); }

FUNCTION word is_odd(word n);
FUNCTION word is_even(word n) { return n == 0 ? 1 : is_odd(n - 1); }
FUNCTION word is_odd(word n) { return n == 0 ? 0 : is_even(n - 1); }

FUNCTION void spin(word n) { while (n-- > 0) sink = n; }

FUNCTION word leave(word depth)
{
    if (depth == 0) return_to_place(place);
    return leave(depth - 1) + 1;
}

FUNCTION word try_to(word which)
{
    if (save_place(place)) return which;
    return leave(which);
}

FUNCTION int integers(signed char a, unsigned short b, int c, unsigned d, long e, wide f, short g, unsigned char h)
{
    sink = (word)(a + b + c + d + e + f + g + h);
    return a - 1;
}
FUNCTION double floats(float a, double b, int c, double d) { sink = (word)c; return a + b + d; }
FUNCTION Pair pairs(Pair a, Pair b) { return (Pair){a.first + b.first, (char)(a.second + b.second)}; }
FUNCTION Mixed mixed(Mixed a, int b) { a.count += b; return a; }
FUNCTION Point points(Point a, Point b) { return (Point){a.x + b.x, a.y + b.y}; }
FUNCTION Large large(Large a, int b) { a.values[0] += b; return a; }
FUNCTION const char *text(const char *a, char b, Colour c, _Bool d, Bits e) { sink = (word)(b + c + d + e.low); return a + 1; }
FUNCTION wide wide_numbers(int a, wide b, int c) { return b + a + c; }
FUNCTION void nothing(void *a, int (*b)(signed char, unsigned short, int, unsigned, long, wide, short, unsigned char)) { sink = (word)a + (word)b; }
FUNCTION long double long_doubles(long double a, int b) { return a + b; }
FUNCTION long many(long a, long b, long c, long d, long e, long f, Mixed g, long h, Pair i) { return a + b + c + d + e + f + g.count + h + i.first; }
FUNCTION double many_floats(float a, float b, float c, float d, float e, float f, float g, double h, float i, double j) { return a + b + c + d + e + f + g + h + i + j; }
FUNCTION Trio trios(int before, Trio a) { a.c += before; return a; }
FUNCTION Blend blends(Blend a, float b) { a.x += b; return a; }
FUNCTION Either either(Either a) { a.number++; return a; }
FUNCTION Large after_memory(int a, Large b, int c) { b.values[1] = a - c; return b; }
FUNCTION Colour opposite(Colour a) { return a == GREEN ? BLUE : GREEN; }
FUNCTION _Bool is_empty(const char *a) { return a == 0; }
FUNCTION float half(float a) { return a / 2; }
FUNCTION signed char narrow(int a) { return (signed char)a; }
FUNCTION Large *no_large(Large *a) { sink = (word)a; return 0; }
FUNCTION int variadic(int count, const char *format, ...)
{
    __builtin_va_list list;
    __builtin_va_start(list, format);
    int sum = 0;
    while (count-- > 0) sum += __builtin_va_arg(list, int);
    __builtin_va_end(list);
    return sum;
}

#ifdef __i386__
#define REGPARM __attribute__((regparm(3)))
FUNCTION REGPARM int in_registers(int a, char b, wide c, int d) { return a + b + (int)c + d; }
FUNCTION REGPARM Pair pair_in_registers(Pair a, int b) { a.first += b; return a; }
FUNCTION REGPARM int floats_in_registers(float a, int b, double c, int d) { return (int)(a + c) + b + d; }
FUNCTION REGPARM int variadic_in_registers(int a, int b, ...) { return a + b; }
#endif

void guest_main(void)
{
    sink = factorial(7);
    sink = factorial(3);
    sink = is_even(9);
    sink = is_odd(4);
    for (word i = 0; i < 3; i++) spin(300 * i);
    for (word i = 0; i < 4; i++) sink = try_to(i);
    sink = (word)integers(-3, 65535, -70000, 4000000000u, -5, 0x123456789abcLL, -7, 200);
    sink = (word)floats(1.5f, -2.25, 42, 1e10);
    sink = (word)pairs((Pair){1, 'a'}, (Pair){-2, 1}).first;
    sink = (word)mixed((Mixed){0.5, 10}, 7).count;
    sink = (word)points((Point){1, 2}, (Point){0.25f, 0.5f}).x;
    sink = (word)large((Large){{1, 2, 3, 4, -5}}, 9).values[0];
    sink = (word)text("hello \"guest\"\n", 'x', BLUE, 1, (Bits){5, -3});
    sink = (word)wide_numbers(1, -0x100000000LL, 2);
    nothing(place, integers);
    sink = (word)long_doubles(2.5L, 3);
    sink = (word)many(1, 2, 3, 4, 5, -6, (Mixed){-0.125, 70}, 8, (Pair){9, '\n'});
    sink = (word)many_floats(1, 2, 3, 4, 5, 6, 7, 8.5, -9, 1e-3);
    sink = (word)trios(4, (Trio){1, -2, 3}).c;
    sink = (word)blends((Blend){0.5f, -1, 2.5}, 0.25f).x;
    sink = (word)either((Either){41}).number;
    sink = (word)after_memory(1, (Large){{10, 20, 30, 40, 50}}, 2).values[1];
    sink = (word)opposite(GREEN);
    sink = (word)is_empty(0);
    sink = (word)half(-0.5f);
    sink = (word)narrow(0x1FF);
    sink = (word)no_large((Large *)place);
    sink = (word)variadic(3, "%d", 10, 20, -5);
#ifdef __i386__
    sink = (word)in_registers(1, 'b', 0x200000003LL, 4);
    sink = (word)pair_in_registers((Pair){1, 'a'}, 7).first;
    sink = (word)floats_in_registers(0.5f, 2, 1.5, 4);
    sink = (word)variadic_in_registers(5, 6, 7);
#endif
    save_place(place);
}
