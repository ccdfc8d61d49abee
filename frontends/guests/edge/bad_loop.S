# Never ends.
    .globl main
main:
    j main
