#!/usr/bin/env python3
"""Runs every ELF of elf/ under qemu-riscv32 and compares its exit code and its
public output with references computed here.

usage: verify.py [DIRECTORY OF THE ELFS]
"""
import hashlib
import json
import os
import signal
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ELF = sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "elf")
MASK = 0xFFFFFFFF


def run(guest, data=b"", timeout=120):
    """Exit code (minus the signal's number for a trap, None for a timeout) and public output."""
    with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as output:
        stdin.write(data)
        stdin.seek(0)

        def open_output():
            os.dup2(output.fileno(), 3)

        try:
            code = subprocess.run(
                ["qemu-riscv32", os.path.join(ELF, guest + ".elf")], stdin=stdin, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, close_fds=False, preexec_fn=open_output, timeout=timeout).returncode
        except subprocess.TimeoutExpired:
            code = None
        output.seek(0)
        return code, output.read()


def u32(*words):
    return struct.pack(f"<{len(words)}I", *(word & MASK for word in words))


def generated(n):
    return bytes(i * 31 + 7 & 0xFF for i in range(n))


def xorshift(x):
    while True:
        x ^= x << 13 & MASK
        x ^= x >> 17
        x ^= x << 5 & MASK
        yield x


def rotl(x, r, bits):
    return (x << r | x >> (bits - r)) & ((1 << bits) - 1) if r else x


