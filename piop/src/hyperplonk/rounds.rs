//! The prover's rounds of the row sumcheck. The first computes over the base field.

use std::collections::BTreeMap;
use std::mem::take;

use p3_field::{Algebra, Field, PackedValue, PrimeCharacteristicRing};
use rayon::prelude::*;
use trilemma_arith::kernel::{PackedBase, PackedExt};
use trilemma_arith::plonkish::Query;
use trilemma_arith::r1cs::ByColumn;
use trilemma_core::Setting;
use trilemma_core::multilinear::SplitEq;

use super::cells::{Cells, is_late, late_query};
use super::polynomial::{Group, Line, Polynomial, Source};
use super::program::Code;
use crate::packed::{bind, bind_in_place, broadcast, lanes, pack, total, unpack};
use crate::sumcheck::interpolate;

/// Tables of the program's cells, base cells apart from late cells and lines.
#[derive(Default)]
struct Tables<V, X> {
    base: Vec<Vec<V>>,
    late: Vec<Vec<X>>,
}

impl<X: PrimeCharacteristicRing + Copy + Send + Sync> Tables<X, X> {
    fn bind(&mut self, r: X) {
        self.base.iter_mut().chain(&mut self.late).for_each(|table| halve(table, r));
    }
}

/// Binds the first variable of a whole table.
fn halve<X: PrimeCharacteristicRing + Copy + Send + Sync>(table: &mut Vec<X>, r: X) {
    let half = table.len() / 2;
    bind_in_place(table, half, X::ZERO, r);
    table.truncate(half);
}

enum State<S: Setting> {
    /// Nothing bound; late cells and lines.
    Base(Vec<Vec<PackedExt<S>>>),
    Packed(Tables<PackedExt<S>, PackedExt<S>>),
    Scalar(Tables<S::Ext, S::Ext>),
}

/// The row sumcheck while it runs.
pub struct Rows<'a, S: Setting> {
    polynomial: &'a Polynomial<S::Ext>,
    degree: usize,
    /// The coordinates of `eq` that are not bound.
    point: Vec<S::Ext>,
    claim: S::Ext,
    /// The values of the current round at `0, 1, ..., degree`, once known.
    values: Vec<S::Ext>,
    state: State<S>,
}

