// n accesses at random word addresses of a zeroed 16 MiB buffer, writes and
// reads in turn.
#include "guest.h"

enum { WORDS_LOG = 22 };
static uint32_t buffer[1 << WORDS_LOG];

int main(void) {
    uint32_t n = read_size(NULL, NULL);
    uint32_t x = 0x9e3779b9, sum = 0;
    for (uint32_t i = 0; i < n; i++) {
        x ^= x << 13, x ^= x >> 17, x ^= x << 5;
        uint32_t *word = &buffer[x >> (32 - WORDS_LOG)];
        if (i & 1) sum = (sum << 5 | sum >> 27) + (*word ^ x);
        else *word = sum + i;
    }
    write_u32(sum);
    return 0;
}
