//! Branches and jumps.

use trilemma_arith::{Builder, Gadgets, Table};

use super::super::isa::Op;
use super::alu::biased;
use super::cpu::{Form, Row, add32, begin};
use super::rom::class;
use super::shift::pack;

/// BEQ, BNE, BLT, BGE, BLTU and BGEU.
pub struct Branch;

/// Signed, and whether to branch on less, equal, greater.
fn conditions(op: Op) -> [bool; 4] {
    match op {
        Op::Beq => [false, false, true, false],
        Op::Bne => [false, true, false, true],
        Op::Blt => [true, true, false, false],
        Op::Bge => [true, false, true, true],
        Op::Bltu => [false, true, false, false],
        _ => [false, false, true, true],
    }
}

fn less(r: &Row) -> bool {
    let bias = if conditions(r.step.inst.op)[0] { 1 << 31 } else { 0 };
    (r.step.rs1 ^ bias) < (r.step.rs2 ^ bias)
}

/// `larger - smaller - 1`, or 0 when equal.
fn distance(r: &Row) -> u32 {
    let (x, y) = (r.step.rs1, r.step.rs2);
    if x == y {
        0
    } else if less(r) {
        y.wrapping_sub(x).wrapping_sub(1)
    } else {
        x.wrapping_sub(y).wrapping_sub(1)
    }
}

fn borrow(r: &Row) -> bool {
    let (x, y) = (r.step.rs1 & 0xffff, r.step.rs2 & 0xffff);
    r.step.rs1 != r.step.rs2 && if less(r) { y <= x } else { x <= y }
}

impl Table for Branch {
    type Row = Row;

    fn name(&self) -> &'static str {
        "branch"
    }

    fn eval<B: Builder<Row>>(&self, b: &mut B) {
        let names = ["signed", "on less", "on equal", "on greater"];
        let mut bits = Vec::new();
        let (cpu, fields) = begin(b, Form::S, class::BRANCH, |b| {
            let target = b.free("target", "matched on program", |r| {
                let target = r.step.pc.wrapping_add(r.step.inst.imm as u32);
                if target.is_multiple_of(4) { target >> 2 } else { 1 << 30 }
            });
            bits.extend((0..4).map(|i| b.bit(names[i], move |r| conditions(r.step.inst.op)[i])));
            vec![target, pack(b, &bits)]
        });
        let target = fields[0];
        let [signed, on_less, on_equal, on_greater] = [bits[0], bits[1], bits[2], bits[3]];
        let x = b.free_word(["a lo", "a hi"], "matched on registers", |r| r.step.rs1);
        let y = b.free_word(["b lo", "b hi"], "matched on registers", |r| r.step.rs2);
        cpu.read_rs1(b, x);
        cpu.read_rs2(b, y);

        let sign = |value: u32, r: &Row| conditions(r.step.inst.op)[0] && value >> 31 == 1;
        let x_high = biased(b, "a sign", x[1], signed, move |r| sign(r.step.rs1, r));
        let y_high = biased(b, "b sign", y[1], signed, move |r| sign(r.step.rs2, r));
        let equal = b.bit("equal", |r| r.step.rs1 == r.step.rs2);
        let less = b.bit("less", less);
        b.zero("not both", equal * less);
        b.zero("equal low", equal * (x[0] - y[0]));
        b.zero("equal high", equal * (x_high - y_high));
        // The larger exceeds the smaller by 1 + d.
        let unequal = cpu.real - equal;
        let one = b.int(1);
        let direction = one - less - less;
        let d = b.word(["d lo", "d hi"], distance);
        let borrow = b.bit("borrow", borrow);
        let limb = b.int(1 << 16);
        b.zero("low distance", d[0] - borrow * limb - direction * (x[0] - y[0]) + unequal);
        b.zero("high distance", d[1] - direction * (x_high - y_high) + borrow);

        let taken = on_less * less + on_equal * equal + on_greater * (unequal - less);
        let next = b.free("next pc", "determined by the condition", |r| r.step.next_pc >> 2);
        b.zero("next pc", next - cpu.pc - cpu.real - taken * (target - cpu.pc - cpu.real));
        cpu.end(b, next);
    }
}

/// JALR, and JAL as a jump from x0.
pub struct Jump;

fn addend(r: &Row) -> u32 {
    let imm = r.step.inst.imm as u32;
    if r.step.inst.op == Op::Jal { r.step.pc.wrapping_add(imm) } else { imm }
}

impl Table for Jump {
    type Row = Row;

    fn name(&self) -> &'static str {
        "jump"
    }

    fn eval<B: Builder<Row>>(&self, b: &mut B) {
        let (cpu, fields) = begin(b, Form::I, class::JUMP, |b| {
            let link = b.free_word(["link lo", "link hi"], "matched on program", |r| r.step.pc.wrapping_add(4));
            let imm = b.free_word(["imm lo", "imm hi"], "matched on program", addend);
            [link, imm].concat()
        });
        let x = b.free_word(["a lo", "a hi"], "matched on registers", |r| r.step.rs1);
        cpu.read_rs1(b, x);
        // Bit 0 of the sum is dropped, bit 1 must be clear.
        let sum = |r: &Row| r.step.rs1.wrapping_add(addend(r));
        let bit = b.bit("bit 0", move |r| sum(r) & 1 == 1);
        let low = b.ranged("target lo", 14, move |r| (sum(r) & 0xffff) >> 2);
        let high = b.ranged("target hi", 16, move |r| sum(r) >> 16);
        let four = b.int(4);
        add32(b, x, [fields[2], fields[3]], [low * four + bit, high]);
        cpu.write_rd(b, [fields[0], fields[1]]);
        let next = low + high * b.int(1 << 14);
        cpu.end(b, next);
    }
}
