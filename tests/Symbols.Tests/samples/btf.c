/* Every kind of type that BTF has and gcc makes, to be compared with what gdb says of the same source. */
#include <stddef.h>

enum colour { RED, GREEN = 7, BLUE };
enum sign { MINUS = -1, PLUS = 1 };
typedef unsigned long word;
typedef int (*handler)(const char *name, word count, ...);

union both { int number; float fraction; struct { short low, high; }; };

struct leaf { char letter; unsigned char byte; signed char small; _Bool yes; short half; double real; long double wide; };

struct bits { unsigned a : 3; unsigned b : 5; int c : 7; unsigned long d : 33; unsigned e : 1; char rest; };

struct node {
    struct node *next, **link;
    const volatile char *restrict text;
    handler call;
    word words[4];
    struct { int inner; union { long one; char two[8]; }; };
    union both both;
    enum colour colour;
    enum sign sign;
    struct bits bits;
    struct leaf leaves[3];
    struct unknown *elsewhere;
    unsigned long long tail[];
};

struct node *first;
static struct leaf some = { .letter = 'x' };

int function(struct node *node, const struct leaf *leaf, enum colour colour)
{
    union both both = { .number = colour };
    struct bits bits = { .a = 1 };
    return node->call((const char *)node->text, leaf->byte, both.fraction, bits.b, some.letter, first);
}

int main(void)
{
    return first ? function(first, &some, RED) : 0;
}
