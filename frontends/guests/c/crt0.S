# Entry point shared by the C and the Rust guests. The loader zeroes .bss, so
# there is nothing to clear here; the registers hold nothing on entry.
    .section .text._start, "ax", @progbits
    .globl _start
    .type _start, @function
_start:
    .option push
    .option norelax
    la gp, __global_pointer$
    .option pop
    la sp, __stack_top
    la tp, __tls_base
    li ra, 0
    call main
    li a7, 93                   # exit(main's return value)
    ecall
    .word 0xc0001073            # unimp: exit does not return
    .size _start, . - _start
