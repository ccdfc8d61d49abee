//! The program as a fixed table: every instruction decoded once, in the verifying key.
//!
//! A class names the table that executes the instruction. Instructions that differ in constants
//! only share one: LUI, AUIPC and FENCE are ADDI of x0; JAL is JALR of x0; what is written to x0
//! goes to a register that nothing reads.
//!
//! | class | a, b, c, d, e |
//! |---|---|
//! | `ADD`, `SUB` | |
//! | `ADDI` | immediate limbs |
//! | `BITS` | operation |
//! | `BITSI` | operation, immediate bytes |
//! | `SHIFT` | kind |
//! | `SHIFTI` | cut, 2^cut, flags |
//! | `LESS` | signed |
//! | `LESSI` | signed, immediate limbs |
//! | `BRANCH` | target, signed + 2 lt + 4 eq + 8 gt |
//! | `JUMP` | link limbs, immediate limbs |
//! | `LOAD`, `STORE` | immediate + 2048, flags of [`super::access`] |
//! | `MUL` | a signed + 2 b signed + 4 high |
//! | `DIV` | signed + 2 remainder |
//! | `ECALL` | |

use super::super::elf::Program;
use super::super::isa::{Inst, Op, decode};
use super::bus::SINK;
use super::shift;

/// Columns of the program table.
pub const FIELDS: usize = 10;

/// Table classes of instructions.
pub mod class {
    #![expect(missing_docs, reason = "the names of tables")]
    pub const ADD: u32 = 1;
    pub const SUB: u32 = 2;
    pub const ADDI: u32 = 3;
    pub const BITS: u32 = 4;
    pub const BITSI: u32 = 5;
    pub const SHIFT: u32 = 6;
    pub const SHIFTI: u32 = 7;
    pub const LESS: u32 = 8;
    pub const LESSI: u32 = 9;
    pub const BRANCH: u32 = 10;
    pub const JUMP: u32 = 11;
    pub const LOAD: u32 = 12;
    pub const STORE: u32 = 13;
    pub const MUL: u32 = 14;
    pub const DIV: u32 = 15;
    pub const ECALL: u32 = 16;
}

/// Flags of a load or store: byte, half, word, signed.
pub const fn access_flags(op: Op) -> u32 {
    match op {
        Op::Lb => 1 + 8,
        Op::Lbu | Op::Sb => 1,
        Op::Lh => 2 + 8,
        Op::Lhu | Op::Sh => 2,
        _ => 4,
    }
}

/// Code of a bytewise operation.
pub const fn byte_op(op: Op) -> u32 {
    match op {
        Op::And | Op::Andi => 0,
        Op::Or | Op::Ori => 1,
        _ => 2,
    }
}

const fn limbs(x: u32) -> [u32; 2] {
    [x & 0xffff, x >> 16]
}

