#!/usr/bin/env python3
"""Checks that guest ELFs hold nothing but RV32IM.

usage: scan.py [--forbid TEXT]... FILE...

Every word of every executable section must be an RV32IM instruction (fence
included), `ecall` or `unimp`; segments must avoid the first page and the last
64 KiB; a file must be below 300 KB and must not contain a forbidden text.
"""
import struct
import sys

UNIMP = 0xC0001073
ECALL = 0x00000073


def is_rv32im(word):
    opcode, funct3, funct7 = word & 0x7F, word >> 12 & 7, word >> 25
    if opcode in (0x37, 0x17, 0x6F):  # lui, auipc, jal
        return True
    if opcode in (0x67, 0x0F):  # jalr, fence
        return funct3 == 0
    if opcode == 0x63:  # branches
        return funct3 not in (2, 3)
    if opcode == 0x03:  # loads
        return funct3 in (0, 1, 2, 4, 5)
    if opcode == 0x23:  # stores
        return funct3 in (0, 1, 2)
    if opcode == 0x13:  # immediates
        if funct3 == 1:
            return funct7 == 0
        return funct3 != 5 or funct7 in (0, 0x20)
    if opcode == 0x33:  # registers
        return funct7 in (0, 1) or funct7 == 0x20 and funct3 in (0, 5)
    return word in (ECALL, UNIMP)


def problems(data):
    if data[:7] != b"\x7fELF\x01\x01\x01" or struct.unpack_from("<H", data, 18)[0] != 243:
        yield "not a 32-bit little-endian RISC-V ELF"
        return
    phoff, shoff, flags = struct.unpack_from("<III", data, 28)
    phsize, phnum, shsize, shnum = struct.unpack_from("<4H", data, 42)
    if flags != 0:
        yield f"ELF flags {flags:#x}: compressed or float code"
    for i in range(phnum):
        kind, _, vaddr, _, _, memsz, _, _ = struct.unpack_from("<8I", data, phoff + i * phsize)
        if kind == 1 and memsz and (vaddr < 0x1000 or vaddr + memsz > 0xFFFF0000):
            yield f"segment at {vaddr:#x} lies in a page that is never mapped"
    for i in range(shnum):
        _, kind, attributes, addr, offset, size = struct.unpack_from("<6I", data, shoff + i * shsize)
        if kind == 1 and attributes & 4:
            if size % 4:
                yield "an executable section is not a whole number of words"
            for at in range(0, size & ~3, 4):
                word = struct.unpack_from("<I", data, offset + at)[0]
                if not is_rv32im(word):
                    yield f"{addr + at:#x}: {word:#010x} is not RV32IM"
    if len(data) >= 300_000:
        yield f"{len(data)} bytes is too large"


def main(args):
    forbidden, failed = [], False
    while args[:1] == ["--forbid"]:
        forbidden.append(args[1])
        args = args[2:]
    for path in args:
        with open(path, "rb") as file:
            data = file.read()
        found = list(problems(data))[:5] + [f"contains {text!r}" for text in forbidden if text.encode() in data]
        for problem in found:
            print(f"{path}: {problem}", file=sys.stderr)
        failed |= bool(found)
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
