// Exercises SSE2 arithmetic on doubles, two elements at a time: matrices are multiplied.
#include "speed.h"

#define SIZE 64
typedef double pair __attribute__((vector_size(16)));
static double left[SIZE][SIZE];
static pair right[SIZE][SIZE / 2], product[SIZE][SIZE / 2];

static NOINLINE void multiply(void)
{
    for (int i = 0; i < SIZE; i++)
        for (int j = 0; j < SIZE / 2; j++) {
            pair total = { 0, 0 };
            for (int k = 0; k < SIZE; k++) {
                pair factor = { left[i][k], left[i][k] };
                total += factor * right[k][j];
            }
            product[i][j] = total;
        }
}

u32 run(u32 rounds)
{
    double sum = 0;
    for (int i = 0; i < SIZE; i++)
        for (int j = 0; j < SIZE / 2; j++) {
            left[i][j] = i * 0.5 - j;
            left[i][j + SIZE / 2] = j / 3.0 + i;
            right[i][j] = (pair){ i / 7.0 - j, j * 0.25 };
        }
    for (u32 round = 0; round < rounds; round++) {
        left[round % SIZE][0] += 0.125;
        multiply();
        sum += product[round % SIZE][round % (SIZE / 2)][round & 1];
    }
    return (u32)(int)(sum / (rounds * 1024.0));
}
