// Every kind of C type that debug information describes differently from compiler to compiler.
typedef unsigned int u32;
typedef struct { int x, y; } point_t;
enum color { RED, GREEN = 5, BLUE };
enum level { LOW = -2, MIDDLE, HIGH = 1000 };
enum wide { NARROW = 1, WIDE = 0x100000000ll };
union number { int i; float f; double d; unsigned char bytes[8]; };
struct flags { unsigned a : 3; unsigned b : 7; int c : 5; unsigned long long d : 40; unsigned : 0; unsigned char e : 2; _Bool f : 1; } all_flags = { 5, 100, -3, 0x123456789aull, 2, 1 };
struct packed { char c; int i; short s; long long l; } __attribute__((packed)) packed_one = { 1, -2, 3, -4 };
struct anonymous { int tag; union { int number; char *text; struct { short low, high; }; }; } anonymous_one = { 7, { 9 } };
struct list { struct list *next, **previous; int (*compare)(const struct list *, const void *, ...); } list_one;
struct arrays { int one[4]; char two[3][5]; struct point { int x; } three[2]; int zero[0]; short flexible[]; };
struct arrays arrays_one = { { 1, 2, 3, 4 }, { "ab", "cd", "ef" }, { { 8 }, { 9 } } };
struct aligned { char c; int big __attribute__((aligned(32))); } aligned_one;
struct opaque;
struct opaque *opaque_pointer;
const volatile int *const restrict_free = 0;
int *restrict restricted;
_Atomic int atomic_one = 4;
typedef int vector4 __attribute__((vector_size(16)));
vector4 vector_one = { 1, 2, 3, 4 };
typedef int (*handler_t)(int, char *);
handler_t handlers[3];
long double extended = 1.5L;
float single_one = 0.5f;
double double_one = -2.25;
_Complex double complex_one;
__int128 huge = -5;
_Bool truth = 1;
signed char small = -1;
unsigned char byte = 200;
u32 typed = 0xdeadbeef;
point_t origin = { -1, 2 };
enum color color_one = BLUE;
enum level level_one = LOW;
enum wide wide_one = WIDE;
union number number_one = { 42 };
void (*signal_like(int, void (*)(int)))(int);
int (*array_pointer)[10];
int *pointer_array[10];
static int hidden = 77;

int main(int argc, char **argv)
{
    (void)argv;
    return argc + hidden + (handlers[0] == 0);
}
