// The corners of RV32IM. Each section folds what its instructions produce into
// a word and writes it; the last section folds the private input, which may
// have any length.
#include "guest.h"

static uint32_t h;

static void fold(uint32_t value) { h = ((h << 5 | h >> 27) ^ value) * 0x01000193; }

static void section(void) {
    write_u32(h);
    h = 0x811c9dc5;
}

static const uint32_t VALUES[] = {
    0, 1, 2, 7, 31, 33, 0x12345678, 0x7fff8000, 0x7fffffff, 0x80000000, 0x80000001, 0xdeadbeef, 0xfffffff9, 0xffffffff,
};
enum { COUNT = sizeof VALUES / sizeof VALUES[0] };
#define FOR_PAIRS(a, b)                                      \
    for (int i_ = 0; i_ < COUNT; i_++)                       \
        for (int j_ = 0, once_; j_ < COUNT; j_++)            \
            for (uint32_t a = (once_ = 1, VALUES[i_]), b = VALUES[j_]; once_; once_ = 0)

// op rd, rs1, rs2; also with rd = rs1, rd = rs2, and rs1 = rs2.
#define REGISTER(op, a, b)                                                          \
    do {                                                                            \
        uint32_t r, s = a, t = b, u;                                                \
        __asm__ volatile(op " %0, %1, %2" : "=r"(r) : "r"(a), "r"(b));              \
        __asm__ volatile(op " %0, %0, %1" : "+r"(s) : "r"(b));                      \
        __asm__ volatile(op " %0, %1, %0" : "+r"(t) : "r"(a));                      \
        __asm__ volatile(op " %0, %1, %1" : "=r"(u) : "r"(a));                      \
        fold(r), fold(s), fold(t), fold(u);                                         \
    } while (0)