impl<'a, S: Setting> Rows<'a, S> {
    /// Computes the first round already.
    pub fn new(
        polynomial: &'a Polynomial<S::Ext>,
        degree: usize,
        (cells, late): (&Cells<'_, S>, &ByColumn<S::Ext>),
        point: Vec<S::Ext>,
        claim: S::Ext,
    ) -> Self {
        let lanes = lanes::<S>();
        let rows = 1 << point.len();
        let state = if rows >= 2 * lanes {
            let number = |word: usize| PackedBase::<S>::from_fn(|lane| S::Base::from_usize(word * lanes + lane));
            let view = PackedBase::<S>::pack_slice;
            State::Base(late_tables(polynomial, (cells, late), rows / lanes, view, broadcast::<S>, pack::<S>, number))
        } else {
            let view = |column| column;
            let late =
                late_tables(polynomial, (cells, late), rows, view, |x| x, <[S::Ext]>::to_vec, S::Base::from_usize);
            let base = |&query: &Query| cells.query(query).iter().map(|&x| x.into()).collect();
            State::Scalar(Tables { base: polynomial.program.base.iter().map(base).collect(), late })
        };
        let mut rows = Self { polynomial, degree, point, claim, values: Vec::new(), state };
        rows.compute(Some(cells));
        rows
    }

    fn compute(&mut self, cells: Option<&Cells<'_, S>>) {
        let points: Vec<usize> = [0].into_iter().chain(2..=self.degree).collect();
        let eq = SplitEq::<S::Base, S::Ext>::new(&self.point[1..]);
        let (packed, scalar) = ((eq.high(), eq.packed()), (eq.high(), eq.low()));
        let Polynomial { program, groups, .. } = self.polynomial;
        let groups_packed = || groups.iter().map(|group| group.lift(|&w| broadcast::<S>(w))).collect::<Vec<_>>();
        self.values = match (&self.state, cells) {
            (State::Base(late), Some(cells)) => {
                let code: Code<PackedBase<S>, PackedBase<S>, PackedExt<S>> = program.code(broadcast::<S>);
                let base: Vec<_> =
                    program.base.iter().map(|&query| PackedBase::<S>::pack_slice(cells.query(query))).collect();
                message(&code, &groups_packed(), (&base, late), packed, total::<S>, &points)
            }
            (State::Packed(tables), _) => {
                let code: Code<PackedBase<S>, PackedExt<S>, PackedExt<S>> = program.code(broadcast::<S>);
                let base: Vec<_> = tables.base.iter().map(Vec::as_slice).collect();
                message(&code, &groups_packed(), (&base, &tables.late), packed, total::<S>, &points)
            }
            (State::Scalar(tables), _) => {
                let code: Code<S::Base, S::Ext, S::Ext> = program.code(|x| x);
                let base: Vec<_> = tables.base.iter().map(Vec::as_slice).collect();
                message(&code, groups, (&base, &tables.late), scalar, |x| x, &points)
            }
            (State::Base(_), None) => Vec::new(),
        };
        let r = self.point[0];
        let one = (self.claim - (S::Ext::ONE - r) * self.values[0]) * r.inverse();
        self.values.insert(1, one);
    }

    /// The values at `0, 2, ..., degree` of the current round.
    pub fn message(&mut self) -> Vec<S::Ext> {
        if self.values.is_empty() {
            self.compute(None);
        }
        [&self.values[..1], &self.values[2..]].concat()
    }

    /// Binds the round's variable; the first time, `cells` are the columns.
    pub fn bind(&mut self, cells: Option<&Cells<'_, S>>, r: S::Ext) {
        self.claim = interpolate(&take(&mut self.values), r);
        self.point.remove(0);
        let packed = broadcast::<S>(r);
        match (&mut self.state, cells) {
            (State::Base(late), Some(cells)) => {
                let column = |&query: &Query| {
                    let column = PackedBase::<S>::pack_slice(cells.query(query));
                    bind(column, column.len() / 2, PackedBase::<S>::ZERO, packed)
                };
                let base = self.polynomial.program.base.iter().map(column).collect();
                late.iter_mut().for_each(|table| halve(table, packed));
                self.state = settle(Tables { base, late: take(late) });
            }
            (State::Packed(tables), _) => {
                tables.bind(packed);
                self.state = settle(take(tables));
            }
            (State::Scalar(tables), _) => tables.bind(r),
            (State::Base(_), None) => {}
        }
    }
}

/// Packed while there are two words.
fn settle<S: Setting>(tables: Tables<PackedExt<S>, PackedExt<S>>) -> State<S> {
    if tables.late[0].len() >= 2 {
        return State::Packed(tables);
    }
    let each = |tables: &[Vec<PackedExt<S>>]| tables.iter().map(|table| unpack::<S>(table)).collect();
    State::Scalar(Tables { base: each(&tables.base), late: each(&tables.late) })
}

/// The program's late cells and the lines.
fn late_tables<'c, S, V, X>(
    polynomial: &Polynomial<S::Ext>,
    (cells, late): (&'c Cells<'_, S>, &ByColumn<S::Ext>),
    words: usize,
    view: impl Fn(&'c [S::Base]) -> &'c [V],
    lift: impl Fn(S::Ext) -> X,
    pack: impl Fn(&[S::Ext]) -> Vec<X>,
    number: impl Fn(usize) -> V + Sync,
) -> Vec<Vec<X>>
where
    S: Setting,
    V: PrimeCharacteristicRing + Copy + Send + Sync + 'c,
    X: Algebra<V> + Copy + Send + Sync,
{
    let mut columns = BTreeMap::<Query, Vec<X>>::new();
    let in_lines = polynomial.lines.iter().flat_map(|line| line.terms.keys());
    let cells_of_lines =
        in_lines.filter_map(|source| if let Source::Cell(query) = source { Some(query) } else { None });
    for &query in polynomial.program.late.iter().chain(cells_of_lines.filter(|query| is_late(**query))) {
        columns.entry(query).or_insert_with(|| pack(&late_query(late, query)));
    }
    let line = |line: &Line<S::Ext>| {
        let (mut of_base, mut of_late, mut of_row) = (Vec::new(), Vec::new(), X::ZERO);
        for (&source, &w) in &line.terms {
            let w = lift(w);
            match source {
                Source::Cell(query) if is_late(query) => of_late.push((&columns[&query], w)),
                Source::Cell(query) => of_base.push((view(cells.query(query)), w)),
                Source::Sigma(j) => of_base.push((view(cells.sigma[j]), w)),
                Source::Multiplicity(t) => of_base.push((view(cells.multiplicities[t]), w)),
                Source::Row => of_row = w,
            }
        }
        let start = lift(line.constant);
        let at = |i: usize| {
            let sum = of_base.iter().fold(start + of_row * number(i), |acc, (column, w)| acc + *w * column[i]);
            of_late.iter().fold(sum, |acc, (column, w)| acc + *w * column[i])
        };
        (0..words).into_par_iter().with_min_len(1 << 8).map(at).collect::<Vec<X>>()
    };
    let lines: Vec<Vec<X>> = polynomial.lines.iter().map(line).collect();
    let cells = polynomial.program.late.iter().map(|query| columns.remove(query).unwrap_or_default());
    cells.chain(lines).collect()
}

/// The values of a round at some points.
fn message<C, V, X, E>(
    code: &Code<C, V, X>,
    groups: &[Group<X>],
    (base, late): (&[&[V]], &[Vec<X>]),
    (high, low): (&[E], &[X]),
    total: impl Fn(X) -> E + Sync,
    points: &[usize],
) -> Vec<E>
where
    C: Copy + Send + Sync,
    V: Algebra<C> + Copy + Send + Sync,
    X: Algebra<V> + Algebra<C> + Copy + Send + Sync,
    E: Field,
{
    let half = high.len() * low.len();
    let last = points.last().copied().unwrap_or(0);
    let run = |h: usize| {
        let mut sums = vec![X::ZERO; points.len()];
        let mut row = code.start.clone();
        let (mut steps, mut late_steps) = (vec![V::ZERO; base.len()], vec![X::ZERO; late.len()]);
        for (l, &weight) in low.iter().enumerate() {
            let i = h * low.len() + l;
            for ((cell, step), column) in row.base.iter_mut().zip(&mut steps).zip(base) {
                *cell = column[i];
                *step = column[i + half] - column[i];
            }
            for ((cell, step), column) in row.late.iter_mut().zip(&mut late_steps).zip(late) {
                *cell = column[i];
                *step = column[i + half] - column[i];
            }
            let mut wanted = points.iter().zip(&mut sums).peekable();
            for x in 0..=last {
                if let Some((_, sum)) = wanted.next_if(|(point, _)| **point == x) {
                    code.run(&mut row);
                    *sum += weight * groups.iter().fold(X::ZERO, |acc, group| acc + group.at(&row));
                }
                row.base.iter_mut().zip(&steps).for_each(|(cell, &step)| *cell += step);
                row.late.iter_mut().zip(&late_steps).for_each(|(cell, &step)| *cell += step);
            }
        }
        sums.into_iter().map(|sum| total(sum) * high[h]).collect::<Vec<E>>()
    };
    let add = |mut a: Vec<E>, b: Vec<E>| {
        a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
        a
    };
    let zero = || E::zero_vec(points.len());
    if high.len() == 1 { run(0) } else { (0..high.len()).into_par_iter().map(run).reduce(zero, add) }
}