/// The row of one instruction.
pub fn row(pc: u32, inst: Inst) -> [u32; FIELDS] {
    use class::*;
    let imm = inst.imm as u32;
    let [lo, hi] = limbs(imm);
    let [link_lo, link_hi] = limbs(pc.wrapping_add(4));
    let bias = (inst.imm + 2048) as u32;
    let two = |class, [a, b]: [u32; 2]| (class, [a, b, 0, 0, 0]);
    let (class, fields) = match inst.op {
        Op::Add => (ADD, [0; 5]),
        Op::Sub => (SUB, [0; 5]),
        Op::Addi => two(ADDI, [lo, hi]),
        Op::Lui => two(ADDI, [lo, hi]),
        Op::Auipc => two(ADDI, limbs(pc.wrapping_add(imm))),
        Op::Fence => two(ADDI, [0, 0]),
        Op::And | Op::Or | Op::Xor => (BITS, [byte_op(inst.op), 0, 0, 0, 0]),
        Op::Andi | Op::Ori | Op::Xori => {
            let [a, b, c, d] = imm.to_le_bytes().map(u32::from);
            (BITSI, [byte_op(inst.op), a, b, c, d])
        }
        Op::Sll | Op::Srl | Op::Sra => (SHIFT, [shift::kind(inst.op), 0, 0, 0, 0]),
        Op::Slli | Op::Srli | Op::Srai => {
            let [cut, power, flags] = shift::amount(shift::kind(inst.op), imm & 31);
            (SHIFTI, [cut, power, flags, 0, 0])
        }
        Op::Slt | Op::Sltu => (LESS, [u32::from(inst.op == Op::Slt), 0, 0, 0, 0]),
        Op::Slti | Op::Sltiu => (LESSI, [u32::from(inst.op == Op::Slti), lo, hi, 0, 0]),
        Op::Beq => (BRANCH, [target(pc, imm), 4, 0, 0, 0]),
        Op::Bne => (BRANCH, [target(pc, imm), 2 + 8, 0, 0, 0]),
        Op::Blt => (BRANCH, [target(pc, imm), 1 + 2, 0, 0, 0]),
        Op::Bge => (BRANCH, [target(pc, imm), 1 + 4 + 8, 0, 0, 0]),
        Op::Bltu => (BRANCH, [target(pc, imm), 2, 0, 0, 0]),
        Op::Bgeu => (BRANCH, [target(pc, imm), 4 + 8, 0, 0, 0]),
        Op::Jalr => (JUMP, [link_lo, link_hi, lo, hi, 0]),
        Op::Jal => {
            let [lo, hi] = limbs(pc.wrapping_add(imm));
            (JUMP, [link_lo, link_hi, lo, hi, 0])
        }
        Op::Lb | Op::Lh | Op::Lw | Op::Lbu | Op::Lhu => (LOAD, [bias, access_flags(inst.op), 0, 0, 0]),
        Op::Sb | Op::Sh | Op::Sw => (STORE, [bias, access_flags(inst.op), 0, 0, 0]),
        Op::Mul => (MUL, [0; 5]),
        Op::Mulh => (MUL, [1 + 2 + 4, 0, 0, 0, 0]),
        Op::Mulhsu => (MUL, [1 + 4, 0, 0, 0, 0]),
        Op::Mulhu => (MUL, [4, 0, 0, 0, 0]),
        Op::Div => (DIV, [1, 0, 0, 0, 0]),
        Op::Divu => (DIV, [0; 5]),
        Op::Rem => (DIV, [1 + 2, 0, 0, 0, 0]),
        Op::Remu => (DIV, [2, 0, 0, 0, 0]),
        Op::Ecall => (ECALL, [0; 5]),
    };
    let rd = if inst.rd == 0 { SINK } else { u32::from(inst.rd) };
    let [a, b, c, d, e] = fields;
    [pc >> 2, class, rd, u32::from(inst.rs1), u32::from(inst.rs2), a, b, c, d, e]
}

fn target(pc: u32, imm: u32) -> u32 {
    // A target that is no multiple of 4 traps when taken; no row of any table reaches this one.
    let target = pc.wrapping_add(imm);
    if target.is_multiple_of(4) { target >> 2 } else { 1 << 30 }
}

/// The rows of a program, in order of addresses, padded with copies of the last one.
pub fn rows(program: &Program) -> Vec<[u32; FIELDS]> {
    let mut rows = Vec::new();
    for code in &program.code {
        for (i, &word) in code.words.iter().enumerate() {
            let pc = code.base + 4 * i as u32;
            if let Some(inst) = decode(word) {
                rows.push(row(pc, inst));
            }
        }
    }
    rows.sort_unstable();
    pad(rows)
}

/// Pads to a power of two of at least 4 with copies of the last row.
pub fn pad<R: Copy + Default>(mut rows: Vec<R>) -> Vec<R> {
    let last = rows.last().copied().unwrap_or_default();
    rows.resize(rows.len().next_power_of_two().max(4), last);
    rows
}
