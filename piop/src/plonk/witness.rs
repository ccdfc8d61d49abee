//! The prover's own columns: multiplicities, partial products, helpers and accumulator.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};

use p3_field::{Field, PackedFieldExtension, PrimeCharacteristicRing};
use rayon::prelude::*;
use trilemma_arith::kernel::{Challenges, PackedBase, PackedExt};
use trilemma_arith::plonkish::Circuit;
use trilemma_core::{Setting, Smooth};

use super::grid::{Grid, Slots, value, words};
use super::layout::{Layout, Poly, places};
use super::lookup::{Fingerprints, Fraction, Numerator, sum};
use super::program::{Machine, Program};
use crate::packed::{invert_denominators, lanes};

/// How often every row of every part of a table is looked up; tuples in no table are left out.
pub fn multiplicities<S: Smooth>(
    circuit: &Circuit<S>,
    layout: &Layout,
    slots: &Slots,
    grid: &Grid<'_, S::Base>,
) -> Vec<Vec<S::Base>> {
    if layout.parts.is_empty() {
        return Vec::new();
    }
    // Any fingerprints that tell tuples apart will do: only the counts depend on them.
    let theta = S::Ext::GENERATOR.exp_u64(0x9e37_79b9_7f4a_7c15);
    let fingerprints = Fingerprints::new(S::Ext::ZERO, theta, layout.arity);
    let none = Challenges { gamma: S::Ext::ZERO, beta: vec![S::Ext::ZERO; circuit.arity] };
    let program = Program::new(circuit, layout, slots, &none, &fingerprints, &[]);
    let rows = layout.rows();
    let find: Vec<HashMap<S::Ext, usize>> = (0..layout.copies)
        .into_par_iter()
        .map(|bus| {
            let mut find = HashMap::with_capacity(rows);
            for (t, part) in layout.parts.iter().enumerate().filter(|(_, part)| part.bus == bus) {
                for row in 0..rows {
                    let entries = part.columns.iter().map(|&c| circuit.fixed.column(c)[row]);
                    find.entry(fingerprints.tuple::<S::Base, S::Ext>(bus, entries)).or_insert(t * rows + row);
                }
            }
            find
        })
        .collect();
    let counts: Vec<AtomicU32> = (0..layout.parts.len() * rows).map(|_| AtomicU32::new(0)).collect();
    let lookups = layout.buses.len();
    blocks::<S>(rows).for_each_init(
        || program.machine(),
        |machine, start| {
            program.run(grid, start, machine);
            let count = (rows - start).min(words::<S>() * lanes::<S>());
            for (lookup, &bus) in layout.buses.iter().enumerate() {
                // Most rows look up what the row before did.
                let mut last: Option<(S::Ext, &AtomicU32, u32)> = None;
                for row in 0..count {
                    let (word, lane) = (row / lanes::<S>(), row % lanes::<S>());
                    let key: S::Ext = machine.lookups[word * lookups + lookup].extract(lane);
                    last = match last {
                        Some((same, cell, times)) if same == key => Some((same, cell, times + 1)),
                        before => {
                            flush(before);
                            find[bus].get(&key).map(|&at| (key, &counts[at], 1))
                        }
                    };
                }
                flush(last);
            }
        },
    );
    let field = |counts: &[AtomicU32]| counts.iter().map(|c| S::Base::from_u32(c.load(Ordering::Relaxed))).collect();
    counts.chunks_exact(rows).map(field).collect()
}

fn flush<E>(count: Option<(E, &AtomicU32, u32)>) {
    if let Some((_, cell, times)) = count {
        cell.fetch_add(times, Ordering::Relaxed);
    }
}

/// The first rows of all blocks.
pub fn blocks<S: Setting>(rows: usize) -> impl IndexedParallelIterator<Item = usize> {
    let block = words::<S>() * lanes::<S>();
    (0..rows.div_ceil(block)).into_par_iter().map(move |i| i * block)
}

/// Fingerprints of permuted cells and sums of fractions on a word of rows.
pub struct Arguments<'a, S: Setting> {
    layout: &'a Layout,
    slots: &'a Slots,
    fingerprints: &'a Fingerprints<S::Ext>,
    places: Vec<S::Base>,
}

/// What the arguments read of a word of rows.
pub struct Factors<S: Setting> {
    /// Permuted cells at their places.
    pub identities: Vec<PackedExt<S>>,
    /// Permuted cells where they are copied to.
    pub sigmas: Vec<PackedExt<S>>,
    /// Partial products.
    pub products: Vec<PackedExt<S>>,
    /// Helpers.
    pub helpers: Vec<PackedExt<S>>,
}

impl<S: Setting> Default for Factors<S> {
    fn default() -> Self {
        Self { identities: Vec::new(), sigmas: Vec::new(), products: Vec::new(), helpers: Vec::new() }
    }
}

impl<'a, S: Smooth> Arguments<'a, S> {
    /// The arguments of a layout.
    pub fn new(layout: &'a Layout, slots: &'a Slots, fingerprints: &'a Fingerprints<S::Ext>) -> Self {
        Self { layout, slots, fingerprints, places: places(layout.permuted.len()) }
    }

