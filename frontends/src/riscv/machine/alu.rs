//! Addition, bytewise logic and comparison.

use trilemma_arith::{Builder, Gadgets, Table};

use super::bus::BYTES;
use super::cpu::{Form, Row, Word, add32, begin};
use super::rom::{byte_op, class};

/// ADD and SUB.
pub struct Add {
    /// Whether this is SUB, which is an addition read backwards.
    pub sub: bool,
}

impl Table for Add {
    type Row = Row;

    fn name(&self) -> &'static str {
        if self.sub { "sub" } else { "add" }
    }

    fn eval<B: Builder<Row>>(&self, b: &mut B) {
        let class = if self.sub { class::SUB } else { class::ADD };
        let (cpu, _) = begin(b, Form::R, class, |_| vec![]);
        let x = b.free_word(["a lo", "a hi"], "matched on registers", |r| r.step.rs1);
        let y = b.free_word(["b lo", "b hi"], "matched on registers", |r| r.step.rs2);
        cpu.read_rs1(b, x);
        cpu.read_rs2(b, y);
        let c = b.word(["c lo", "c hi"], |r| r.step.rd);
        if self.sub {
            add32(b, c, y, x);
        } else {
            add32(b, x, y, c);
        }
        cpu.write_rd(b, c);
        cpu.fall_through(b);
    }
}

/// ADDI, LUI, AUIPC and FENCE.
pub struct AddImmediate;

impl Table for AddImmediate {
    type Row = Row;

    fn name(&self) -> &'static str {
        "addi"
    }

    fn eval<B: Builder<Row>>(&self, b: &mut B) {
        let (cpu, imm) = begin(b, Form::I, class::ADDI, |b| {
            b.free_word(["imm lo", "imm hi"], "matched on program", addend).to_vec()
        });
        let x = b.free_word(["a lo", "a hi"], "matched on registers", |r| r.step.rs1);
        cpu.read_rs1(b, x);
        let c = b.word(["c lo", "c hi"], |r| r.step.rd);
        add32(b, x, [imm[0], imm[1]], c);
        cpu.write_rd(b, c);
        cpu.fall_through(b);
    }
}

fn addend(r: &Row) -> u32 {
    use super::super::isa::Op;
    match r.step.inst.op {
        Op::Auipc => r.step.pc.wrapping_add(r.step.inst.imm as u32),
        Op::Fence => 0,
        _ => r.step.inst.imm as u32,
    }
}

/// AND, OR and XOR, with a register or an immediate.
pub struct Bits {
    /// Whether the second operand is an immediate.
    pub immediate: bool,
}

impl Table for Bits {
    type Row = Row;

    fn name(&self) -> &'static str {
        if self.immediate { "bitsi" } else { "bits" }
    }

    fn eval<B: Builder<Row>>(&self, b: &mut B) {
        let op_hint = |r: &Row| byte_op(r.step.inst.op);
        let immediate = self.immediate;
        let operand = move |r: &Row| if immediate { r.step.inst.imm as u32 } else { r.step.rs2 };
        let names = ["b0", "b1", "b2", "b3"];
        let form = if immediate { Form::I } else { Form::R };
        let class = if immediate { class::BITSI } else { class::BITS };
        let (cpu, fields) = begin(b, form, class, |b| {
            let mut fields = vec![b.free("op", "matched on program", op_hint)];
            if immediate {
                fields.extend(bytes(b, names, "matched on program", operand));
            }
            fields
        });
        let x = bytes(b, ["a0", "a1", "a2", "a3"], "looked up on bytes", |r| r.step.rs1);
        let y: [B::V; 4] = if immediate {
            [fields[1], fields[2], fields[3], fields[4]]
        } else {
            bytes(b, names, "looked up on bytes", operand)
        };
        let z = bytes(b, ["c0", "c1", "c2", "c3"], "looked up on bytes", |r| r.step.rd);
        let word = join(b, x);
        cpu.read_rs1(b, word);
        if !immediate {
            let word = join(b, y);
            cpu.read_rs2(b, word);
        }
        for i in 0..4 {
            b.send(BYTES, &[fields[0], x[i], y[i], z[i]]);
        }
        let word = join(b, z);
        cpu.write_rd(b, word);
        cpu.fall_through(b);
    }
}

