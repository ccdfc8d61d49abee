//! All fractions of step 5, column by column: identities, successors, lookups, parts of tables.

use p3_field::{Algebra, PackedFieldExtension, PackedValue, PrimeCharacteristicRing};
use rayon::prelude::*;
use trilemma_arith::Bus;
use trilemma_arith::kernel::{Challenges, PackedBase, PackedExt};
use trilemma_arith::plonkish::Column;
use trilemma_arith::r1cs::ByColumn;
use trilemma_core::Setting;

use super::cells::Cells;
use super::layout::{COPIES, Layout, here};
use super::program::{Code, Program, Register};
use crate::logup_gkr::Fractions;
use crate::packed::{broadcast, lanes, pack};

const GRAIN: usize = 1 << 9;

/// The fractions, in packed words.
pub fn fractions<S: Setting>(
    layout: &Layout<'_, S>,
    cells: &Cells<'_, S>,
    late: &ByColumn<S::Ext>,
    fingerprints: &Challenges<S::Ext>,
) -> Fractions<S> {
    let (lanes, rows) = (lanes::<S>(), layout.circuit.rows());
    if rows >= lanes {
        let columns = Words::new(layout, cells, late, PackedBase::<S>::pack_slice, pack::<S>);
        let scale = Scale::new(fingerprints, broadcast::<S>);
        let number = |word: usize| PackedBase::<S>::from_fn(|lane| S::Base::from_usize(word * lanes + lane));
        let (p, q) = columns.stack(rows / lanes, rows, &scale, number);
        return Fractions { p, q };
    }
    let columns = Words::new(layout, cells, late, |column| column, <[S::Ext]>::to_vec);
    let (p, q) = columns.stack(rows, rows, &Scale::new(fingerprints, |x| x), S::Base::from_usize);
    let words = 0..p.len().div_ceil(lanes);
    let numerator = |i: usize| p.get(i).copied().unwrap_or(S::Base::ZERO);
    let denominator = |i: usize| q.get(i).copied().unwrap_or(S::Ext::ONE);
    Fractions {
        p: words.clone().map(|w| PackedBase::<S>::from_fn(|lane| numerator(w * lanes + lane))).collect(),
        q: words.map(|w| PackedExt::<S>::from_ext_fn(|lane| denominator(w * lanes + lane))).collect(),
    }
}

/// Fingerprints in a ring.
struct Scale<X> {
    delta: X,
    eta: Vec<X>,
}

impl<X: PrimeCharacteristicRing + Copy> Scale<X> {
    fn new<E: Copy>(fingerprints: &Challenges<E>, lift: impl Fn(E) -> X) -> Self {
        Self { delta: lift(fingerprints.gamma), eta: fingerprints.beta.iter().map(|&eta| lift(eta)).collect() }
    }

    fn start(&self, tag: Bus) -> X {
        self.delta - X::from_u32(tag.id)
    }
}

/// A permuted column.
enum Permuted<'a, V, X> {
    Base(&'a [V]),
    Late(Vec<X>),
}

/// A lookup's program, what it reads, and its tuple.
struct Inputs<'a, V, X> {
    tag: Bus,
    code: Code<V, V, X>,
    columns: Vec<&'a [V]>,
    tuple: Vec<Register>,
}

/// Columns of a part of a table and its multiplicities.
struct Part<'a, V> {
    tag: Bus,
    columns: Vec<&'a [V]>,
    times: &'a [V],
}

/// What fractions are made of, in words.
struct Words<'a, V, X> {
    permuted: Vec<(Permuted<'a, V, X>, &'a [V])>,
    lookups: Vec<Inputs<'a, V, X>>,
    parts: Vec<Part<'a, V>>,
}

