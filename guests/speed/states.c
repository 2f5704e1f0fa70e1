// Exercises branches that nobody foresees, and a jump table: a state machine over text. Which words are numbers?
#include "speed.h"

enum state { START, SIGN, INTEGER, POINT, FRACTION, EXPONENT, SCALE, WRONG };
static u8 text[16384];

static NOINLINE u32 classify(void)
{
    u32 counts[8] = { 0 };
    enum state state = START;
    for (u32 i = 0; i < sizeof text; i++) {
        u8 c = text[i];
        if (c == ' ') {
            counts[state]++;
            state = START;
            continue;
        }
        int digit = c >= '0' && c <= '9';
        switch (state) {
        case START: state = digit ? INTEGER : c == '-' || c == '+' ? SIGN : c == '.' ? POINT : WRONG; break;
        case SIGN: state = digit ? INTEGER : c == '.' ? POINT : WRONG; break;
        case INTEGER: state = digit ? INTEGER : c == '.' ? FRACTION : c == 'e' ? EXPONENT : WRONG; break;
        case POINT: state = digit ? FRACTION : WRONG; break;
        case FRACTION: state = digit ? FRACTION : c == 'e' ? EXPONENT : WRONG; break;
        case EXPONENT: state = digit ? SCALE : c == '-' ? SCALE : WRONG; break;
        case SCALE: state = digit ? SCALE : WRONG; break;
        case WRONG: break;
        }
    }
    u32 sum = 0;
    for (u32 i = 0; i < 8; i++) sum = sum * 31 + counts[i];
    return sum;
}

u32 run(u32 rounds)
{
    static const u8 letters[] = "0123456789012345-+.e  x ";
    u32 state = 123456789, sum = 0;
    for (u32 i = 0; i < sizeof text; i++) text[i] = letters[next_random(&state) % (sizeof letters - 1)];
    for (u32 round = 0; round < rounds; round++) {
        text[round % sizeof text] = letters[round % 10];
        sum += classify();
    }
    return sum;
}
