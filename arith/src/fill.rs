//! Filling traces: a table's `eval` run on integers computes every advice cell from its row and
//! counts every lookup.

use std::ops::{Add, Mul, Neg, Sub};

use rayon::prelude::*;

use crate::table::{Builder, Bus, Table};

/// Integers that wrap: only columns and lookups are kept, whose values are small.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Int(pub i64);

impl Add for Int {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.wrapping_add(other.0))
    }
}
impl Sub for Int {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.wrapping_sub(other.0))
    }
}
impl Mul for Int {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        Self(self.0.wrapping_mul(other.0))
    }
}
impl Neg for Int {
    type Output = Self;
    fn neg(self) -> Self {
        Self(self.0.wrapping_neg())
    }
}

/// Counts lookups; one per thread, merged afterwards.
pub trait Tally: Send {
    /// `tuple` was looked up `times` times on `bus`. False when no such tuple exists.
    fn count(&mut self, bus: Bus, tuple: &[Int], times: i64) -> bool;
    /// A tally of the same kind with nothing counted.
    fn fresh(&self) -> Self
    where
        Self: Sized;
    /// Adds what another counted.
    fn merge(&mut self, other: Self)
    where
        Self: Sized;
}

/// Columns of a table.
fn width<T: Table>(table: &T) -> usize {
    crate::expr::TableShape::of(table).columns.len()
}

/// Fills `rows`, one after another, row-major without padding.
///
/// # Errors
/// Names the table, row and bus of a lookup that has no legal tuple.
pub fn fill<T: Table, C: Tally>(table: &T, rows: &[T::Row], tally: &mut C) -> Result<Vec<u32>, String> {
    let chunk_rows = rows.len().div_ceil(4 * rayon::current_num_threads()).max(1 << 12);
    let width = width(table);
    let fixed = table.fixed();
    let mut cells = vec![0u32; rows.len() * width];
    let tallies: Vec<_> = {
        let fresh: Vec<C> = rows.chunks(chunk_rows).map(|_| tally.fresh()).collect();
        cells
            .par_chunks_mut(chunk_rows * width.max(1))
            .zip(rows.par_chunks(chunk_rows))
            .zip(fresh)
            .enumerate()
            .map(|(chunk, ((cells, rows), mut tally))| {
                for (i, (cells, row)) in cells.chunks_exact_mut(width).zip(rows).enumerate() {
                    let mut b = Filler {
                        row,
                        index: chunk * chunk_rows + i,
                        fixed: fixed.iter(),
                        cells,
                        cursor: 0,
                        gate: Int(1),
                        tally: &mut tally,
                        missing: None,
                    };
                    table.eval(&mut b);
                    if let Some((bus, tuple)) = b.missing {
                        let row = chunk * chunk_rows + i;
                        return Err(format!("{}: row {row}: {tuple:?} is not on {bus}", table.name()));
                    }
                }
                Ok(tally)
            })
            .collect()
    };
    for t in tallies {
        tally.merge(t?);
    }
    Ok(cells)
}

struct Filler<'a, R, C> {
    row: &'a R,
    index: usize,
    fixed: std::slice::Iter<'a, Vec<u32>>,
    cells: &'a mut [u32],
    cursor: usize,
    gate: Int,
    tally: &'a mut C,
    missing: Option<(&'static str, Vec<i64>)>,
}

impl<R, C: Tally> Builder<R> for Filler<'_, R, C> {
    type V = Int;

    fn int(&self, x: i64) -> Int {
        Int(x)
    }

    fn fixed(&mut self, _: &'static str) -> Int {
        Int(self.fixed.next().map_or(0, |column| i64::from(column[self.index])))
    }

    #[inline]
    fn free(&mut self, _: &'static str, _: &'static str, hint: impl Fn(&R) -> u32) -> Int {
        let x = hint(self.row);
        self.cells[self.cursor] = x;
        self.cursor += 1;
        Int(i64::from(x))
    }

    fn pair(&mut self, name: &'static str, why: &'static str, hint: impl Fn(&R) -> u32) -> (Int, Int) {
        (self.free(name, why, hint), Int(0))
    }

    #[inline]
    fn zero(&mut self, _: &'static str, _: Int) {}

    #[inline]
    fn interact(&mut self, bus: Bus, multiplicity: Int, tuple: &[Int]) {
        if bus.lookup && multiplicity.0 > 0 && !self.tally.count(bus, tuple, multiplicity.0) {
            self.missing.get_or_insert_with(|| (bus.name, tuple.iter().map(|x| x.0).collect()));
        }
    }

    fn gate(&self) -> Int {
        self.gate
    }

    fn set_gate(&mut self, gate: Int) {
        self.gate = gate;
    }
}
