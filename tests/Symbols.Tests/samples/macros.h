/* Included twice: macros of a header hold from where it is included. */
#ifndef TWICE
#define TWICE(x) ((x) * 2)
#define HEADER_SIZE 64
#define FIELD inner.deep
static inline int halved(int x) { return x / 2; }
#else
#undef HEADER_SIZE
#define HEADER_SIZE 128
#endif
#define LAST_HEADER __LINE__
