//! Multiplication and division, on products of bytes carried in 16-bit limbs.

use trilemma_arith::table::RANGE;
use trilemma_arith::{Builder, Gadgets, Table};

use super::super::isa::Op;
use super::alu::join;
use super::cpu::{Form, Row, Word, begin};
use super::rom::class;
use super::shift::pack;

/// Bits of the carries of [`limbs_of_product`].
const CARRY_BITS: u32 = 12;

/// Four bytes and the byte that extends their sign.
struct Factor<V> {
    bytes: [V; 4],
    extension: V,
}

impl<V: Copy> Factor<V> {
    fn byte(&self, i: usize) -> V {
        if i < 4 { self.bytes[i] } else { self.extension }
    }
}

/// Columns `i` and `i + 1` of the schoolbook product modulo `2^64`, as limb `t` before carries:
/// at most `(8 + 256 * 8) * 255^2 < 2^27.1`.
fn limb_of_product<R, B: Builder<R>>(b: &B, x: &Factor<B::V>, y: &Factor<B::V>, t: usize) -> B::V {
    let column = |k: usize| (0..=k).fold(b.int(0), |sum, i| sum + x.byte(i) * y.byte(k - i));
    column(2 * t) + column(2 * t + 1) * b.int(256)
}

/// The bit that says whether a word with this top byte is negative, 0 unless `signed`.
fn sign_of<B: Builder<Row>>(
    b: &mut B,
    name: &'static str,
    (top, bits): (B::V, u32),
    signed: B::V,
    hint: impl Fn(&Row) -> bool,
) -> B::V {
    let sign = b.bit(name, hint);
    let one = b.int(1);
    b.zero(name, sign * (one - signed));
    let half = b.int(1 << (bits - 1));
    let width = b.int(i64::from(bits)) - signed;
    b.send(RANGE, &[top - sign * half, width]);
    sign
}

/// MUL, MULH, MULHSU and MULHU.
pub struct Mul;

fn mul_flags(op: Op) -> [bool; 3] {
    [matches!(op, Op::Mulh | Op::Mulhsu), op == Op::Mulh, op != Op::Mul]
}

fn extended(x: u32, signed: bool) -> u64 {
    if signed { i64::from(x as i32) as u64 } else { u64::from(x) }
}

fn product(r: &Row) -> u64 {
    let [x_signed, y_signed, _] = mul_flags(r.step.inst.op);
    extended(r.step.rs1, x_signed).wrapping_mul(extended(r.step.rs2, y_signed))
}

/// Carries out of the limbs of `x * y + added` modulo `2^64`, where `added` has 16-bit limbs.
fn carries(x: u64, y: u64, added: u64) -> [u32; 4] {
    let (x, y) = (x.to_le_bytes(), y.to_le_bytes());
    let column = |k: usize| (0..=k).map(|i| u64::from(x[i]) * u64::from(y[k - i])).sum::<u64>();
    let mut carry = 0;
    std::array::from_fn(|t| {
        let sum = column(2 * t) + 256 * column(2 * t + 1) + ((added >> (16 * t)) & 0xffff) + carry;
        carry = sum >> 16;
        carry as u32
    })
}

const CARRY_NAMES: [&str; 4] = ["carry 0", "carry 1", "carry 2", "carry 3"];

impl Table for Mul {
    type Row = Row;

