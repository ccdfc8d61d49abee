//! Loads and stores. Aligned words have tables of their own; the general tables take every width at
//! every offset, reading a second word when the access crosses into it.
//!
//! An address is `rs1 + imm = 4 (q + 2^14 h) + offset`; wrapping past either end of the address
//! space has no row, and words outside RAM are on no table of memory.

use trilemma_arith::{Builder, Gadgets, Table};

use super::bus::MEM;
use super::cpu::{Cpu, Form, Row, Word, access, access_if, begin, slot};
use super::rom::{access_flags, class};
use super::shift::pack;

/// *Ensures* that `index` is the word at `rs1 + imm - offset`. `imm` is biased by 2048.
fn address<B: Builder<Row>>(b: &mut B, cpu: &Cpu<B::V>, rs1: Word<B::V>, imm: B::V, offset: B::V) -> B::V {
    let q = b.ranged("address lo", 14, |r| (r.step.addr & 0xffff) >> 2);
    let h = b.ranged("address hi", 16, |r| r.step.addr >> 16);
    let (four, bias, limb) = (b.int(4), b.int(2048), b.int(1 << 16));
    // In {-2^16, 0, 2^16}: what the low limb hands to the high one.
    let carry = rs1[0] + imm - bias * cpu.real - four * q - offset;
    b.zero("address carry", carry * (carry - limb) * (carry + limb));
    b.zero("address high", limb * (h - rs1[1]) - carry);
    q + h * b.int(1 << 14)
}

fn biased_imm(r: &Row) -> u32 {
    (r.step.inst.imm + 2048) as u32
}

/// LW at a multiple of 4.
pub struct LoadWord;

impl Table for LoadWord {
    type Row = Row;

    fn name(&self) -> &'static str {
        "load word"
    }

    fn eval<B: Builder<Row>>(&self, b: &mut B) {
        let (cpu, fields) =
            begin(b, Form::I, class::LOAD, |b| vec![b.free("imm", "matched on program", biased_imm), b.int(4)]);
        let x = b.free_word(["a lo", "a hi"], "matched on registers", |r| r.step.rs1);
        cpu.read_rs1(b, x);
        let zero = b.int(0);
        let index = address(b, &cpu, x, fields[0], zero);
        let value = b.free_word(["value lo", "value hi"], "matched on memory", |r| r.step.words[0].0);
        let now = cpu.at(b, 1);
        access(b, MEM, "word before", slot::MEM, index, (value, value), now);
        cpu.write_rd(b, value);
        cpu.fall_through(b);
    }
}

/// SW at a multiple of 4.
pub struct StoreWord;

impl Table for StoreWord {
    type Row = Row;

    fn name(&self) -> &'static str {
        "store word"
    }

    fn eval<B: Builder<Row>>(&self, b: &mut B) {
        let (cpu, fields) =
            begin(b, Form::S, class::STORE, |b| vec![b.free("imm", "matched on program", biased_imm), b.int(4)]);
        let x = b.free_word(["a lo", "a hi"], "matched on registers", |r| r.step.rs1);
        let y = b.free_word(["b lo", "b hi"], "matched on registers", |r| r.step.rs2);
        cpu.read_rs1(b, x);
        cpu.read_rs2(b, y);
        let zero = b.int(0);
        let index = address(b, &cpu, x, fields[0], zero);
        let old = b.free_word(["old lo", "old hi"], "matched on memory", |r| r.step.words[0].0);
        let now = cpu.at(b, 2);
        access(b, MEM, "word before", slot::MEM, index, (old, y), now);
        cpu.fall_through(b);
    }
}

/// Flags of an access, as columns whose packing the program gives.
struct Width<V> {
    byte: V,
    half: V,
    word: V,
    signed: V,
}

fn width<B: Builder<Row>>(b: &mut B) -> (Width<B::V>, B::V) {
    let names = ["byte", "half", "word", "signed"];
    let bits: [B::V; 4] = std::array::from_fn(|i| b.bit(names[i], move |r| access_flags(r.step.inst.op) >> i & 1 == 1));
    let packed = pack(b, &bits);
    let [byte, half, word, signed] = bits;
    (Width { byte, half, word, signed }, packed)
}

