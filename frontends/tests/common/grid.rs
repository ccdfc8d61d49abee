//! Programs that visit every instruction at the edges of its operands.

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use trilemma_frontends::riscv::isa::{Format, Inst, Op};
use trilemma_frontends::riscv::memory::{RAM_END, RAM_START};

/// Data, far from code.
pub const DATA: u32 = 0x20_0000;

const A0: u8 = 10;
const A1: u8 = 11;
const A2: u8 = 12;
const A7: u8 = 17;
/// Operands.
const X: u8 = 5;
const Y: u8 = 6;
/// Results.
const Z: u8 = 7;
const W: u8 = 8;

/// Instructions being put together.
#[derive(Default)]
pub struct Asm {
    pub code: Vec<Inst>,
}

impl Asm {
    /// Appends an instruction.
    pub fn op(&mut self, op: Op, rd: u8, rs1: u8, rs2: u8, imm: i32) {
        self.code.push(Inst::new(op, rd, rs1, rs2, imm));
    }

    /// Loads a constant, in two instructions.
    pub fn set(&mut self, register: u8, value: u32) {
        let low = (value as i32) << 20 >> 20;
        let high = value.wrapping_sub(low as u32) as i32;
        self.op(Op::Lui, register, 0, 0, high);
        self.op(Op::Addi, register, register, 0, low);
    }

    /// A system call.
    pub fn call(&mut self, number: u32, arguments: [u32; 3]) {
        self.set(A7, number);
        for (register, argument) in [A0, A1, A2].into_iter().zip(arguments) {
            self.set(register, argument);
        }
        self.op(Op::Ecall, 0, 0, 0, 0);
    }

    /// Ends with an exit.
    pub fn exit(mut self, code: u32) -> Vec<Inst> {
        self.call(93, [code, 0xffff_ffff, 0xffff_fffe]);
        self.code
    }
}

/// Operands at the edges of words, of limbs and of bytes, and two others.
pub fn operands() -> Vec<u32> {
    let mut rng = SmallRng::seed_from_u64(1);
    let edges = [0, 1, 0xffff_ffff, 0x8000_0000, 0x7fff_ffff, 0x1_0000, 0xffff, 0x8001_0001];
    edges.into_iter().chain([rng.random(), rng.random()]).collect()
}

/// Immediates of 12 bits.
const IMMEDIATES: [i32; 7] = [0, 1, -1, 2047, -2048, 0x155, -0x2ab];

/// Instructions with two source registers: every pair of operands, with every coincidence of
/// registers.
pub fn registers(a: &mut Asm) {
    let ops: Vec<Op> = Op::ALL.iter().copied().filter(|op| op.format() == Format::R).collect();
    for x in operands() {
        for y in operands() {
            a.set(X, x);
            a.set(Y, y);
            for &op in &ops {
                a.op(op, Z, X, Y, 0);
                a.op(op, 0, X, Y, 0);
                a.op(Op::Addi, W, X, 0, 0);
                a.op(op, W, W, Y, 0);
                a.op(Op::Addi, W, Y, 0, 0);
                a.op(op, W, X, W, 0);
            }
        }
        for &op in &ops {
            a.op(op, Z, X, X, 0);
            a.op(op, 0, X, X, 0);
            a.op(op, Z, X, 0, 0);
            a.op(op, Z, 0, X, 0);
            a.op(op, 0, 0, 0, 0);
            a.op(Op::Addi, W, X, 0, 0);
            a.op(op, W, W, W, 0);
        }
    }
}

/// Shifts by every amount, from a register and as an immediate.
pub fn shifts(a: &mut Asm) {
    for x in operands() {
        a.set(X, x);
        for by in 0..32 {
            a.op(Op::Addi, Y, 0, 0, by);
            for op in [Op::Sll, Op::Srl, Op::Sra] {
                a.op(op, Z, X, Y, 0);
            }
            for op in [Op::Slli, Op::Srli, Op::Srai] {
                a.op(op, Z, X, 0, by);
                a.op(op, 0, X, 0, by);
                a.op(Op::Addi, W, X, 0, 0);
                a.op(op, W, W, 0, by);
            }
        }
    }
}

/// Instructions with an immediate, upper immediates and FENCE.
pub fn immediates(a: &mut Asm) {
    let logic = |op: &Op| op.format() == Format::I && !op.is_load() && *op != Op::Jalr;
    let ops: Vec<Op> = Op::ALL.iter().copied().filter(logic).collect();
    for x in operands() {
        a.set(X, x);
        for imm in IMMEDIATES {
            for &op in &ops {
                a.op(op, Z, X, 0, imm);
                a.op(op, 0, X, 0, imm);
                a.op(op, Z, 0, 0, imm);
                a.op(Op::Addi, W, X, 0, 0);
                a.op(op, W, W, 0, imm);
            }
        }
    }
    for imm in [0, 0x1000, -0x1000, i32::MIN, 0x7fff_f000, 0x1234_5000] {
        for rd in [0, Z] {
            a.op(Op::Lui, rd, 0, 0, imm);
            a.op(Op::Auipc, rd, 0, 0, imm);
        }
    }
    a.op(Op::Fence, 0, 0, 0, 0xff);
}