    /// Fingerprints of the permuted cells.
    pub fn factors(&self, grid: &Grid<'_, S::Base>, rows: &[usize], factors: &mut Factors<S>) {
        factors.identities.clear();
        factors.sigmas.clear();
        let points: PackedBase<S> = grid.points(rows);
        for (c, (&column, &place)) in self.layout.permuted.iter().zip(&self.places).enumerate() {
            let cell = value::<S>(grid, self.slots.of(column.into()), rows);
            let bus = self.layout.copies;
            let sigma: PackedBase<S> = grid.base(self.slots.of(Poly::Sigma(c)), rows);
            factors.identities.push(self.cell(bus, cell, points * place));
            factors.sigmas.push(self.cell(bus, cell, sigma));
        }
    }

    fn cell(&self, bus: usize, value: PackedExt<S>, place: PackedBase<S>) -> PackedExt<S> {
        self.fingerprints.cell(bus, value, place)
    }

    /// The sum of a group's fractions over their common denominator.
    pub fn sum(
        &self,
        group: &[Fraction],
        grid: &Grid<'_, S::Base>,
        rows: &[usize],
        lookups: &[PackedExt<S>],
        factors: &Factors<S>,
    ) -> (PackedExt<S>, PackedExt<S>) {
        sum(group.iter().map(|&fraction| match fraction {
            Fraction::Lookup(i) => (Numerator::Plus, lookups[i]),
            Fraction::Table(t) => {
                let entries = self.layout.parts[t].columns.iter();
                let entries = entries.map(|&c| grid.base::<PackedBase<S>>(self.slots.of(Poly::Fixed(c)), rows));
                let multiplicity = value::<S>(grid, self.slots.of(Poly::Multiplicity(t)), rows);
                (Numerator::Minuses(multiplicity), self.fingerprints.tuple(self.layout.parts[t].bus, entries))
            }
            Fraction::Identity(c) => (Numerator::Plus, factors.identities[c]),
            Fraction::Sigma(c) => (Numerator::Minus, factors.sigmas[c]),
        }))
    }
}

/// The columns of the oracle `arguments`.
pub fn argument_columns<S: Smooth>(
    layout: &Layout,
    arguments: &Arguments<'_, S>,
    program: &Program<S>,
    grid: &Grid<'_, S::Base>,
) -> HashMap<Poly, Vec<S::Ext>> {
    let (rows, products, groups) = (layout.rows(), layout.chunks.len(), layout.groups.len());
    let width = products + groups;
    if width == 0 {
        return HashMap::new();
    }
    // Row by row, what every partial product is multiplied with and what every group adds.
    let mut quotients = vec![S::Ext::ZERO; rows * width];
    let block = words::<S>() * lanes::<S>();
    quotients.par_chunks_mut(block * width).zip(blocks::<S>(rows)).for_each_init(
        || (program.machine(), Factors::default(), Vec::new()),
        |(machine, factors, fractions), (out, start)| {
            program.run(grid, start, machine);
            fractions.clear();
            for word in program.used_words(rows, start) {
                row_fractions(layout, arguments, grid, machine, word, factors, fractions);
            }
            let inverses = invert_denominators::<S, _>(fractions);
            for (i, (&(above, _), &inverse)) in fractions.iter().zip(&inverses).enumerate() {
                let quotient = above * inverse;
                let (word, column) = (i / width, i % width);
                for lane in 0..lanes::<S>().min(rows) {
                    out[(word * lanes::<S>() + lane) * width + column] = quotient.extract(lane);
                }
            }
        },
    );
    accumulate::<S>(layout, &quotients)
}

/// Appends the fractions of a word of rows: partial products, then groups.
fn row_fractions<S: Smooth>(
    layout: &Layout,
    arguments: &Arguments<'_, S>,
    grid: &Grid<'_, S::Base>,
    machine: &Machine<S>,
    word: usize,
    factors: &mut Factors<S>,
    fractions: &mut Vec<(PackedExt<S>, PackedExt<S>)>,
) {
    let lookups = layout.buses.len();
    let rows = &machine.rows.here[word * lanes::<S>()..][..lanes::<S>()];
    let fingerprints = &machine.lookups[word * lookups..][..lookups];
    arguments.factors(grid, rows, factors);
    for chunk in &layout.chunks {
        let product = |factors: &[PackedExt<S>]| factors.iter().copied().product();
        fractions.push((product(&factors.identities[chunk.clone()]), product(&factors.sigmas[chunk.clone()])));
    }
    for group in &layout.groups {
        fractions.push(arguments.sum(group, grid, rows, fingerprints, factors));
    }
}

/// Products and sums over the rows.
fn accumulate<S: Setting>(layout: &Layout, quotients: &[S::Ext]) -> HashMap<Poly, Vec<S::Ext>> {
    let (products, groups) = (layout.chunks.len(), layout.groups.len());
    let width = products + groups;
    let rows = quotients.chunks_exact(width);
    let mut columns = HashMap::new();
    let mut partial: Vec<Vec<S::Ext>> = (0..products).map(|_| Vec::with_capacity(layout.rows())).collect();
    let mut product = S::Ext::ONE;
    for row in rows.clone() {
        for (column, &factor) in partial.iter_mut().zip(row) {
            column.push(product);
            product *= factor;
        }
    }
    columns.extend(partial.into_iter().enumerate().map(|(j, column)| (Poly::Product(j), column)));
    for group in 1..groups {
        let helper = quotients.par_chunks_exact(width).map(|row| row[products + group - 1]).collect();
        columns.insert(Poly::Helper(group - 1), helper);
    }
    if groups > 0 {
        let sums = rows.scan(S::Ext::ZERO, |sum, row| {
            let before = *sum;
            *sum += row[products..].iter().copied().sum::<S::Ext>();
            Some(before)
        });
        columns.insert(Poly::Accumulator, sums.collect());
    }
    columns
}