/// Offset within a word, one-hot.
fn offsets<B: Builder<Row>>(b: &mut B, cpu: &Cpu<B::V>) -> ([B::V; 4], B::V) {
    let names = ["offset 1", "offset 2", "offset 3"];
    let [o1, o2, o3] = std::array::from_fn(|i| b.bit(names[i], move |r| r.step.addr as usize % 4 == i + 1));
    let o0 = cpu.real - o1 - o2 - o3;
    b.boolean("one offset", o0);
    let offset = o1 + o2 * b.int(2) + o3 * b.int(3);
    ([o0, o1, o2, o3], offset)
}

/// Whether the access crosses into a second word.
fn crossing<B: Builder<Row>>(b: &mut B, width: &Width<B::V>, o: &[B::V; 4]) -> B::V {
    let cross =
        b.free("cross", "determined by width and offset", |r| u32::from(r.step.addr % 4 + r.step.inst.op.width() > 4));
    b.zero("cross", cross - width.half * o[3] - width.word * (o[1] + o[2] + o[3]));
    cross
}

fn word_bytes<B: Builder<Row>>(b: &mut B, word: usize) -> [B::V; 4] {
    let names = [["m0", "m1", "m2", "m3"], ["m4", "m5", "m6", "m7"]][word];
    std::array::from_fn(|i| b.ranged(names[i], 8, move |r| (r.step.words[word].0 >> (8 * i)) & 0xff))
}

/// The byte at the address plus `j`.
fn selected<R, B: Builder<R>>(b: &B, o: &[B::V; 4], m: &[B::V; 8], j: usize) -> B::V {
    (0..4).fold(b.int(0), |sum, k| sum + o[k] * m[k + j])
}

/// Loads of every width at every offset.
pub struct Load;

fn extension(r: &Row) -> bool {
    use super::super::isa::Op;
    matches!(r.step.inst.op, Op::Lb | Op::Lh) && r.step.rd >> 31 == 1
}

impl Table for Load {
    type Row = Row;

    fn name(&self) -> &'static str {
        "load"
    }

    fn eval<B: Builder<Row>>(&self, b: &mut B) {
        let mut flags = None;
        let (cpu, fields) = begin(b, Form::I, class::LOAD, |b| {
            let imm = b.free("imm", "matched on program", biased_imm);
            let (w, packed) = width(b);
            flags = Some(w);
            vec![imm, packed]
        });
        let Some(w) = flags else { return };
        let x = b.free_word(["a lo", "a hi"], "matched on registers", |r| r.step.rs1);
        cpu.read_rs1(b, x);
        let (o, offset) = offsets(b, &cpu);
        let index = address(b, &cpu, x, fields[0], offset);
        let cross = crossing(b, &w, &o);
        let (low, high) = (word_bytes(b, 0), word_bytes(b, 1));
        let m: [B::V; 8] = std::array::from_fn(|i| if i < 4 { low[i] } else { high[i - 4] });
        let now = cpu.at(b, 1);
        let word = super::alu::join(b, low);
        access(b, MEM, "word before", slot::MEM, index, (word, word), now);
        second_word(b, &cpu, cross, index, (high, None), 2);

        let s: [B::V; 4] = std::array::from_fn(|j| selected(b, &o, &m, j));
        let top = b.free("top byte", "determined by width and offset", top_byte);
        b.zero("top byte", top - w.byte * s[0] - w.half * s[1]);
        let sign = b.bit("sign", extension);
        b.zero("sign of unsigned loads", sign * (b.int(1) - w.signed));
        let bits = b.int(8) - w.signed;
        let half = b.int(128);
        b.send(trilemma_arith::table::RANGE, &[top - sign * half, bits]);

        let c = b.free_word(["c lo", "c hi"], "determined by bytes and sign", |r| r.step.rd);
        let (byte, ones) = (b.int(256), b.int(0xffff));
        b.zero("low limb", c[0] - s[0] - (w.half + w.word) * s[1] * byte - w.byte * sign * b.int(0xff00));
        b.zero("high limb", c[1] - (w.byte + w.half) * sign * ones - w.word * (s[2] + s[3] * byte));
        cpu.write_rd(b, c);
        cpu.fall_through(b);
    }
}

