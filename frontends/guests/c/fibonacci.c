// The n-th Fibonacci number modulo 2^32, by n additions.
#include "guest.h"

int main(void) {
    uint32_t n = read_size(NULL, NULL);
    uint32_t a = 0, b = 1;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t next = a + b;
        a = b;
        b = next;
    }
    write_u32(a);
    return 0;
}