def keccak256(message):
    lanes, rate = [0] * 25, 136
    padded = bytearray(message + b"\x01" + bytes(-(len(message) + 1) % rate))
    padded[-1] |= 0x80
    for start in range(0, len(padded), rate):
        for i, lane in enumerate(struct.unpack_from("<17Q", padded, start)):
            lanes[i] ^= lane
        lfsr = 1
        for _ in range(24):
            c = [lanes[x] ^ lanes[x + 5] ^ lanes[x + 10] ^ lanes[x + 15] ^ lanes[x + 20] for x in range(5)]
            lanes = [lanes[i] ^ c[(i + 4) % 5] ^ rotl(c[(i + 1) % 5], 1, 64) for i in range(25)]
            x, y, current = 1, 0, lanes[1]
            for t in range(24):
                x, y = y, (2 * x + 3 * y) % 5
                current, lanes[x + 5 * y] = lanes[x + 5 * y], rotl(current, (t + 1) * (t + 2) // 2 % 64, 64)
            lanes = [lanes[i] ^ ~lanes[i // 5 * 5 + (i + 1) % 5] & lanes[i // 5 * 5 + (i + 2) % 5] for i in range(25)]
            for j in range(7):
                if lfsr & 1:
                    lanes[0] ^= 1 << ((1 << j) - 1)
                lfsr = lfsr << 1 ^ (lfsr >> 7) * 0x171
    return struct.pack("<4Q", *lanes[:4])


def fibonacci(n):
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b & MASK
    return u32(a)


def memory(n):
    words, total = {}, 0
    for i, x in zip(range(n), xorshift(0x9E3779B9)):
        if i & 1:
            total = rotl(total, 5, 32) + (words.get(x >> 10, 0) ^ x) & MASK
        else:
            words[x >> 10] = total + i & MASK
    return u32(total)


def sort(n):
    a = sorted(x for _, x in zip(range(n), xorshift(0x2545F491)))
    return u32(a[0], a[-1], sum((i + 1) * x for i, x in enumerate(a)))


def matmul(n):
    draw = xorshift(0x6C078965)
    pairs = [[(next(draw), next(draw)) for _ in range(n)] for _ in range(n)]
    trace = fold = 0
    for i in range(n):
        for j in range(n):
            entry = sum(pairs[i][k][0] * pairs[k][j][1] for k in range(n)) & MASK
            trace += entry if i == j else 0
            fold = 31 * fold + entry & MASK
    return u32(trace, fold)


def json_counts(text):
    counts = {dict: 0, list: 0, str: 0, "number": 0}
    total = 0

    def visit(value):
        nonlocal total
        if isinstance(value, bool) or value is None:
            return
        counts[type(value) if type(value) in counts else "number"] += 1
        if isinstance(value, int):
            total += value
        for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            visit(item)

    visit(json.loads(text))
    return u32(*counts.values()) + struct.pack("<Q", total % 2**64)


def read(name):
    with open(os.path.join(HERE, "inputs", name), "rb") as file:
        return file.read()


# The folds of isa_edge's sections with an empty input; qemu-riscv32 7.2 and
# rrs-lib 0.1 agree on them.
ISA_EDGE = bytes.fromhex(
    "aa37e157ea14178a8d8f93da11efa947bb1a02a2e46451e4886a2880ec75d4381d2dfefd1df777e9eded94ed943bed94"
    "3be2ed943be28994943b943be2943be289943be289303b3be23be2893be289303be28930d7e2e289e28930e28930d7e2"
    "8930d77e304048d5"
)

failures = 0


def expect(name, got, wanted):
    global failures
    ok = got == wanted
    failures += not ok
    print(f"{'ok  ' if ok else 'FAIL'} {name}" + ("" if ok else f": got {got}, wanted {wanted}"))


def main():
    assert keccak256(b"").hex() == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    assert keccak256(b"abc").hex() == "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"

    for guest, reference, sizes in [
        ("fibonacci", fibonacci, (0, 1, 2, 10, 47, 48, 12345)),
        ("memory", memory, (0, 1, 2, 1000, 300001)),
        ("sort", sort, (1, 2, 3, 10, 1000, 50000)),
        ("matmul", matmul, (1, 2, 7, 32, 65)),
    ]:
        for n in sizes:
            expect(f"{guest} n={n}", run(guest, u32(n)), (0, reference(n)))
        for bad in (b"", b"\1\0\0", u32(1) + b"\0"):
            expect(f"{guest} input={bad}", run(guest, bad), (1, b""))
    for guest, bad in [("sort", 0), ("sort", 2**20 + 1), ("matmul", 0), ("matmul", 513)]:
        expect(f"{guest} n={bad}", run(guest, u32(bad)), (1, b""))

    for guest, reference in [
        ("sha256", lambda message: hashlib.sha256(message).digest()),
        ("sha256_rust", lambda message: hashlib.sha256(message).digest()),
        ("keccak256", keccak256),
    ]:
        for n in (0, 1, 55, 56, 63, 64, 65, 119, 120, 135, 136, 137, 255, 256, 257, 10000):
            expect(f"{guest} n={n}", run(guest, u32(n)), (0, reference(generated(n))))
        for message in (b"abc", bytes(64), bytes(range(256)) * 40):
            expect(f"{guest} of {len(message)} bytes", run(guest, u32(len(message)) + message), (0, reference(message)))
        for bad in (b"", b"\1\0\0"):
            expect(f"{guest} input={bad}", run(guest, bad), (1, b""))

    one, four = read("ecdsa-1.bin"), read("ecdsa-4-one-bad.bin")
    expect("ecdsa, one record", run("ecdsa", one), (0, u32(1)))
    expect("ecdsa, four records, one bad", run("ecdsa", four), (0, u32(3)))
    expect("ecdsa, no record", run("ecdsa", u32(0)), (0, u32(0)))
    for at in (4 + 1, 4 + 40, 4 + 70, 4 + 120):
        spoiled = bytearray(one)
        spoiled[at] ^= 4
        expect(f"ecdsa, byte {at} changed", run("ecdsa", bytes(spoiled)), (0, u32(0)))
    expect("ecdsa, cut short", run("ecdsa", one[:-1]), (1, b""))

    document = read("json-3k.json")
    expect("json", run("json", document), (0, json_counts(document)))
    for text in (b"[]", b' {"a": [1, -2, 3.5, "x", null, true, 18446744073709551615]} '):
        expect(f"json {text}", run("json", text), (0, json_counts(text)))
    for bad in (b"", b"[1,", b"[] []", b"\xff"):
        expect(f"json {bad}", run("json", bad), (1, b""))

    expect("isa_edge", run("isa_edge"), (0, ISA_EDGE))
    expect("isa_edge, 10 bytes of input", run("isa_edge", b"0123456789")[1][-4:] != ISA_EDGE[-4:], True)
    expect("exit7", run("exit7"), (7, b""))
    expect("bad_loop", run("bad_loop", timeout=2), (None, b""))
    expect("bad_unimp", run("bad_unimp"), (-signal.SIGILL, b""))
    expect("bad_jump", run("bad_jump"), (-signal.SIGSEGV, b""))
    expect("bad_load", run("bad_load"), (-signal.SIGSEGV, b""))
    # qemu runs these: it knows the extensions, and answers -ENOSYS to the call.
    for guest in ("bad_ecall", "bad_rvc", "bad_float"):
        expect(f"{guest} (trap-free under qemu)", run(guest), (0, b""))
    for guest in ("bad_arch", "bad_rv64"):
        code, output = run(guest)
        expect(f"{guest} is refused", (code != 0, output), (True, b""))
    print(f"{failures} failures")
    return failures != 0


if __name__ == "__main__":
    sys.exit(main())