fn top_byte(r: &Row) -> u32 {
    match access_flags(r.step.inst.op) & 7 {
        1 => r.step.rd & 0xff,
        2 => r.step.rd >> 8 & 0xff,
        _ => 0,
    }
}

/// The access of the word after `index`, when `cross` is set.
fn second_word<B: Builder<Row>>(
    b: &mut B,
    cpu: &Cpu<B::V>,
    cross: B::V,
    index: B::V,
    (before, after): ([B::V; 4], Option<Word<B::V>>),
    tick: u32,
) {
    let last = b.free("second word before", "below the clock", |r| r.before[slot::MEM2]);
    let before = super::alu::join(b, before);
    let next = index + b.int(1);
    let now = cpu.at(b, tick);
    access_if(b, cross, MEM, next, (before, after.unwrap_or(before)), last, now);
}

/// Stores of every width at every offset.
pub struct Store;

impl Table for Store {
    type Row = Row;

    fn name(&self) -> &'static str {
        "store"
    }

    fn eval<B: Builder<Row>>(&self, b: &mut B) {
        let mut flags = None;
        let (cpu, fields) = begin(b, Form::S, class::STORE, |b| {
            let imm = b.free("imm", "matched on program", biased_imm);
            let (w, packed) = width(b);
            b.zero("stores have no sign", w.signed);
            flags = Some(w);
            vec![imm, packed]
        });
        let Some(w) = flags else { return };
        let x = b.free_word(["a lo", "a hi"], "matched on registers", |r| r.step.rs1);
        let names = ["b0", "b1", "b2", "b3"];
        let y: [B::V; 4] = std::array::from_fn(|i| b.ranged(names[i], 8, move |r| (r.step.rs2 >> (8 * i)) & 0xff));
        cpu.read_rs1(b, x);
        let value = super::alu::join(b, y);
        cpu.read_rs2(b, value);
        let (o, offset) = offsets(b, &cpu);
        let index = address(b, &cpu, x, fields[0], offset);
        let cross = crossing(b, &w, &o);
        let (low, high) = (word_bytes(b, 0), word_bytes(b, 1));
        let m: [B::V; 8] = std::array::from_fn(|i| if i < 4 { low[i] } else { high[i - 4] });

        // Byte `p` becomes byte `p - offset` of rs2 when that is written.
        let written = [cpu.real, w.half + w.word, w.word, w.word];
        let n: [B::V; 8] = std::array::from_fn(|p| {
            let offsets = (0..4usize).filter(|k| *k <= p && p - k < 4);
            offsets.fold(m[p], |sum, k| sum + o[k] * written[p - k] * (y[p - k] - m[p]))
        });
        let byte = b.int(256);
        let names = [["new lo", "new hi"], ["second lo", "second hi"]];
        let after: [Word<B::V>; 2] = std::array::from_fn(|i| {
            let limbs = b.free_word(names[i], "determined by bytes", move |r| new_word(r, i));
            b.zero(names[i][0], limbs[0] - n[4 * i] - n[4 * i + 1] * byte);
            b.zero(names[i][1], limbs[1] - n[4 * i + 2] - n[4 * i + 3] * byte);
            limbs
        });
        let now = cpu.at(b, 2);
        let before = super::alu::join(b, low);
        access(b, MEM, "word before", slot::MEM, index, (before, after[0]), now);
        second_word(b, &cpu, cross, index, (high, Some(after[1])), 3);
        cpu.fall_through(b);
    }
}

fn new_word(r: &Row, word: usize) -> u32 {
    r.step.words[word].1
}