/// Branches both ways and jumps, forwards and backwards.
pub fn control(a: &mut Asm) {
    let ops: Vec<Op> = Op::ALL.iter().copied().filter(|op| op.is_branch()).collect();
    for x in operands() {
        for y in operands() {
            a.set(X, x);
            a.set(Y, y);
            for &op in &ops {
                a.op(op, 0, X, Y, 8);
                a.op(Op::Addi, Z, Z, 0, 1);
            }
        }
        for &op in &ops {
            a.op(op, 0, X, X, 8);
            a.op(Op::Addi, Z, Z, 0, 1);
            a.op(op, 0, X, 0, 4);
            a.op(op, 0, 0, X, 8);
            a.op(Op::Addi, Z, Z, 0, 1);
        }
    }
    // Not taken, to a target where no instruction can be.
    a.op(Op::Bne, 0, X, X, 6);
    a.op(Op::Bltu, 0, X, X, -2046);
    // Backwards: three rounds of a loop, then JAL over itself.
    a.op(Op::Addi, X, 0, 0, 3);
    a.op(Op::Addi, X, X, 0, -1);
    a.op(Op::Bne, 0, X, 0, -4);
    for rd in [0, Z] {
        a.op(Op::Jal, rd, 0, 0, 8);
        a.op(Op::Addi, Z, Z, 0, 1);
        a.op(Op::Jal, rd, 0, 0, 4);
        a.op(Op::Jal, rd, 0, 0, 12);
        a.op(Op::Jal, rd, 0, 0, 12);
        a.op(Op::Addi, Z, Z, 0, 1);
        a.op(Op::Jal, rd, 0, 0, -8);
    }
    for odd in [0, 1] {
        for (rd, rs1) in [(0, X), (Z, X), (X, X)] {
            for imm in [12 - 4 * odd, 2000, -2000, -1, 2047, -2048] {
                // `auipc` is at `pc`, the jump three words on, its target four.
                let distance = 16 + odd - imm;
                a.op(Op::Auipc, X, 0, 0, 0);
                a.op(Op::Addi, X, X, 0, distance / 2);
                a.op(Op::Addi, X, X, 0, distance - distance / 2);
                a.op(Op::Jalr, rd, rs1, 0, imm);
            }
        }
    }
}

/// Loads and stores of every width at every offset, over borders of words and limbs.
pub fn memory(a: &mut Asm) {
    let loads = [Op::Lb, Op::Lh, Op::Lw, Op::Lbu, Op::Lhu];
    let stores = [Op::Sb, Op::Sh, Op::Sw];
    for (i, base) in [DATA, DATA + 0xfff8, RAM_START, RAM_END - 16].into_iter().enumerate() {
        let last = base == RAM_END - 16;
        for (word, value) in [0x80ff_7f01u32, 0xfe80_017f, 0x0000_ff80, 0xffff_ffff].into_iter().enumerate() {
            a.set(X, base + 4 * word as u32);
            a.set(Y, value.rotate_left(8 * i as u32));
            a.op(Op::Sw, 0, X, Y, 0);
        }
        for offset in 0..=if last { 12 } else { 9u32 } {
            for imm in [0, 1, -1, 2047, -2048i32] {
                let at = (base + offset).wrapping_sub(imm as u32);
                for op in loads.into_iter().chain(stores) {
                    if last && offset + op.width() > 16 || i > 0 && imm.abs() == 1 {
                        continue;
                    }
                    a.set(X, at);
                    if op.is_load() {
                        a.op(op, Z, X, 0, imm);
                        a.op(op, 0, X, 0, imm);
                        a.op(op, X, X, 0, imm);
                    } else {
                        a.set(Y, 0x9c5a_8000 ^ (offset << 12) ^ at);
                        a.op(op, 0, X, Y, imm);
                        a.op(op, 0, X, X, imm);
                        a.op(op, 0, X, 0, imm);
                        a.op(op, 0, X, Y, imm);
                    }
                }
            }
        }
    }
}

/// Bytes of input that [`calls`] asks for, and then some.
pub const INPUT: &[u8] = b"The quick brown fox jumps over the lazy dog\x00\xff\x80\x7f";

/// System calls: empty, short, over borders of words, longer than the input; every descriptor.
pub fn calls(a: &mut Asm) {
    for (offset, n) in [(0, 0), (0, 1), (1, 2), (3, 1), (3, 2), (2, 9), (0, 8)] {
        a.call(63, [0, DATA + offset, n]);
        for fd in [3, 1, 2] {
            a.call(64, [fd, DATA + offset, n]);
        }
    }
    a.call(64, [3, DATA - 1, 6]);
    a.call(64, [1, DATA, 0x1_0001]);
    // A word at the very end of RAM, all of the input that is left, and no input at all.
    a.call(63, [0, RAM_END - 2, 2]);
    a.call(64, [3, RAM_END - 2, 2]);
    a.call(63, [0, DATA, 0x2_0003]);
    a.call(63, [0, DATA, 7]);
    a.call(63, [0, 0, 0]);
}

/// A section of the grid.
pub type Section = (&'static str, fn(&mut Asm));

/// Every section.
pub const SECTIONS: [Section; 6] = [
    ("registers", registers),
    ("shifts", shifts),
    ("immediates", immediates),
    ("control", control),
    ("memory", memory),
    ("calls", calls),
];

/// All sections as one program.
pub fn all() -> Vec<Inst> {
    let mut a = Asm::default();
    SECTIONS.iter().for_each(|(_, section)| section(&mut a));
    a.exit(0xdead_beef)
}
