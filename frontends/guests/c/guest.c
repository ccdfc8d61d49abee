#include "guest.h"

enum { SYS_READ = 63, SYS_WRITE = 64, SYS_EXIT = 93 };
enum { FD_INPUT = 0, FD_DEBUG = 2, FD_OUTPUT = 3 };
enum { INPUT_MAX = 1 << 20 };

static long syscall3(long number, long x, long y, long z) {
    register long a0 __asm__("a0") = x;
    register long a1 __asm__("a1") = y;
    register long a2 __asm__("a2") = z;
    register long a7 __asm__("a7") = number;
    __asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a7) : "memory");
    return a0;
}

void exit(int code) {
    syscall3(SYS_EXIT, code, 0, 0);
    for (;;) __asm__ volatile(".word 0xc0001073");  // unimp: exit does not return
}

void abort(void) { exit(1); }

static void write_all(int fd, const uint8_t *data, size_t size) {
    while (size > 0) {
        long written = syscall3(SYS_WRITE, fd, (long)data, (long)size);
        if (written <= 0) abort();
        data += written;
        size -= (size_t)written;
    }
}

void write_output(const uint8_t *data, size_t size) { write_all(FD_OUTPUT, data, size); }

void fail(const char *message) {
    size_t size = 0;
    while (message[size]) size++;
    write_all(FD_DEBUG, (const uint8_t *)message, size);
    write_all(FD_DEBUG, (const uint8_t *)"\n", 1);
    abort();
}

void read_input(const uint8_t **data, size_t *size) {
    static uint8_t input[INPUT_MAX + 1];
    static size_t length;
    static int done;
    while (!done) {
        long got = syscall3(SYS_READ, FD_INPUT, (long)(input + length), (long)(sizeof input - length));
        if (got < 0) fail("input: read failed");
        length += (size_t)got;
        if (length > INPUT_MAX) fail("input: longer than 1 MiB");
        done = got == 0;
    }
    *data = input;
    *size = length;
}

void write_u32(uint32_t word) {
    uint8_t bytes[4] = {(uint8_t)word, (uint8_t)(word >> 8), (uint8_t)(word >> 16), (uint8_t)(word >> 24)};
    write_output(bytes, sizeof bytes);
}

uint32_t read_size(const uint8_t **rest, size_t *rest_size) {
    const uint8_t *data;
    size_t size;
    read_input(&data, &size);
    if (size < 4) fail("input: expected a 4-byte little-endian size");
    if (rest) {
        *rest = data + 4;
        *rest_size = size - 4;
    } else if (size != 4) {
        fail("input: unexpected bytes after the 4-byte size");
    }
    return (uint32_t)data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16 | (uint32_t)data[3] << 24;
}