/// The bytes of a word, lowest first, unchecked.
pub fn bytes<R, B: Builder<R>>(
    b: &mut B,
    names: [&'static str; 4],
    why: &'static str,
    hint: impl Fn(&R) -> u32,
) -> [B::V; 4] {
    std::array::from_fn(|i| b.free(names[i], why, |r| hint(r) >> (8 * i) & 0xff))
}

/// Limbs of a word of four bytes.
pub fn join<R, B: Builder<R>>(b: &B, x: [B::V; 4]) -> Word<B::V> {
    let byte = b.int(1 << 8);
    [x[0] + x[1] * byte, x[2] + x[3] * byte]
}

/// *Assumes* limbs below `2^16`, `signed` boolean. *Ensures* that the returned high limb orders
/// words as `signed` says when compared without sign: the sign bit flipped if signed.
pub fn biased<R, B: Builder<R>>(
    b: &mut B,
    name: &'static str,
    high: B::V,
    signed: B::V,
    hint: impl Fn(&R) -> bool,
) -> B::V {
    let sign = b.bit(name, hint);
    let (half, limb) = (b.int(1 << 15), b.int(1 << 16));
    let biased = high + signed * half - sign * limb;
    b.range(biased, 16);
    biased
}

/// SLT, SLTU, SLTI and SLTIU.
pub struct Less {
    /// Whether the second operand is an immediate.
    pub immediate: bool,
}

impl Table for Less {
    type Row = Row;

    fn name(&self) -> &'static str {
        if self.immediate { "lessi" } else { "less" }
    }

    fn eval<B: Builder<Row>>(&self, b: &mut B) {
        let immediate = self.immediate;
        let operand = move |r: &Row| if immediate { r.step.inst.imm as u32 } else { r.step.rs2 };
        let form = if immediate { Form::I } else { Form::R };
        let class = if immediate { class::LESSI } else { class::LESS };
        let why = if immediate { "matched on program" } else { "matched on registers" };
        let (cpu, fields) = begin(b, form, class, |b| {
            let mut fields = vec![b.free("signed", "matched on program", |r| u32::from(is_signed(r)))];
            if immediate {
                fields.extend(b.free_word(["b lo", "b hi"], why, operand));
            }
            fields
        });
        let signed = fields[0];
        let x = b.free_word(["a lo", "a hi"], "matched on registers", |r| r.step.rs1);
        cpu.read_rs1(b, x);
        let y = if immediate {
            [fields[1], fields[2]]
        } else {
            let y = b.free_word(["b lo", "b hi"], why, operand);
            cpu.read_rs2(b, y);
            y
        };
        let x_high = biased(b, "a sign", x[1], signed, |r| is_signed(r) && r.step.rs1 >> 31 == 1);
        let y_high = biased(b, "b sign", y[1], signed, move |r| is_signed(r) && operand(r) >> 31 == 1);
        let less = b.bit("less", |r| r.step.rd == 1);
        // x - y = d - 2^32 less
        let d = b.word(["d lo", "d hi"], move |r| difference(r.step.rs1, operand(r)));
        let limb = b.int(1 << 16);
        let borrow = d[0] - x[0] + y[0];
        b.zero("low borrow", borrow * (borrow - limb));
        b.zero("high borrow", (d[1] - x_high + y_high - less * limb) * limb + borrow);
        let zero = b.int(0);
        cpu.write_rd(b, [less, zero]);
        cpu.fall_through(b);
    }
}

/// The difference of the biased words, which is that of the words.
const fn difference(x: u32, y: u32) -> u32 {
    x.wrapping_sub(y)
}

fn is_signed(r: &Row) -> bool {
    use super::super::isa::Op;
    matches!(r.step.inst.op, Op::Slt | Op::Slti)
}