    fn name(&self) -> &'static str {
        "mul"
    }

    fn eval<B: Builder<Row>>(&self, b: &mut B) {
        let names = ["a signed", "b signed", "high"];
        let mut bits = Vec::new();
        let (cpu, _) = begin(b, Form::R, class::MUL, |b| {
            bits.extend((0..3).map(|i| b.bit(names[i], move |r| mul_flags(r.step.inst.op)[i])));
            vec![pack(b, &bits)]
        });
        let x = ranged_bytes(b, ["a0", "a1", "a2", "a3"], |r| r.step.rs1);
        let y = ranged_bytes(b, ["b0", "b1", "b2", "b3"], |r| r.step.rs2);
        let (x_word, y_word) = (join(b, x), join(b, y));
        cpu.read_rs1(b, x_word);
        cpu.read_rs2(b, y_word);
        let negative = |r: &Row, i: usize, x: u32| mul_flags(r.step.inst.op)[i] && x >> 31 == 1;
        let x_sign = sign_of(b, "a sign", (x[3], 8), bits[0], move |r| negative(r, 0, r.step.rs1));
        let y_sign = sign_of(b, "b sign", (y[3], 8), bits[1], move |r| negative(r, 1, r.step.rs2));
        let ones = b.int(255);
        let x = Factor { bytes: x, extension: x_sign * ones };
        let y = Factor { bytes: y, extension: y_sign * ones };

        let limb = b.int(1 << 16);
        let names = ["r0", "r1", "r2", "r3"];
        let mut carry = b.int(0);
        let limbs: [B::V; 4] = std::array::from_fn(|t| {
            let r = b.ranged(names[t], 16, move |row| (product(row) >> (16 * t)) as u32 & 0xffff);
            let out = b.ranged(CARRY_NAMES[t], CARRY_BITS, move |row| {
                let [xs, ys, _] = mul_flags(row.step.inst.op);
                carries(extended(row.step.rs1, xs), extended(row.step.rs2, ys), 0)[t]
            });
            let sum = limb_of_product(b, &x, &y, t) + carry;
            b.zero(names[t], sum - r - out * limb);
            carry = out;
            r
        });
        let high = bits[2];
        let c = b.free_word(["c lo", "c hi"], "one half of the product", |r| r.step.rd);
        b.zero("low limb", c[0] - limbs[0] - high * (limbs[2] - limbs[0]));
        b.zero("high limb", c[1] - limbs[1] - high * (limbs[3] - limbs[1]));
        cpu.write_rd(b, c);
        cpu.fall_through(b);
    }
}

