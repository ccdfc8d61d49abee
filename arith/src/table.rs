//! The table language.
//!
//! A table's `eval` names its columns, states constraints that vanish on every row, and sends and
//! receives tuples on buses. It is the only text: width, degree, helper columns, witness filling and
//! lookup counts come from running it. Columns are born by calls, in order; an advice column is born
//! with its range check, or with the reason why it needs none.
//!
//! A padding row is all zeros and must satisfy every constraint and add nothing to any bus.

use std::ops::{Add, Mul, Neg, Sub};

/// What constraints compute with.
pub trait Value: Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Neg<Output = Self> {}
impl<T> Value for T where T: Copy + Add<Output = T> + Sub<Output = T> + Mul<Output = T> + Neg<Output = T> {}

/// A bus: tuples sent on it and received from it must balance as multisets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Bus {
    /// Distinguishes tuples of different buses; not 0.
    pub id: u32,
    /// Name in reports.
    pub name: &'static str,
    /// Length of every tuple.
    pub arity: usize,
    /// Whether its tuples are looked up in a table of legal ones, whose multiplicities the filler
    /// counts.
    pub lookup: bool,
}

/// Range checks: `(x, bits)` is on the bus's table when `x < 2^bits`, for `bits` up to 16.
pub const RANGE: Bus = Bus { id: 1, name: "range", arity: 2, lookup: true };

/// A table of a machine.
pub trait Table: Send + Sync + 'static {
    /// What one row is filled from.
    type Row: Copy + Send + Sync;

    /// Name in reports.
    fn name(&self) -> &'static str;

    /// Columns that depend on the program only, each of the same length; committed in the
    /// verifying key. A table with fixed columns has exactly one instance, of their height.
    fn fixed(&self) -> Vec<Vec<u32>> {
        Vec::new()
    }

    /// Columns, constraints and interactions of one row.
    fn eval<B: Builder<Self::Row>>(&self, b: &mut B);
}

/// An interpreter of tables whose rows are filled from an `R`.
pub trait Builder<R> {
    /// Values of this interpreter.
    type V: Value;

    /// An integer.
    fn int(&self, x: i64) -> Self::V;

    /// The next fixed column.
    fn fixed(&mut self, name: &'static str) -> Self::V;

    /// The next advice column, unchecked: `why` says what constrains it.
    fn free(&mut self, name: &'static str, why: &'static str, hint: impl Fn(&R) -> u32) -> Self::V;

    /// As [`Builder::free`], with the value on the next row (cyclically) beside this row's.
    fn pair(&mut self, name: &'static str, why: &'static str, hint: impl Fn(&R) -> u32) -> (Self::V, Self::V);

    /// `e` is zero on every row.
    fn zero(&mut self, what: &'static str, e: Self::V);

    /// Adds `multiplicity` copies of `tuple` to `bus`.
    fn interact(&mut self, bus: Bus, multiplicity: Self::V, tuple: &[Self::V]);

    /// The multiplicity of unconditional interactions.
    fn gate(&self) -> Self::V;

    /// Sets [`Builder::gate`].
    fn set_gate(&mut self, gate: Self::V);
}

/// What tables are written with.
pub trait Gadgets<R>: Builder<R> {
    /// A column that is 0 or 1.
    fn bit(&mut self, name: &'static str, hint: impl Fn(&R) -> bool) -> Self::V {
        let x = self.free(name, "boolean", |r| u32::from(hint(r)));
        self.boolean(name, x);
        x
    }

    /// Opens a table whose real rows are told from padding by a leading bit, which gates every
    /// unconditional interaction.
    fn rows(&mut self) -> Self::V {
        let real = self.bit("real", |_| true);
        self.set_gate(real);
        real
    }

    /// A column below `2^bits`, `bits <= 16`.
    fn ranged(&mut self, name: &'static str, bits: u32, hint: impl Fn(&R) -> u32) -> Self::V {
        let x = self.free(name, "ranged", hint);
        self.range(x, bits);
        x
    }

    /// A 32-bit word as two 16-bit limbs, low first.
    fn word(&mut self, names: [&'static str; 2], hint: impl Fn(&R) -> u32) -> [Self::V; 2] {
        [self.ranged(names[0], 16, |r| hint(r) & 0xffff), self.ranged(names[1], 16, |r| hint(r) >> 16)]
    }

    /// A 32-bit word as two limbs whose ranges something else ensures.
    fn free_word(&mut self, names: [&'static str; 2], why: &'static str, hint: impl Fn(&R) -> u32) -> [Self::V; 2] {
        [self.free(names[0], why, |r| hint(r) & 0xffff), self.free(names[1], why, |r| hint(r) >> 16)]
    }

    /// `x` is below `2^bits` on real rows.
    fn range(&mut self, x: Self::V, bits: u32) {
        let bits = self.int(i64::from(bits));
        self.send(RANGE, &[x, bits]);
    }

    /// `x` is 0 or 1.
    fn boolean(&mut self, what: &'static str, x: Self::V) {
        let one = self.int(1);
        self.zero(what, x * (x - one));
    }

    /// Sends `tuple` on real rows.
    fn send(&mut self, bus: Bus, tuple: &[Self::V]) {
        let gate = self.gate();
        self.interact(bus, gate, tuple);
    }

    /// Receives `tuple` on real rows.
    fn recv(&mut self, bus: Bus, tuple: &[Self::V]) {
        let gate = self.gate();
        self.interact(bus, -gate, tuple);
    }

    /// Ensures that the bit `x` is only set on real rows, so that it may gate interactions.
    fn only_real(&mut self, what: &'static str, x: Self::V) {
        let one = self.int(1);
        let gate = self.gate();
        self.zero(what, x * (one - gate));
    }
}
impl<R, B: Builder<R> + ?Sized> Gadgets<R> for B {}
