//! Filling the variables of an R1CS from an integer trace: advice columns and products over the base
//! field, and, once there are challenges, fractions over the challenge field.
//!
//! Everything is stored column by column and computed by chunks of rows, with packed arithmetic and
//! one inversion a chunk and lane.

use p3_field::{Field, PackedFieldExtension, PackedValue, PrimeCharacteristicRing};
use rayon::prelude::*;
use trilemma_core::Setting;

use super::R1cs;
use super::block::Block;
use super::linear::{Linear, Unit, Var};
use crate::air::{Air, Instance, Trace};
use crate::kernel::{Challenges, PackedBase, PackedExt};

/// Rows of a chunk; a multiple of every packing's width.
const CHUNK: usize = 512;

/// Columns of one height, one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByColumn<F> {
    /// The cells, column by column.
    pub values: Vec<F>,
    /// Cells of a column.
    pub height: usize,
}

impl<F: Field> ByColumn<F> {
    /// Zeros.
    pub fn zero(width: usize, height: usize) -> Self {
        Self { values: F::zero_vec(width * height), height }
    }

    /// Number of columns.
    pub const fn width(&self) -> usize {
        self.values.len() / self.height
    }

    /// A column.
    pub fn column(&self, i: usize) -> &[F] {
        &self.values[i * self.height..][..self.height]
    }

    /// A cell.
    pub fn cell_mut(&mut self, column: usize, row: usize) -> &mut F {
        &mut self.values[column * self.height + row]
    }

    /// A column one row on, cyclically.
    fn shifted(&self, i: usize) -> Vec<F> {
        let mut column = self.column(i).to_vec();
        column.rotate_left(1);
        column
    }

    /// The columns cut into chunks of rows.
    fn chunks_mut(&mut self) -> Vec<Vec<&mut [F]>> {
        let mut chunks: Vec<Vec<&mut [F]>> = (0..self.height.div_ceil(CHUNK)).map(|_| Vec::new()).collect();
        for column in self.values.chunks_exact_mut(self.height) {
            chunks.iter_mut().zip(column.chunks_mut(CHUNK)).for_each(|(chunk, part)| chunk.push(part));
        }
        chunks
    }
}

/// The variables of one instance of a table.
#[derive(Debug, Clone)]
pub struct Variables<S: Setting> {
    /// Index of the table.
    pub table: usize,
    /// log2 of the rows.
    pub log_height: usize,
    /// Fixed columns, which are the relation's.
    pub fixed: ByColumn<S::Base>,
    /// Advice columns.
    pub main: ByColumn<S::Base>,
    /// Products.
    pub aux: ByColumn<S::Base>,
    /// Fractions; all zero until they are filled.
    pub helpers: ByColumn<S::Ext>,
}

impl<S: Setting> Variables<S> {
    /// Number of rows.
    pub const fn height(&self) -> usize {
        1 << self.log_height
    }

    /// The value of a variable on a row.
    pub fn at(&self, var: Var, row: usize) -> S::Ext {
        match var {
            Var::One => S::Ext::ONE,
            Var::Fixed(i) => self.fixed.column(i)[row].into(),
            Var::Main(i) => self.main.column(i)[row].into(),
            Var::Next(i) => self.main.column(i)[(row + 1) % self.height()].into(),
            Var::Aux(i) => self.aux.column(i)[row].into(),
            Var::Helper(j) => self.helpers.column(j)[row],
        }
    }
}

/// The variables of all instances, in the order of the trace.
#[derive(Debug, Clone)]
pub struct Assignment<S: Setting> {
    /// One for each instance.
    pub instances: Vec<Variables<S>>,
}

impl<S: Setting> Assignment<S> {
    /// Fixed columns only, for instances given by table and log2 of their rows: what a system's
    /// constraints depend on.
    pub fn fixed_only(air: &Air<S>, instances: impl IntoIterator<Item = (usize, usize)>) -> Self {
        let fill = |(table, log_height): (usize, usize)| {
            let none = || ByColumn { values: Vec::new(), height: 1 << log_height };
            let fixed = fixed(air, table, 1 << log_height);
            let helpers = ByColumn { values: Vec::new(), height: 1 << log_height };
            Variables { table, log_height, fixed, main: none(), aux: none(), helpers }
        };
        Self { instances: instances.into_iter().map(fill).collect() }
    }

    /// What a trace gives before there are challenges: advice columns and products.
    pub fn new(r1cs: &R1cs, air: &Air<S>, trace: &Trace) -> Self {
        let fill = |instance: &Instance| {
            let block = &r1cs.blocks[instance.table];
            let height = 1 << instance.log_height;
            let fixed = fixed(air, instance.table, height);
            let main = transpose(&instance.cells, block.main.len(), height);
            let aux = block.fill_aux(&fixed, &main);
            let helpers = ByColumn::zero(block.fractions.len(), height);
            Variables { table: instance.table, log_height: instance.log_height, fixed, main, aux, helpers }
        };
        Self { instances: trace.instances.iter().map(fill).collect() }
    }

