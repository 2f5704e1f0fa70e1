#include "macros.h"
#define ONLY_THERE (HEADER_SIZE + 2)
#define PAGE_SHIFT 16

int other(void)
{
    return ONLY_THERE << PAGE_SHIFT;
}
