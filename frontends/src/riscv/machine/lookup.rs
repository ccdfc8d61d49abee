//! Fixed tables that others look things up in, and the tally of lookups.

use trilemma_arith::fill::{Int, Tally};
use trilemma_arith::table::RANGE;
use trilemma_arith::{Builder, Bus, Table};

use super::bus::{BYTES, PROGRAM, SHIFT};
use super::rom::{FIELDS, pad};
use super::shift::amount;

/// Columns of rows.
pub fn columns<const N: usize>(rows: &[[u32; N]]) -> Vec<Vec<u32>> {
    (0..N).map(|c| rows.iter().map(|row| row[c]).collect()).collect()
}

/// `(x, bits)` for `x < 2^bits`, `bits <= 16`.
pub struct Range;

impl Table for Range {
    type Row = u32;

    fn name(&self) -> &'static str {
        "range"
    }

    fn fixed(&self) -> Vec<Vec<u32>> {
        let rows = (0..=16u32).flat_map(|bits| (0..1u32 << bits).map(move |x| [x, bits]));
        columns(&pad(rows.collect()))
    }

    fn eval<B: Builder<u32>>(&self, b: &mut B) {
        let tuple = [b.fixed("x"), b.fixed("bits")];
        let times = b.free("times", "counts lookups", |&times| times);
        b.interact(RANGE, -times, &tuple);
    }
}

/// Bytes with their AND; OR and XOR follow from it.
pub struct Bytes;

impl Table for Bytes {
    type Row = [u32; 3];

    fn name(&self) -> &'static str {
        "bytes"
    }

    fn fixed(&self) -> Vec<Vec<u32>> {
        let rows: Vec<_> = (0..1u32 << 16).map(|i| [i >> 8, i & 255, (i >> 8) & i & 255]).collect();
        columns(&rows)
    }

    fn eval<B: Builder<[u32; 3]>>(&self, b: &mut B) {
        let [x, y, and] = [b.fixed("a"), b.fixed("b"), b.fixed("a and b")];
        let or = x + y - and;
        let results = [and, or, or - and];
        for (op, name) in ["times and", "times or", "times xor"].into_iter().enumerate() {
            let times = b.free(name, "counts lookups", move |times| times[op]);
            let code = b.int(op as i64);
            b.interact(BYTES, -times, &[code, x, y, results[op]]);
        }
    }
}

/// Shift amounts by kind.
pub struct ShiftAmounts;

impl Table for ShiftAmounts {
    type Row = u32;

    fn name(&self) -> &'static str {
        "shift amounts"
    }

    fn fixed(&self) -> Vec<Vec<u32>> {
        let rows = (0..3).flat_map(|kind| {
            (0..32).map(move |by| {
                let [cut, power, flags] = amount(kind, by);
                [kind, by, cut, power, flags]
            })
        });
        columns(&pad(rows.collect()))
    }

    fn eval<B: Builder<u32>>(&self, b: &mut B) {
        let tuple = ["kind", "amount", "cut", "2^cut", "flags"].map(|name| b.fixed(name));
        let times = b.free("times", "counts lookups", |&times| times);
        b.interact(SHIFT, -times, &tuple);
    }
}

/// The decoded program.
pub struct ProgramTable {
    /// Its rows; see [`super::rom`].
    pub rows: Vec<[u32; FIELDS]>,
}

impl Table for ProgramTable {
    type Row = u32;

    fn name(&self) -> &'static str {
        "program"
    }

    fn fixed(&self) -> Vec<Vec<u32>> {
        columns(&self.rows)
    }

    fn eval<B: Builder<u32>>(&self, b: &mut B) {
        let names = ["pc", "class", "rd", "rs1", "rs2", "a", "b", "c", "d", "e"];
        let tuple = names.map(|name| b.fixed(name));
        let times = b.free("times", "counts lookups", |&times| times);
        b.interact(PROGRAM, -times, &tuple);
    }
}

/// Lookups counted, by row of the fixed tables.
#[derive(Debug, Clone)]
pub struct Counts {
    /// Word index of the program's first instruction, and row of every word from there.
    index: std::sync::Arc<(u32, Vec<u32>)>,
    /// For [`Range`].
    pub range: Vec<u32>,
    /// For [`Bytes`].
    pub bytes: Vec<[u32; 3]>,
    /// For [`ShiftAmounts`].
    pub shift: Vec<u32>,
    /// For [`ProgramTable`].
    pub program: Vec<u32>,
}

impl Counts {
    /// Nothing counted yet for a program of these rows.
    pub fn new(rows: &[[u32; FIELDS]]) -> Self {
        let first = rows.first().map_or(0, |r| r[0]);
        let last = rows.last().map_or(0, |r| r[0]);
        let mut index = vec![u32::MAX; (last - first) as usize + 1];
        for (i, row) in rows.iter().enumerate().rev() {
            index[(row[0] - first) as usize] = i as u32;
        }
        Self {
            index: std::sync::Arc::new((first, index)),
            range: vec![0; 1 << 17],
            bytes: vec![[0; 3]; 1 << 16],
            shift: vec![0; 128],
            program: vec![0; rows.len()],
        }
    }

    fn slot(&mut self, bus: Bus, tuple: &[Int]) -> Option<&mut u32> {
        let at = |i: usize| usize::try_from(tuple[i].0).ok();
        if bus == RANGE {
            let (x, bits) = (at(0)?, at(1)?);
            (bits <= 16 && x < 1 << bits).then(|| &mut self.range[(1 << bits) - 1 + x])
        } else if bus == PROGRAM {
            let word = at(0)?.checked_sub(self.index.0 as usize)?;
            self.program.get_mut(*self.index.1.get(word)? as usize)
        } else if bus == BYTES {
            self.bytes.get_mut(at(1)? << 8 | at(2)?)?.get_mut(at(0)?)
        } else if bus == SHIFT {
            self.shift.get_mut(at(0)? << 5 | at(1)?)
        } else {
            None
        }
    }
}

impl Tally for Counts {
    fn count(&mut self, bus: Bus, tuple: &[Int], times: i64) -> bool {
        self.slot(bus, tuple).map(|slot| *slot += times as u32).is_some()
    }

    fn fresh(&self) -> Self {
        Self {
            index: self.index.clone(),
            range: vec![0; self.range.len()],
            bytes: vec![[0; 3]; self.bytes.len()],
            shift: vec![0; self.shift.len()],
            program: vec![0; self.program.len()],
        }
    }

    fn merge(&mut self, other: Self) {
        let add = |a: &mut [u32], b: &[u32]| a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
        add(&mut self.range, &other.range);
        add(self.bytes.as_flattened_mut(), other.bytes.as_flattened());
        add(&mut self.shift, &other.shift);
        add(&mut self.program, &other.program);
    }
}