    /// Fills the fractions of all instances.
    pub fn fill_helpers(&mut self, r1cs: &R1cs, challenges: &Challenges<S::Ext>) {
        for v in &mut self.instances {
            v.helpers = r1cs.blocks[v.table].fill_helpers::<S>(&v.fixed, &v.main, &v.aux, challenges);
        }
    }

    /// The sum of all fractions.
    pub fn sum(&self) -> S::Ext {
        self.instances.par_iter().flat_map(|v| &v.helpers.values).copied().sum()
    }
}

fn fixed<S: Setting>(air: &Air<S>, table: usize, height: usize) -> ByColumn<S::Base> {
    let values = air.tables[table].fixed().iter().flatten().map(|&x| S::Base::from_u32(x)).collect();
    ByColumn { values, height }
}

/// Row-major cells, zeros after the last, as columns of field elements.
fn transpose<F: Field>(cells: &[u32], width: usize, height: usize) -> ByColumn<F> {
    let mut out = ByColumn::zero(width, height);
    out.chunks_mut().into_par_iter().enumerate().for_each(|(i, mut columns)| {
        let cells = cells.chunks_exact(width.max(1)).skip(i * CHUNK).take(CHUNK);
        for (row, cells) in cells.enumerate() {
            for (column, &x) in columns.iter_mut().zip(cells).filter(|(_, x)| **x != 0) {
                column[row] = F::from_u32(x);
            }
        }
    });
    out
}

/// Integer combinations by unit.
type Terms = Vec<(Unit, Vec<(Var, i64)>)>;

fn by_unit(linear: &Linear) -> Terms {
    let mut out: Terms = Vec::new();
    for (unit, var, x) in linear.terms() {
        match out.last_mut() {
            Some((last, terms)) if *last == unit => terms.push((var, x)),
            _ => out.push((unit, vec![(var, x)])),
        }
    }
    out
}

/// The columns that a chunk reads.
struct Reader<'a, F> {
    rows: std::ops::Range<usize>,
    fixed: &'a ByColumn<F>,
    main: &'a ByColumn<F>,
    next: &'a [(usize, Vec<F>)],
}

impl<'a, F: Field> Reader<'a, F> {
    fn column(&self, var: Var) -> &'a [F] {
        match var {
            Var::Fixed(i) => &self.fixed.column(i)[self.rows.clone()],
            Var::Main(i) => &self.main.column(i)[self.rows.clone()],
            Var::Next(i) => self.next.iter().find(|(c, _)| *c == i).map_or(&[], |(_, x)| &x[self.rows.clone()]),
            Var::One | Var::Aux(_) | Var::Helper(_) => &[],
        }
    }

    /// An integer combination on every row of the chunk; `aux` are the products.
    fn evaluate<'c>(&'c self, terms: &[(Var, i64)], aux: impl Fn(usize) -> &'c [F], out: &mut [F]) {
        out.fill(F::ZERO);
        for &(var, x) in terms {
            match var {
                Var::One => {
                    let x = F::from_i64(x);
                    out.iter_mut().for_each(|out| *out += x);
                }
                Var::Aux(i) => accumulate(out, aux(i), x),
                _ => accumulate(out, self.column(var), x),
            }
        }
    }
}

/// `out += x * column`.
fn accumulate<F: Field>(out: &mut [F], column: &[F], x: i64) {
    let (packed, rest) = F::Packing::pack_slice_with_suffix_mut(out);
    let (packed_column, rest_column) = F::Packing::pack_slice_with_suffix(column);
    match x {
        1 => {
            packed.iter_mut().zip(packed_column).for_each(|(a, &b)| *a += b);
            rest.iter_mut().zip(rest_column).for_each(|(a, &b)| *a += b);
        }
        -1 => {
            packed.iter_mut().zip(packed_column).for_each(|(a, &b)| *a -= b);
            rest.iter_mut().zip(rest_column).for_each(|(a, &b)| *a -= b);
        }
        _ => {
            let x = F::from_i64(x);
            packed.iter_mut().zip(packed_column).for_each(|(a, &b)| *a += b * x);
            rest.iter_mut().zip(rest_column).for_each(|(a, &b)| *a += b * x);
        }
    }
}

