// Heapsort of n pseudo-random words. Output: the least word, the greatest one,
// and the sum over i of (i + 1) * sorted[i], modulo 2^32.
#include "guest.h"

enum { N_MAX = 1 << 20 };
static uint32_t a[N_MAX];

// Moves a[root] down until no child within a[0..size] exceeds it.
static void sift_down(uint32_t root, uint32_t size) {
    uint32_t value = a[root];
    for (;;) {
        uint32_t child = 2 * root + 1;
        if (child >= size) break;
        if (child + 1 < size && a[child] < a[child + 1]) child++;
        if (value >= a[child]) break;
        a[root] = a[child];
        root = child;
    }
    a[root] = value;
}

int main(void) {
    uint32_t n = read_size(NULL, NULL);
    if (n == 0 || n > N_MAX) fail("sort: n must be between 1 and 2^20");
    uint32_t x = 0x2545f491;
    for (uint32_t i = 0; i < n; i++) {
        x ^= x << 13, x ^= x >> 17, x ^= x << 5;
        a[i] = x;
    }

    for (uint32_t root = n / 2; root-- > 0;) sift_down(root, n);
    for (uint32_t end = n - 1; end > 0; end--) {
        uint32_t top = a[0];
        a[0] = a[end];
        a[end] = top;
        sift_down(0, end);
    }

    uint32_t sum = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (i > 0 && a[i - 1] > a[i]) fail("sort: out of order");
        sum += (i + 1) * a[i];
    }
    write_u32(a[0]);
    write_u32(a[n - 1]);
    write_u32(sum);
    return 0;
}