fn ranged_bytes<B: Builder<Row>>(b: &mut B, names: [&'static str; 4], hint: impl Fn(&Row) -> u32 + Copy) -> [B::V; 4] {
    std::array::from_fn(|i| b.ranged(names[i], 8, move |r| hint(r) >> (8 * i) & 0xff))
}

/// DIV, DIVU, REM and REMU.
///
/// With words extended to integers by their signs, `a = b q + r` where `r` has the sign of `a` and
/// is less than `b` in absolute value. The equation is checked modulo `2^64`, which determines the
/// integers: their difference is below `2^64`. The quotient's sign is free, so that the one that
/// overflows, `-2^31 / -1`, has its 33 bits. Division by zero has `q = 2^32 - 1` and `r = a`.
pub struct Div;

fn signed(r: &Row) -> bool {
    matches!(r.step.inst.op, Op::Div | Op::Rem)
}

/// Quotient and remainder as extended integers.
fn divide(r: &Row) -> (i64, i64) {
    let value = |x: u32| if signed(r) { i64::from(x as i32) } else { i64::from(x) };
    let (x, y) = (value(r.step.rs1), value(r.step.rs2));
    if y == 0 { (0xffff_ffff, x) } else { (x / y, x % y) }
}

fn remainder_size(r: &Row) -> u32 {
    divide(r).1.unsigned_abs() as u32
}

fn divisor_size(r: &Row) -> u32 {
    if signed(r) { (r.step.rs2 as i32).unsigned_abs() } else { r.step.rs2 }
}

fn quotient_negative(r: &Row) -> bool {
    divide(r).0 < 0
}

fn slack(r: &Row) -> u32 {
    if r.step.rs2 == 0 { 0 } else { divisor_size(r) - remainder_size(r) - 1 }
}

/// What the low limb of the slack borrows.
fn slack_borrow(r: &Row) -> u32 {
    if r.step.rs2 == 0 {
        return 0;
    }
    let low = i64::from(r.step.rs2 & 0xffff);
    let low = if signed(r) && r.step.rs2 >> 31 == 1 { -low } else { low };
    let exact = low - i64::from(remainder_size(r) & 0xffff) - 1;
    ((i64::from(slack(r) & 0xffff) - exact) >> 16) as u32
}

impl Table for Div {
    type Row = Row;

    fn name(&self) -> &'static str {
        "div"
    }

    fn eval<B: Builder<Row>>(&self, b: &mut B) {
        let mut bits = Vec::new();
        let (cpu, _) = begin(b, Form::R, class::DIV, |b| {
            bits.push(b.bit("signed", signed));
            bits.push(b.bit("remainder", |r| matches!(r.step.inst.op, Op::Rem | Op::Remu)));
            vec![pack(b, &bits)]
        });
        let (is_signed, wants_remainder) = (bits[0], bits[1]);
        let x = b.free_word(["a lo", "a hi"], "matched on registers", |r| r.step.rs1);
        let y = ranged_bytes(b, ["b0", "b1", "b2", "b3"], |r| r.step.rs2);
        let y_word = join(b, y);
        cpu.read_rs1(b, x);
        cpu.read_rs2(b, y_word);
        let x_sign = sign_of(b, "a sign", (x[1], 16), is_signed, |r| signed(r) && r.step.rs1 >> 31 == 1);
        let y_sign = sign_of(b, "b sign", (y[3], 8), is_signed, |r| signed(r) && r.step.rs2 >> 31 == 1);
        let q = ranged_bytes(b, ["q0", "q1", "q2", "q3"], |r| divide(r).0 as u32);
        let q_sign = b.bit("q sign", quotient_negative);
        let one = b.int(1);
        b.zero("sign of unsigned quotients", q_sign * (one - is_signed));

        let zero_divisor = b.bit("b is zero", |r| r.step.rs2 == 0);
        let q_word = join(b, q);
        let (limb, ones) = (b.int(1 << 16), b.int(0xffff));
        b.zero("b is zero lo", zero_divisor * y_word[0]);
        b.zero("b is zero hi", zero_divisor * y_word[1]);
        b.zero("q of zero lo", zero_divisor * (q_word[0] - ones));
        b.zero("q of zero hi", zero_divisor * (q_word[1] - ones));

        let (r, size, r_sign) = remainder(b, x_sign);
        // |b| = |r| + 1 + d unless b is zero.
        let d = b.word(["d lo", "d hi"], slack);
        let borrow = b.ranged("d borrow", 2, slack_borrow);
        let direction = one - y_sign - y_sign;
        let nonzero = cpu.real - zero_divisor;
        b.zero("slack lo", nonzero * (d[0] + size[0] + one - direction * y_word[0] - borrow * limb));
        b.zero("slack hi", nonzero * (d[1] + size[1] + borrow - direction * y_word[1] - y_sign * limb));

        let byte_ones = b.int(255);
        let y = Factor { bytes: y, extension: y_sign * byte_ones };
        let q = Factor { bytes: q, extension: q_sign * byte_ones };
        let (x_ext, r_ext) = (x_sign * ones, r_sign * ones);
        let dividend = [x[0], x[1], x_ext, x_ext];
        let added = [r[0], r[1], r_ext, r_ext];
        let mut carry = b.int(0);
        for t in 0..4 {
            let out = b.ranged(CARRY_NAMES[t], CARRY_BITS, move |row| division_carries(row)[t]);
            let sum = limb_of_product(b, &y, &q, t) + added[t] + carry;
            b.zero(CARRY_NAMES[t], sum - dividend[t] - out * limb);
            carry = out;
        }
        let c = b.free_word(["c lo", "c hi"], "quotient or remainder", |r| r.step.rd);
        b.zero("low limb", c[0] - q_word[0] - wants_remainder * (r[0] - q_word[0]));
        b.zero("high limb", c[1] - q_word[1] - wants_remainder * (r[1] - q_word[1]));
        cpu.write_rd(b, c);
        cpu.fall_through(b);
    }
}

fn division_carries(r: &Row) -> [u32; 4] {
    let (q, rest) = divide(r);
    carries(extended(r.step.rs2, signed(r)), q as u64, rest as u64)
}

/// The remainder, its absolute value, and whether it is negative. *Ensures* that it has the sign of
/// the dividend or is zero.
fn remainder<B: Builder<Row>>(b: &mut B, x_sign: B::V) -> (Word<B::V>, Word<B::V>, B::V) {
    let r = b.word(["r lo", "r hi"], |r| divide(r).1 as u32);
    let size = b.word(["|r| lo", "|r| hi"], remainder_size);
    let low = b.bit("r borrow", |r| divide(r).1 < 0 && remainder_size(r) & 0xffff != 0);
    let sign = b.bit("r sign", |r| divide(r).1 < 0);
    let (one, limb) = (b.int(1), b.int(1 << 16));
    let direction = one - x_sign - x_sign;
    b.zero("r lo", r[0] - direction * size[0] - low * limb);
    b.zero("r hi", r[1] - direction * size[1] + low - sign * limb);
    (r, size, sign)
}
