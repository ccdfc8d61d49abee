# Float instructions under the integer calling convention; assembled for
# rv32imf.
    .globl main
main:
    li t0, 3
    fcvt.s.w ft0, t0
    fadd.s ft0, ft0, ft0
    fcvt.w.s a0, ft0
    addi a0, a0, -6
    ret
