# Compressed instructions; assembled for rv32imc.
    .globl main
main:
    c.li a0, 0
    c.addi a0, 1
    c.addi a0, -1
    c.jr ra