#define IMMEDIATE(op, imm, a)                                                       \
    do {                                                                            \
        uint32_t r;                                                                 \
        __asm__ volatile(op " %0, %1, " #imm : "=r"(r) : "r"(a));                   \
        fold(r);                                                                    \
    } while (0)

static void arithmetic(void) {
    FOR_PAIRS(a, b) {
        REGISTER("add", a, b);
        REGISTER("sub", a, b);
        REGISTER("xor", a, b);
        REGISTER("or", a, b);
        REGISTER("and", a, b);
        REGISTER("slt", a, b);
        REGISTER("sltu", a, b);
    }
    section();
    // The amounts include numbers above 31, of which the low five bits count.
    FOR_PAIRS(a, b) {
        REGISTER("sll", a, b);
        REGISTER("srl", a, b);
        REGISTER("sra", a, b);
    }
    section();
    FOR_PAIRS(a, b) {
        REGISTER("mul", a, b);
        REGISTER("mulh", a, b);
        REGISTER("mulhsu", a, b);
        REGISTER("mulhu", a, b);
    }
    section();
    // The pairs include division by zero and the signed overflow.
    FOR_PAIRS(a, b) {
        REGISTER("div", a, b);
        REGISTER("divu", a, b);
        REGISTER("rem", a, b);
        REGISTER("remu", a, b);
    }
    section();
}

#define IMMEDIATES(op, a)                                                           \
    IMMEDIATE(op, 0, a); IMMEDIATE(op, 1, a); IMMEDIATE(op, -1, a);                 \
    IMMEDIATE(op, 1365, a); IMMEDIATE(op, 2047, a); IMMEDIATE(op, -2048, a)
#define AMOUNTS(op, a)                                                              \
    IMMEDIATE(op, 0, a); IMMEDIATE(op, 1, a); IMMEDIATE(op, 15, a);                 \
    IMMEDIATE(op, 16, a); IMMEDIATE(op, 30, a); IMMEDIATE(op, 31, a)

static void immediates(void) {
    for (int i = 0; i < COUNT; i++) {
        uint32_t a = VALUES[i];
        IMMEDIATES("addi", a);
        IMMEDIATES("xori", a);
        IMMEDIATES("ori", a);
        IMMEDIATES("andi", a);
        IMMEDIATES("slti", a);
        IMMEDIATES("sltiu", a);
        AMOUNTS("slli", a);
        AMOUNTS("srli", a);
        AMOUNTS("srai", a);
    }
    uint32_t r, s;
    __asm__ volatile("lui %0, 0" : "=r"(r));
    fold(r);
    __asm__ volatile("lui %0, 0x7ffff" : "=r"(r));
    fold(r);
    __asm__ volatile("lui %0, 0xfffff" : "=r"(r));
    fold(r);
    // The difference of two auipc does not depend on where the code lies.
    __asm__ volatile("auipc %0, 0xfffff\n auipc %1, 0x80000" : "=&r"(r), "=r"(s));
    fold(s - r);
    section();
}

#define BRANCH(op, a, b)                                                            \
    do {                                                                            \
        uint32_t forward, back;                                                     \
        __asm__ volatile("li %0, 1\n " op " %1, %2, 1f\n li %0, 2\n1:"              \
                         : "=&r"(forward) : "r"(a), "r"(b));                        \
        __asm__ volatile("li %0, 4\n j 2f\n"                                        \
                         "1: li %0, 8\n j 3f\n"                                     \
                         "2: " op " %1, %2, 1b\n3:"                                 \
                         : "=&r"(back) : "r"(a), "r"(b));                           \
        fold(forward | back);                                                       \
    } while (0)

static void branches(void) {
    FOR_PAIRS(a, b) {
        BRANCH("beq", a, b);
        BRANCH("bne", a, b);
        BRANCH("blt", a, b);
        BRANCH("bge", a, b);
        BRANCH("bltu", a, b);
        BRANCH("bgeu", a, b);
    }
    section();
}

static void jumps(void) {
    uint32_t link, base, mark;
    // The target's low bit is cleared, whether the register or the offset sets it.
    __asm__ volatile("la %1, 1f\n li %2, 0\n jalr %0, 1(%1)\n li %2, 1\n1: sub %0, %0, %1"
                     : "=&r"(link), "=&r"(base), "=&r"(mark));
    fold(link), fold(mark);
    __asm__ volatile("la %1, 1f + 1\n li %2, 0\n jalr %0, 0(%1)\n li %2, 1\n1: sub %0, %0, %1"
                     : "=&r"(link), "=&r"(base), "=&r"(mark));
    fold(link), fold(mark);
    __asm__ volatile("la %1, 1f + 1\n li %2, 0\n jalr %0, -1(%1)\n li %2, 1\n1: sub %0, %0, %1"
                     : "=&r"(link), "=&r"(base), "=&r"(mark));
    fold(link), fold(mark);
    // The target is read before the link is written.
    __asm__ volatile("la %0, 1f\n mv %1, %0\n li %2, 0\n jalr %0, 0(%0)\n li %2, 1\n1: sub %0, %0, %1"
                     : "=&r"(link), "=&r"(base), "=&r"(mark));
    fold(link), fold(mark);
    // Offsets at both ends of the range, without a link.
    __asm__ volatile("la %0, 1f - 2047\n li %1, 0\n jalr x0, 2047(%0)\n li %1, 1\n1:"
                     : "=&r"(base), "=&r"(mark));
    fold(mark);
    __asm__ volatile("la %0, 1f + 2048\n li %1, 0\n jalr x0, -2048(%0)\n li %1, 1\n1:"
                     : "=&r"(base), "=&r"(mark));
    fold(mark);
    // jal, forwards and backwards.
    __asm__ volatile("li %2, 0\n j 2f\n1: addi %2, %2, 1\n j 3f\n2: la %1, 2b\n jal %0, 1b\n3: sub %0, %0, %1"
                     : "=&r"(link), "=&r"(base), "=&r"(mark));
    fold(link), fold(mark);
    section();
}

// Two pages, so that accesses cross a page as well as a word. The two windows
// in use are [0, 64) and [4064, 4160).
static uint8_t bytes[8192] __attribute__((aligned(4096)));
static int next_byte(int i) { return i == 63 ? 4064 : i + 1; }
#define FOR_BYTES(i) for (int i = 0; i < 4160; i = next_byte(i))

#define LOAD(op, p)                                                                 \
    do {                                                                            \
        uint32_t r, s, t;                                                           \
        __asm__ volatile(op " %0, 0(%1)" : "=r"(r) : "r"(p) : "memory");            \
        __asm__ volatile(op " %0, -3(%1)" : "=r"(s) : "r"((p) + 3) : "memory");     \
        t = (uint32_t)(p);                                                          \
        __asm__ volatile(op " %0, 0(%0)" : "+r"(t) : : "memory");                   \
        fold(r), fold(s), fold(t);                                                  \
    } while (0)
#define STORE(op, p, v)                                                             \
    __asm__ volatile(op " %1, 5(%0)" : : "r"((p) - 5), "r"(v) : "memory")

static void memory(void) {
    static const uint32_t OFFSETS[] = {16, 4088};
    FOR_BYTES(i) bytes[i] = (uint8_t)(i * 167 + (i >> 8) + 13);
    for (int o = 0; o < 2; o++) {
        for (uint32_t k = 0; k < 12; k++) {
            uint8_t *p = bytes + OFFSETS[o] + k;
            LOAD("lb", p);
            LOAD("lbu", p);
            LOAD("lh", p);
            LOAD("lhu", p);
            LOAD("lw", p);
        }
    }
    section();
    for (int o = 0; o < 2; o++) {
        for (uint32_t k = 0; k < 12; k++) {
            uint8_t *p = bytes + OFFSETS[o] + k;
            for (int i = 0; i < COUNT; i++) {
                STORE("sb", p, VALUES[i]);
                LOAD("lw", p - 2);
                STORE("sh", p, ~VALUES[i]);
                LOAD("lw", p - 2);
                STORE("sw", p, VALUES[i] * 3);
                LOAD("lw", p - 2);
                LOAD("lw", p + 1);
            }
        }
    }
    FOR_BYTES(i) fold(bytes[i]);
    section();
}

static void zero_register(void) {
    uint32_t r, base;
#define ZERO(text) __asm__ volatile(text "\n mv %0, x0" : "=r"(r) : "r"(bytes), "r"(0x1234567) : "memory"); fold(r)
    ZERO("addi x0, %2, 5");
    ZERO("add x0, %2, %2");
    ZERO("lui x0, 0x12345");
    ZERO("auipc x0, 0x12345");
    ZERO("lw x0, 1(%1)");
    ZERO("lbu x0, 3(%1)");
    ZERO("sltiu x0, x0, 1");
    ZERO("mul x0, %2, %2");
    ZERO("divu x0, %2, x0");
    ZERO("remu x0, %2, x0");
    ZERO("jal x0, 1f\n1:");
    __asm__ volatile("la %1, 1f\n jalr x0, 0(%1)\n1: mv %0, x0" : "=r"(r), "=&r"(base));
    fold(r);
    __asm__ volatile("sw x0, 2(%0)" : : "r"(bytes) : "memory");
    fold(bytes[2] | bytes[3] | bytes[4] | bytes[5]);
    ZERO("fence rw, rw");
    section();
}

static long ecall(long number, long fd, void *data, long size) {
    register long a0 __asm__("a0") = fd;
    register void *a1 __asm__("a1") = data;
    register long a2 __asm__("a2") = size;
    register long a7 __asm__("a7") = number;
    __asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a7) : "memory");
    return a0;
}

static void calls(void) {
    // Writes of every small length, zero included, from every alignment.
    for (long k = 0; k < 4; k++)
        for (long size = 0; size < 6; size++) fold((uint32_t)ecall(64, 3, bytes + 32 + k, size));
    // The debug channels.
    fold((uint32_t)ecall(64, 1, "isa_edge: fd 1\n", 15));
    fold((uint32_t)ecall(64, 2, "isa_edge: fd 2\n", 15));
    // An empty read; then the input in pieces of three at an odd address; then
    // reads at the end of the input.
    fold((uint32_t)ecall(63, 0, bytes, 0));
    for (;;) {
        uint8_t *p = bytes + 4093;
        long got = ecall(63, 0, p, 3);
        fold((uint32_t)got);
        if (got <= 0) break;
        for (long i = 0; i < got; i++) fold(p[i]);
    }
    fold((uint32_t)ecall(63, 0, bytes, 64));
    section();
}

int main(void) {
    h = 0x811c9dc5;
    arithmetic();
    immediates();
    branches();
    jumps();
    memory();
    zero_register();
    calls();
    return 0;
}
