// Exercises the values that expressions are compared over with gdb: numbers, records, bit-fields, arrays and pointers, all in initialized data.
struct pair { short left; unsigned char right; };
union number { long whole; int half[2]; unsigned char bytes[8]; };
enum color { RED = 1, GREEN = 2, BLUE = 12 };
struct node {
    struct node *next;
    int value;
    unsigned low : 3;
    int high : 5;
    unsigned long long wide : 40;
    struct { int inner; union { int a; char b[4]; }; };
    struct pair pairs[3];
    union number number;
    enum color color;
    double real;
    float small;
    char name[8];
};
struct node second = { 0, -9, 5, -3, 0xabcdef1234, { 7, { 0x41424344 } }, { { 1, 2 }, { -3, 255 }, { 5, 6 } }, { 0x1122334455667788 }, BLUE, 2.5, -0.75f, "two" };
struct node first = { &second, 100, 7, -16, 1, { -1, { -2 } }, { { 10, 20 }, { 30, 40 }, { 50, 60 } }, { -1 }, GREEN, -1e3, 0.5f, "one" };
struct node *head = &first;
int matrix[2][3] = { { 1, 2, 3 }, { 4, 5, 6 } };
int *row = matrix[1];
unsigned char byte = 200;
signed char sbyte = -56;
unsigned short half = 65000;
int word = -123456;
unsigned int uword = 4000000000u;
long big = -5000000000;
unsigned long ubig = 0xfedcba9876543210;
char *text = "hello";
_Bool truth = 1;
int work(int x) { return x + word; }
int (*function)(int) = work;
int main(void) { return work((int)big) + truth; }