impl<'a, V, X> Words<'a, V, X>
where
    V: PrimeCharacteristicRing + Copy + Send + Sync,
    X: Algebra<V> + Copy + Send + Sync,
{
    fn new<S: Setting>(
        layout: &Layout<'_, S>,
        cells: &'a Cells<'_, S>,
        late: &ByColumn<S::Ext>,
        view: impl Fn(&'a [S::Base]) -> &'a [V],
        pack: impl Fn(&[S::Ext]) -> Vec<X>,
    ) -> Self {
        let circuit = layout.circuit;
        let permuted = |(&column, sigma): (&Column, &&'a [S::Base])| {
            let values = match column {
                Column::Late(i) => Permuted::Late(pack(late.column(i))),
                column => Permuted::Base(view(cells.query(here(column)))),
            };
            (values, view(sigma))
        };
        let lookups = circuit.lookups.iter().zip(&layout.table_of).map(|(lookup, &table)| {
            let program = Program::<S::Ext>::early(&circuit.graph, &lookup.inputs);
            Inputs {
                tag: Layout::<S>::tag(table),
                code: program.code(|_| X::ZERO),
                columns: program.base.iter().map(|&query| view(cells.query(query))).collect(),
                tuple: lookup.inputs.iter().map(|&id| program.register(id)).collect(),
            }
        });
        let parts = layout.parts.iter().zip(&cells.multiplicities).map(|(&(table, columns), times)| Part {
            tag: Layout::<S>::tag(table),
            columns: columns.iter().map(|&i| view(cells.query(here(Column::Fixed(i))))).collect(),
            times: view(times),
        });
        Self {
            permuted: circuit.permuted.iter().zip(&cells.sigma).map(permuted).collect(),
            lookups: lookups.collect(),
            parts: parts.collect(),
        }
    }

    /// Numerators and denominators, where `number` gives the rows of a word.
    fn stack(
        &self,
        words: usize,
        rows: usize,
        scale: &Scale<X>,
        number: impl Fn(usize) -> V + Sync,
    ) -> (Vec<V>, Vec<X>) {
        let columns = 2 * self.permuted.len() + self.lookups.len() + self.parts.len();
        let (mut p, mut q) = (Vec::with_capacity(columns * words), Vec::with_capacity(columns * words));
        let (copies, eta) = (scale.start(COPIES), &scale.eta);
        let value = |values: &Permuted<'a, V, X>, i: usize| match values {
            Permuted::Base(column) => copies - eta[0] * column[i],
            Permuted::Late(column) => copies - eta[0] * column[i],
        };
        for (j, (values, _)) in self.permuted.iter().enumerate() {
            let first = V::from_usize(j * rows);
            p.resize(p.len() + words, V::ONE);
            extend(&mut q, words, |i| value(values, i) - eta[1] * (first + number(i)));
        }
        for (values, sigma) in &self.permuted {
            p.resize(p.len() + words, V::NEG_ONE);
            extend(&mut q, words, |i| value(values, i) - eta[1] * sigma[i]);
        }
        for lookup in &self.lookups {
            p.resize(p.len() + words, V::ONE);
            let start = scale.start(lookup.tag);
            let at = |row: &mut _, i| {
                lookup.code.load(row, &lookup.columns, i);
                lookup.code.run(row);
                lookup.tuple.iter().zip(eta).fold(start, |acc, (&entry, &eta)| acc - eta * row.base(entry))
            };
            let denominators = (0..words).into_par_iter().with_min_len(GRAIN);
            q.par_extend(denominators.map_init(|| lookup.code.start.clone(), at));
        }
        for part in &self.parts {
            p.extend(part.times.iter().map(|&times| -times));
            let start = scale.start(part.tag);
            extend(&mut q, words, |i| part.columns.iter().zip(eta).fold(start, |acc, (c, &eta)| acc - eta * c[i]));
        }
        (p, q)
    }
}

fn extend<X: Send>(to: &mut Vec<X>, words: usize, at: impl Fn(usize) -> X + Sync + Send) {
    to.par_extend((0..words).into_par_iter().with_min_len(GRAIN).map(at));
}
