#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include "macros.h"
#define PAGE_SHIFT 12
#define PAGE_SIZE (1UL << PAGE_SHIFT)
#define PAGE_MASK (~(PAGE_SIZE - 1))
#define ONE_PLUS 1 + 1
#define EMPTY
#define SELF SELF
#define FIRST SECOND + 1
#define SECOND FIRST
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define ADD3(a, b, c) a + b + c
#define LIST(...) ADD3(__VA_ARGS__)
#define TAIL(first, rest...) ADD3(first, rest)
#define JOIN(a, b) a##b
#define TEXT(x) #x
#define TEXT_OF(x) TEXT(x)
#define NOTHING() 5
#define CALLED PICK
#define PICK(a, b) b
#define WORD unsigned short
#define GLOBAL counter
#define POINTER (&object)
#define DEEP object.FIELD
#define MASK(n) (((n) == 64) ? ~0ULL : (1ULL << (n)) - 1)
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define LETTER 'x'
#define REAL 1.5
#define STATEMENT ({ int y = counter; y; })
#define CALL() work(3)

struct object { int first; struct { int deep; } inner; } object = { 7, { 9 } };
int counter = 41;
short numbers[10];
enum kind { MEMBER = 5 } kind = MEMBER;
#define MEMBER MEMBER

__attribute__((noinline)) int work(int x)
{
#define LOCAL_LIMIT 10
    int PAGE_SHIFT_2 = x + LOCAL_LIMIT;
#undef LOCAL_LIMIT
#define LOCAL_LIMIT 20
    int inner = PAGE_SHIFT_2 + LOCAL_LIMIT;
#undef LOCAL_LIMIT
    return inner + halved(x);
}
#include "macros.h"
#define AFTER 77

int other(void);

int main(void)
{
    printf("%d %d\n", work(HEADER_SIZE), other());
    return 0;
}
