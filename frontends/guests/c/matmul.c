// Product of two pseudo-random n x n matrices modulo 2^32. Output: the sum of
// the diagonal, and the product's entries folded by h = 31 * h + entry.
#include "guest.h"

enum { N_MAX = 512 };
static uint32_t a[N_MAX][N_MAX], b[N_MAX][N_MAX];

int main(void) {
    uint32_t n = read_size(NULL, NULL);
    if (n == 0 || n > N_MAX) fail("matmul: n must be between 1 and 512");
    uint32_t x = 0x6c078965;
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t j = 0; j < n; j++) {
            x ^= x << 13, x ^= x >> 17, x ^= x << 5;
            a[i][j] = x;
            x ^= x << 13, x ^= x >> 17, x ^= x << 5;
            b[i][j] = x;
        }
    }

    uint32_t trace = 0, fold = 0;
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t j = 0; j < n; j++) {
            uint32_t entry = 0;
            for (uint32_t k = 0; k < n; k++) entry += a[i][k] * b[k][j];
            if (i == j) trace += entry;
            fold = 31 * fold + entry;
        }
    }
    write_u32(trace);
    write_u32(fold);
    return 0;
}