impl Block {
    /// The products of an instance.
    pub fn fill_aux<F: Field>(&self, fixed: &ByColumn<F>, main: &ByColumn<F>) -> ByColumn<F> {
        let height = main.height;
        let mut aux = ByColumn::zero(self.products.len(), height);
        if self.products.is_empty() {
            return aux;
        }
        let next = self.shifted(main);
        let integers = |side: &Linear| -> Vec<(Var, i64)> { side.terms().map(|(_, var, x)| (var, x)).collect() };
        let products: Vec<_> = self.products.iter().map(|row| (integers(&row.a), integers(&row.b))).collect();
        aux.chunks_mut().into_par_iter().enumerate().for_each(|(i, mut columns)| {
            let rows = i * CHUNK..height.min((i + 1) * CHUNK);
            let reader = Reader { rows, fixed, main, next: &next };
            let mut b_values = F::zero_vec(reader.rows.len());
            for (k, (a, b)) in products.iter().enumerate() {
                let (before, from) = columns.split_at_mut(k);
                reader.evaluate(a, |i| &*before[i], from[0]);
                reader.evaluate(b, |i| &*before[i], &mut b_values);
                multiply(from[0], &b_values);
            }
        });
        aux
    }

    /// The fractions of an instance.
    pub fn fill_helpers<S: Setting>(
        &self,
        fixed: &ByColumn<S::Base>,
        main: &ByColumn<S::Base>,
        aux: &ByColumn<S::Base>,
        challenges: &Challenges<S::Ext>,
    ) -> ByColumn<S::Ext> {
        let height = main.height;
        let mut helpers = ByColumn::zero(self.fractions.len(), height);
        let next = self.shifted(main);
        let fractions: Vec<(Terms, Terms)> =
            self.fractions.iter().map(|row| (by_unit(&row.b), by_unit(&row.c))).collect();
        helpers.chunks_mut().into_par_iter().enumerate().for_each(|(i, mut columns)| {
            let rows = i * CHUNK..height.min((i + 1) * CHUNK);
            let reader = Reader { rows: rows.clone(), fixed, main, next: &next };
            let read_aux = |i: usize| &aux.column(i)[rows.clone()];
            let groups = rows.len().div_ceil(PackedBase::<S>::WIDTH);
            let mut scratch = S::Base::zero_vec(groups * PackedBase::<S>::WIDTH);

            let mut inverses = vec![PackedExt::<S>::ZERO; fractions.len() * groups];
            for (sums, (fingerprint, _)) in inverses.chunks_exact_mut(groups).zip(&fractions) {
                for (unit, terms) in fingerprint {
                    let unit = PackedExt::<S>::from(unit.at(challenges));
                    if let [(Var::One, x)] = terms[..] {
                        let constant = unit * PackedBase::<S>::from_i64(x);
                        sums.iter_mut().for_each(|sum| *sum += constant);
                        continue;
                    }
                    reader.evaluate(terms, read_aux, &mut scratch[..rows.len()]);
                    let values = PackedBase::<S>::pack_slice(&scratch);
                    sums.iter_mut().zip(values).for_each(|(sum, &value)| *sum += unit * value);
                }
            }
            invert::<S>(&mut inverses);

            let results = inverses.chunks_exact(groups).zip(&fractions).zip(&mut columns);
            for ((inverses, (_, multiplicity)), column) in results {
                let terms = multiplicity.first().map_or(&[][..], |(_, terms)| terms);
                reader.evaluate(terms, read_aux, &mut scratch[..rows.len()]);
                let values = PackedBase::<S>::pack_slice(&scratch).iter().zip(inverses);
                for (out, (&m, &inverse)) in column.chunks_mut(PackedBase::<S>::WIDTH).zip(values) {
                    let fraction = inverse * m;
                    out.iter_mut().enumerate().for_each(|(lane, out)| *out = fraction.extract(lane));
                }
            }
        });
        helpers
    }

    fn shifted<F: Field>(&self, main: &ByColumn<F>) -> Vec<(usize, Vec<F>)> {
        self.next.iter().map(|&i| (i, main.shifted(i))).collect()
    }
}

/// `a *= b`.
fn multiply<F: Field>(a: &mut [F], b: &[F]) {
    let (packed, rest) = F::Packing::pack_slice_with_suffix_mut(a);
    let (packed_b, rest_b) = F::Packing::pack_slice_with_suffix(b);
    packed.iter_mut().zip(packed_b).for_each(|(a, &b)| *a *= b);
    rest.iter_mut().zip(rest_b).for_each(|(a, &b)| *a *= b);
}

/// Inverts every lane, zero to zero, by one inversion a lane.
fn invert<S: Setting>(values: &mut [PackedExt<S>]) {
    let lanes = PackedBase::<S>::WIDTH;
    let mut prefixes = Vec::with_capacity(values.len());
    let mut product = PackedExt::<S>::ONE;
    for &value in values.iter() {
        prefixes.push(product);
        product *= value;
    }
    if (0..lanes).any(|lane| product.extract(lane).is_zero()) {
        for x in values {
            let old = *x;
            *x = PackedExt::<S>::from_ext_fn(|lane| old.extract(lane).try_inverse().unwrap_or_default());
        }
        return;
    }
    let mut inverse = PackedExt::<S>::from_ext_fn(|lane| product.extract(lane).inverse());
    for (value, prefix) in values.iter_mut().zip(prefixes).rev() {
        let here = inverse * prefix;
        inverse *= *value;
        *value = here;
    }
}
