//! The buses that join the tables. Tuples are written low limb first; `pc` and addresses of memory
//! are word indices (the address divided by 4), so they fit every field.

use trilemma_arith::Bus;

/// `(pc, clock)`: the one token of control.
pub const EXEC: Bus = Bus { id: 2, name: "exec", arity: 2, lookup: false };
/// `(pc, class, rd, rs1, rs2, a, b, c, d, e)`: decoded instructions; see [`super::rom`].
pub const PROGRAM: Bus = Bus { id: 3, name: "program", arity: 10, lookup: true };
/// `(register, low, high, clock)`: the last access of every register.
pub const REGS: Bus = Bus { id: 4, name: "registers", arity: 4, lookup: false };
/// `(word index, low, high, clock)`: the last access of every word of memory.
pub const MEM: Bus = Bus { id: 5, name: "memory", arity: 4, lookup: false };
/// `(operation, a, b, c)` on bytes: 0 and, 1 or, 2 xor.
pub const BYTES: Bus = Bus { id: 6, name: "bytes", arity: 4, lookup: true };
/// `(kind, amount, cut, 2^cut, flags)`: shift amounts decoded; see [`super::shift`].
pub const SHIFT: Bus = Bus { id: 7, name: "shift", arity: 5, lookup: true };
/// `(write?, pc, clock, word index, offset, remaining)`: a system call moving bytes.
pub const BYTEWISE: Bus = Bus { id: 8, name: "bytewise", arity: 6, lookup: false };
/// `(word index)`: words of memory in increasing order.
pub const ORDER: Bus = Bus { id: 9, name: "order", arity: 1, lookup: false };
/// `(position, byte)`: the public output, received by the statement.
pub const OUTPUT: Bus = Bus { id: 10, name: "output", arity: 2, lookup: false };
/// `(low, high, output length)`: the end of the execution, received by the statement.
pub const EXIT: Bus = Bus { id: 11, name: "exit", arity: 3, lookup: false };

/// Register that takes what is written to x0.
pub const SINK: u32 = 32;
/// Register that counts bytes of output.
pub const OUTPUT_LENGTH: u32 = 33;
/// Registers with sink, counter and spares.
pub const REGISTERS: usize = 64;
/// Clock of the first instruction; the initial contents of memory carry 0.
pub const FIRST_CLOCK: u32 = 8;
/// Clock ticks of an instruction, one for each access it may make.
pub const TICKS: u32 = 4;
/// Clock ticks of a system call before its bytes.
pub const CALL_TICKS: u32 = 8;
/// Bits of every clock.
pub const CLOCK_BITS: u32 = 29;
/// Accesses further apart than `2^16` ticks are bridged by the `touch` tables.
pub const GAP_BITS: u32 = 16;
