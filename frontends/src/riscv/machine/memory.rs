//! The two ends of offline memory checking, and the bridges between accesses far apart.
//!
//! Every register and every word of memory in use is sent once with its initial value and clock 0
//! and received once with its last. The words form one increasing chain on the `order` bus, from the
//! first word of RAM to its end, so none occurs twice: addresses stay below `2^30` and steps below
//! `2^29 + 1`, so the chain cannot wrap in any field of more than `2^30.6` elements.

use trilemma_arith::{Builder, Bus, Gadgets, Table};

use super::bus::{CLOCK_BITS, MEM, ORDER, REGISTERS, REGS};

/// What an execution leaves in one place.
#[derive(Debug, Clone, Copy, Default)]
pub struct Last {
    /// Word index; unused where it is fixed.
    pub index: u32,
    /// The value.
    pub value: u32,
    /// Clock of the last access.
    pub clock: u32,
    /// Words skipped before the next one of the chain.
    pub skip: u32,
}

/// Bits of a skip.
pub const SKIP_BITS: u32 = 29;

/// First and last message of a place, the first with value `initial`.
fn ends<B: Builder<Last>>(b: &mut B, bus: Bus, index: B::V, initial: [B::V; 2]) {
    let zero = b.int(0);
    b.send(bus, &[index, initial[0], initial[1], zero]);
    let last = b.free_word(["last lo", "last hi"], "matched on the bus", |r| r.value);
    let clock = b.free("last clock", "matched on the bus", |r| r.clock);
    b.recv(bus, &[index, last[0], last[1], clock]);
}

/// A link of the chain: this word, and the next one after `skip` others.
fn link<B: Builder<Last>>(b: &mut B, index: B::V) {
    let low = b.ranged("skip lo", 16, |r| r.skip & 0xffff);
    let high = b.ranged("skip hi", SKIP_BITS - 16, |r| r.skip >> 16);
    b.recv(ORDER, &[index]);
    let next = index + b.int(1) + low + high * b.int(1 << 16);
    b.send(ORDER, &[next]);
}

/// Words that start as zero.
pub struct Zeroed;

impl Table for Zeroed {
    type Row = Last;

    fn name(&self) -> &'static str {
        "zeroed memory"
    }

    fn eval<B: Builder<Last>>(&self, b: &mut B) {
        b.rows();
        let low = b.ranged("index lo", 16, |r| r.index & 0xffff);
        let high = b.ranged("index hi", 14, |r| r.index >> 16);
        let index = low + high * b.int(1 << 16);
        let zero = b.int(0);
        ends(b, MEM, index, [zero, zero]);
        link(b, index);
    }
}

/// Words that the program's image initialises.
pub struct Image {
    /// `(1, index, low, high)` for each, padded with zeros.
    pub words: Vec<[u32; 4]>,
}

impl Table for Image {
    type Row = Last;

    fn name(&self) -> &'static str {
        "image"
    }

    fn fixed(&self) -> Vec<Vec<u32>> {
        super::lookup::columns(&self.words)
    }

    fn eval<B: Builder<Last>>(&self, b: &mut B) {
        let used = b.fixed("used");
        let index = b.fixed("index");
        let initial = [b.fixed("lo"), b.fixed("hi")];
        b.set_gate(used);
        ends(b, MEM, index, initial);
        link(b, index);
    }
}

/// All registers.
pub struct Registers;

impl Table for Registers {
    type Row = Last;

    fn name(&self) -> &'static str {
        "register file"
    }

    fn fixed(&self) -> Vec<Vec<u32>> {
        vec![(0..REGISTERS as u32).collect()]
    }

    fn eval<B: Builder<Last>>(&self, b: &mut B) {
        let index = b.fixed("index");
        let zero = b.int(0);
        ends(b, REGS, index, [zero, zero]);
    }
}

/// An access that changes nothing but the clock.
#[derive(Debug, Clone, Copy)]
pub struct TouchRow {
    /// Register or word index.
    pub index: u32,
    /// Its value.
    pub value: u32,
    /// Clock of the access before.
    pub last: u32,
    /// Clock of this one.
    pub now: u32,
}

/// Bridges accesses of one place that are more than `2^16` ticks apart.
pub struct Touch {
    /// [`REGS`] or [`MEM`].
    pub bus: Bus,
}

impl Table for Touch {
    type Row = TouchRow;

    fn name(&self) -> &'static str {
        if self.bus == REGS { "touch register" } else { "touch memory" }
    }

    fn eval<B: Builder<TouchRow>>(&self, b: &mut B) {
        let real = b.rows();
        let index = b.free("index", "matched on the bus", |r| r.index);
        let value = b.free_word(["lo", "hi"], "matched on the bus", |r| r.value);
        let last = b.free("last", "matched on the bus", |r| r.last);
        let high_bits = CLOCK_BITS - 16;
        let now_low = b.ranged("now lo", 16, |r| r.now & 0xffff);
        let now_high = b.ranged("now hi", high_bits, |r| r.now >> 16);
        let gap_low = b.ranged("gap lo", 16, |r| (r.now - r.last - 1) & 0xffff);
        let gap_high = b.ranged("gap hi", high_bits, |r| (r.now - r.last - 1) >> 16);
        let limb = b.int(1 << 16);
        let now = now_low + now_high * limb;
        b.zero("time goes on", now - last - real - gap_low - gap_high * limb);
        b.recv(self.bus, &[index, value[0], value[1], last]);
        b.send(self.bus, &[index, value[0], value[1], now]);
    }
}
