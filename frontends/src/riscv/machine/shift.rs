//! Shifts. Every 16-bit limb is cut at one place into `u * 2^cut + v`; the result is put together
//! from the parts.
//!
//! A left shift by `s < 16` cuts at `16 - s`, one by `s >= 16` at `32 - s` and moves a limb; a right
//! shift cuts at `s mod 16`. With `L` for left, `R` for right, `0` for within limbs and `1` for a
//! limb moved, `M = 2^cut` and `f` the sign bit of an arithmetic shift:
//!
//! | | low limb times M | high limb times M |
//! |---|---|---|
//! | `L0` | `2^16 v0` | `2^16 v1 + M u0` |
//! | `L1` | `0` | `2^16 v0` |
//! | `R0` | `M u0 + 2^16 v1` | `M u1 + f (2^16 M - 2^16)` |
//! | `R1` | `M u1 + f (2^16 M - 2^16)` | `f (2^16 - 1) M` |

use trilemma_arith::table::RANGE;
use trilemma_arith::{Builder, Gadgets, Table};

use super::super::isa::Op;
use super::bus::SHIFT;
use super::cpu::{Form, Row, begin};
use super::rom::class;

/// 0 left, 1 right, 2 arithmetic right.
pub const fn kind(op: Op) -> u32 {
    match op {
        Op::Sll | Op::Slli => 0,
        Op::Srl | Op::Srli => 1,
        _ => 2,
    }
}

/// Cut, `2^cut` and flags (`L0 + 2 L1 + 4 R0 + 8 R1 + 16 arithmetic`) of a shift by `amount < 32`.
pub const fn amount(kind: u32, amount: u32) -> [u32; 3] {
    let moved = amount / 16;
    let within = amount % 16;
    let (cut, flags) = match kind {
        0 => (16 - within, 1 << moved),
        1 => (within, 4 << moved),
        _ => (within, (4 << moved) + 16),
    };
    [cut, 1 << cut, flags]
}

/// SLL, SRL, SRA and their immediate forms.
pub struct Shift {
    /// Whether the amount is an immediate.
    pub immediate: bool,
}

fn decoded(r: &Row) -> [u32; 3] {
    amount(kind(r.step.inst.op), by(r))
}

fn by(r: &Row) -> u32 {
    match r.step.inst.op {
        Op::Slli | Op::Srli | Op::Srai => r.step.inst.imm as u32 & 31,
        _ => r.step.rs2 & 31,
    }
}

impl Table for Shift {
    type Row = Row;

    fn name(&self) -> &'static str {
        if self.immediate { "shifti" } else { "shift" }
    }

    fn eval<B: Builder<Row>>(&self, b: &mut B) {
        let (cpu, cut, power, flags) = if self.immediate {
            let (cpu, f) = begin(b, Form::I, class::SHIFTI, |b| {
                let (cut, power) = cut_columns(b, "matched on program");
                vec![cut, power, b.free("flags", "matched on program", |r| decoded(r)[2])]
            });
            (cpu, f[0], f[1], f[2])
        } else {
            let (cpu, f) = begin(b, Form::R, class::SHIFT, |b| {
                vec![b.free("kind", "matched on program", |r| kind(r.step.inst.op))]
            });
            let (cut, power) = cut_columns(b, "looked up on shift");
            let flags = b.free("flags", "looked up on shift", |r| decoded(r)[2]);
            let by = b.free("amount", "looked up on shift", by);
            b.send(SHIFT, &[f[0], by, cut, power, flags]);
            let rest = b.ranged("b rest", 11, |r| (r.step.rs2 & 0xffff) >> 5);
            let high = b.free("b hi", "matched on registers", |r| r.step.rs2 >> 16);
            let low = by + rest * b.int(32);
            cpu.read_rs2(b, [low, high]);
            (cpu, cut, power, flags)
        };
        let [l0, l1, r0, r1, arithmetic] = flag_bits(b, flags);

        let x = b.free_word(["a lo", "a hi"], "matched on registers", |r| r.step.rs1);
        cpu.read_rs1(b, x);
        let sixteen = b.int(16);
        let cut_limb = |b: &mut B, limb: usize, names: [&'static str; 2]| {
            let part = move |r: &Row| (r.step.rs1 >> (16 * limb)) & 0xffff;
            let u = b.free(names[0], "ranged by the cut", move |r| part(r) >> decoded(r)[0]);
            let v = b.free(names[1], "ranged by the cut", move |r| part(r) & (decoded(r)[1] - 1));
            b.send(RANGE, &[u, sixteen - cut]);
            b.send(RANGE, &[v, cut]);
            b.zero(names[0], x[limb] - u * power - v);
            (u, v)
        };
        let (u0, v0) = cut_limb(b, 0, ["u0", "v0"]);
        let (u1, v1) = cut_limb(b, 1, ["u1", "v1"]);

        let sign = b.bit("sign", |r| kind(r.step.inst.op) == 2 && r.step.rs1 >> 31 == 1);
        let one = b.int(1);
        b.zero("sign of logical shifts", sign * (one - arithmetic));
        let half = b.int(1 << 15);
        b.send(RANGE, &[x[1] - sign * half, sixteen - arithmetic]);

        let limb = b.int(1 << 16);
        let fill = sign * (power * limb - limb);
        let c = b.free_word(["c lo", "c hi"], "determined by the parts", |r| r.step.rd);
        b.zero("low limb", c[0] * power - l0 * v0 * limb - r0 * (u0 * power + v1 * limb) - r1 * (u1 * power + fill));
        b.zero(
            "high limb",
            c[1] * power
                - l0 * (v1 * limb + u0 * power)
                - l1 * v0 * limb
                - r0 * (u1 * power + fill)
                - r1 * sign * (limb - one) * power,
        );
        cpu.write_rd(b, c);
        cpu.fall_through(b);
    }
}

fn cut_columns<B: Builder<Row>>(b: &mut B, why: &'static str) -> (B::V, B::V) {
    (b.free("cut", why, |r| decoded(r)[0]), b.free("2^cut", why, |r| decoded(r)[1]))
}

/// The bits of the flags.
fn flag_bits<B: Builder<Row>>(b: &mut B, flags: B::V) -> [B::V; 5] {
    let names = ["L0", "L1", "R0", "R1", "arithmetic"];
    let bits: [B::V; 5] = std::array::from_fn(|i| b.bit(names[i], move |r| decoded(r)[2] >> i & 1 == 1));
    let sum = pack(b, &bits);
    b.zero("flags", flags - sum);
    bits
}

/// `sum 2^i bits_i`.
pub fn pack<R, B: Builder<R>>(b: &B, bits: &[B::V]) -> B::V {
    bits.iter().enumerate().fold(b.int(0), |sum, (i, &bit)| sum + bit * b.int(1 << i))
}
