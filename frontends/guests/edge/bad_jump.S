# Jumps to an address that no segment maps.
    .globl main
main:
    lui t0, 0x40000
    jr t0
