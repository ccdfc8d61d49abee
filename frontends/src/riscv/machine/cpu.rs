//! What instruction tables share: the adapter that owns control, decoding, registers and memory.

use trilemma_arith::{Builder, Bus, Gadgets};

use super::super::observe::Step;
use super::bus::{EXEC, GAP_BITS, PROGRAM, REGS, TICKS};

/// An executed instruction with the clocks of what it accesses.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// What the executor reported.
    pub step: Step,
    /// Clock at its start.
    pub clock: u32,
    /// Clocks of the accesses before each of its own: rs1, rs2, first word, second word, rd.
    pub before: [u32; 5],
}

/// Indices into [`Row::before`].
pub mod slot {
    #![expect(missing_docs, reason = "the names of accesses")]
    pub const RS1: usize = 0;
    pub const RS2: usize = 1;
    pub const MEM: usize = 2;
    pub const MEM2: usize = 3;
    pub const RD: usize = 4;
}

/// Two 16-bit limbs, low first.
pub type Word<V> = [V; 2];

/// The adapter of one instruction table.
pub struct Cpu<V> {
    /// Whether the row is in use.
    pub real: V,
    /// Word index of the instruction.
    pub pc: V,
    /// Clock at its start.
    pub clock: V,
    /// Register numbers.
    pub regs: Regs<V>,
}

/// Register numbers of an instruction, 0 where it has none.
#[derive(Clone, Copy)]
pub struct Regs<V> {
    /// Destination.
    pub rd: V,
    /// First source.
    pub rs1: V,
    /// Second source.
    pub rs2: V,
}

/// Which registers an instruction table has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// rd, rs1, rs2.
    R,
    /// rd, rs1.
    I,
    /// rs1, rs2.
    S,
}

/// *Ensures* that the row is the next instruction of the execution and `fields` are its decoding.
pub fn begin<B: Builder<Row>>(
    b: &mut B,
    form: Form,
    class: u32,
    fields: impl FnOnce(&mut B) -> Vec<B::V>,
) -> (Cpu<B::V>, Vec<B::V>) {
    let real = b.rows();
    let pc = b.free("pc", "matched on exec", |r| r.step.pc >> 2);
    let clock = b.free("clock", "matched on exec", |r| r.clock);
    b.recv(EXEC, &[pc, clock]);
    let zero = b.int(0);
    let rd = match form {
        Form::S => zero,
        _ => b.free("rd", "matched on program", |r| match r.step.inst.rd {
            0 => super::bus::SINK,
            rd => u32::from(rd),
        }),
    };
    let rs1 = b.free("rs1", "matched on program", |r| u32::from(r.step.inst.rs1));
    let rs2 = match form {
        Form::I => zero,
        _ => b.free("rs2", "matched on program", |r| u32::from(r.step.inst.rs2)),
    };
    let fields = fields(b);
    // Stores and branches have no rd; their rows of the program say x0, which is the sink.
    let rd_field = if form == Form::S { b.int(i64::from(super::bus::SINK)) } else { rd };
    let mut tuple = vec![pc, b.int(i64::from(class)), rd_field, rs1, rs2];
    tuple.extend(&fields);
    tuple.resize(PROGRAM.arity, zero);
    b.send(PROGRAM, &tuple);
    (Cpu { real, pc, clock, regs: Regs { rd, rs1, rs2 } }, fields)
}

impl<V: trilemma_arith::table::Value> Cpu<V> {
    /// *Ensures* that control passes to `next`.
    pub fn end<B: Builder<Row, V = V>>(&self, b: &mut B, next: V) {
        let ticks = b.int(i64::from(TICKS));
        b.send(EXEC, &[next, self.clock + ticks]);
    }

    /// *Ensures* that control passes to the following instruction.
    pub fn fall_through<B: Builder<Row, V = V>>(&self, b: &mut B) {
        let one = b.int(1);
        self.end(b, self.pc + one);
    }

    /// The clock of the access number `k` of the instruction.
    pub fn at<B: Builder<Row, V = V>>(&self, b: &B, k: u32) -> V {
        self.clock + b.int(i64::from(k))
    }

    /// *Ensures* that rs1 holds `value`. First access.
    pub fn read_rs1<B: Builder<Row, V = V>>(&self, b: &mut B, value: Word<V>) {
        let t = self.at(b, 0);
        access(b, REGS, "rs1 before", slot::RS1, self.regs.rs1, (value, value), t);
    }

    /// *Ensures* that rs2 holds `value`. Second access.
    pub fn read_rs2<B: Builder<Row, V = V>>(&self, b: &mut B, value: Word<V>) {
        let t = self.at(b, 1);
        access(b, REGS, "rs2 before", slot::RS2, self.regs.rs2, (value, value), t);
    }

    /// *Assumes* `value`'s limbs are below `2^16`. *Ensures* that rd holds it from now on. Last
    /// access.
    pub fn write_rd<B: Builder<Row, V = V>>(&self, b: &mut B, value: Word<V>) {
        let old = b.free_word(["old lo", "old hi"], "matched on registers", |r| r.step.rd_before);
        let t = self.at(b, 3);
        access(b, REGS, "rd before", slot::RD, self.regs.rd, (old, value), t);
    }
}

/// *Ensures* that the last access of `addr` on `bus` left `before.0`, and leaves `before.1` with
/// clock `now`, later than it.
pub fn access<B: Builder<Row>>(
    b: &mut B,
    bus: Bus,
    name: &'static str,
    slot: usize,
    addr: B::V,
    (before, after): (Word<B::V>, Word<B::V>),
    now: B::V,
) {
    let last = b.free(name, "below the clock", move |r: &Row| r.before[slot]);
    transfer(b, bus, addr, (before, after), (last, now));
}

/// The two messages of an access, and that time goes forward.
pub fn transfer<R, B: Builder<R>>(
    b: &mut B,
    bus: Bus,
    addr: B::V,
    (before, after): (Word<B::V>, Word<B::V>),
    (last, now): (B::V, B::V),
) {
    b.recv(bus, &[addr, before[0], before[1], last]);
    b.send(bus, &[addr, after[0], after[1], now]);
    let one = b.int(1);
    b.range(now - last - one, GAP_BITS);
}

/// An access that happens when the bit `when` is set.
pub fn access_if<R, B: Builder<R>>(
    b: &mut B,
    when: B::V,
    bus: Bus,
    addr: B::V,
    (before, after): (Word<B::V>, Word<B::V>),
    last: B::V,
    now: B::V,
) {
    let gate = b.gate();
    b.set_gate(when);
    transfer(b, bus, addr, (before, after), (last, now));
    b.set_gate(gate);
}

/// *Assumes* limbs below `2^16`. *Ensures* `x + y = z` modulo `2^32`.
pub fn add32<R, B: Builder<R>>(b: &mut B, x: Word<B::V>, y: Word<B::V>, z: Word<B::V>) {
    let limb = b.int(1 << 16);
    let carry = x[0] + y[0] - z[0];
    b.zero("low carry", carry * (carry - limb));
    let top = (x[1] + y[1] - z[1]) * limb + carry;
    let wrap = b.int(1 << 32);
    b.zero("high carry", top * (top - wrap));
}
