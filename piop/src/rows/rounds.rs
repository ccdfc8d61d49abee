//! The prover's share of the row sumcheck for one instance.
//!
//! What is linear in the columns is one column after weighting; of the others, only those that are
//! multiplied take part in the rounds. The first round computes over the base field.

use std::mem::take;

use p3_field::{Algebra, Field, PrimeCharacteristicRing};
use trilemma_arith::kernel::{PackedBase, PackedExt};
use trilemma_arith::products::{Linear, Products, Var, Weighted};
use trilemma_core::Setting;
use trilemma_core::multilinear::SplitEq;

use super::BaseColumns;
use crate::packed::{bind, bind_in_place, broadcast, lanes, pack, total, unpack};
use crate::sumcheck::interpolate;

/// A linear combination over slots, with coefficients in `V`.
struct Combination<V> {
    constant: V,
    terms: Vec<(usize, Coefficient<V>)>,
}

enum Coefficient<V> {
    Plus,
    Minus,
    Times(V),
}

impl<V: PrimeCharacteristicRing + Copy> Combination<V> {
    fn new(linear: &Linear, slot: impl Fn(&Var) -> usize) -> Self {
        let coefficient = |c: i64| match c {
            1 => Coefficient::Plus,
            -1 => Coefficient::Minus,
            c => Coefficient::Times(V::from_i64(c)),
        };
        let terms = linear.terms.iter().map(|(var, &c)| (slot(var), coefficient(c))).collect();
        Self { constant: V::from_i64(linear.constant), terms }
    }

    fn at(&self, slots: &[V]) -> V {
        self.terms.iter().fold(self.constant, |acc, (slot, c)| match c {
            Coefficient::Plus => acc + slots[*slot],
            Coefficient::Minus => acc - slots[*slot],
            Coefficient::Times(c) => acc + *c * slots[*slot],
        })
    }
}

/// A product of a column over the challenge field, number `helper`, and a linear combination of columns;
/// its weight is in the coefficients.
pub struct Fraction<E> {
    /// Which column over the challenge field.
    pub helper: usize,
    /// The constant of the other factor.
    pub constant: E,
    /// Its coefficients.
    pub terms: Vec<(Var, E)>,
}

/// The products of a table over `V`: slots hold the multiplied columns, then the products.
struct Plan<V, X> {
    factors: Vec<(Combination<V>, Combination<V>)>,
    /// Slot and weight of the products that count.
    weights: Vec<(usize, X)>,
    /// Helper, constant and terms by slot of every fraction.
    fractions: Vec<(usize, X, Vec<(usize, X)>)>,
}

/// A table's products and what they are made of.
pub struct Multiplied<'a, E> {
    products: &'a Products,
    weights: &'a Weighted<E>,
    fractions: &'a [Fraction<E>],
    /// Columns that occur in a factor; their position is their slot.
    pub columns: Vec<Var>,
}

impl<'a, E: Field> Multiplied<'a, E> {
    /// What the weighted sum of a table multiplies.
    pub fn new(products: &'a Products, weights: &'a Weighted<E>, fractions: &'a [Fraction<E>]) -> Self {
        let factors = products.products.iter().flat_map(|(a, b)| [a, b]).flat_map(|f| f.terms.keys());
        let entries = fractions.iter().flat_map(|f| &f.terms).map(|(var, _)| var);
        let mut columns: Vec<Var> = factors.chain(entries).copied().filter(|v| !matches!(v, Var::Product(_))).collect();
        columns.sort_unstable();
        columns.dedup();
        Self { products, weights, fractions, columns }
    }

    fn plan<V: PrimeCharacteristicRing + Copy, X>(&self, lift: impl Fn(E) -> X) -> Plan<V, X> {
        let slot = |var: &Var| match var {
            Var::Product(i) => self.columns.len() + i,
            column => self.columns.binary_search(column).unwrap_or(usize::MAX),
        };
        let combination = |linear: &Linear| Combination::new(linear, slot);
        let factors = self.products.products.iter().map(|(a, b)| (combination(a), combination(b))).collect();
        let weights = self.weights.products.iter().enumerate().filter(|(_, w)| !w.is_zero());
        let weights = weights.map(|(i, &w)| (self.columns.len() + i, lift(w))).collect();
        let fraction = |f: &Fraction<E>| {
            let terms = f.terms.iter().map(|(var, c)| (slot(var), lift(*c))).collect();
            (f.helper, lift(f.constant), terms)
        };
        Plan { factors, weights, fractions: self.fractions.iter().map(fraction).collect() }
    }
}

impl<V: PrimeCharacteristicRing + Copy, X: Algebra<V> + Copy> Plan<V, X> {
    /// What is weighted, at one row or word of rows; `slots` hold the columns.
    fn at(&self, slots: &mut [V], helpers: &[X], linear: X) -> X {
        let first = slots.len() - self.factors.len();
        for (m, (a, b)) in self.factors.iter().enumerate() {
            slots[first + m] = a.at(slots) * b.at(slots);
        }
        let products = self.weights.iter().fold(linear, |acc, &(slot, w)| acc + w * slots[slot]);
        self.fractions.iter().fold(products, |acc, (helper, constant, terms)| {
            let other = terms.iter().fold(*constant, |acc, &(slot, c)| acc + c * slots[slot]);
            acc + helpers[*helper] * other
        })
    }
}

/// Multiplied columns, the linear column and helpers over one kind of element.
#[derive(Default)]
struct Tables<V, X> {
    columns: Vec<Vec<V>>,
    linear: Vec<X>,
    helpers: Vec<Vec<X>>,
}

impl<X: PrimeCharacteristicRing + Copy + Send + Sync> Tables<X, X> {
    fn bind(&mut self, r: X) {
        let columns = self.columns.iter_mut().chain(&mut self.helpers).chain([&mut self.linear]);
        columns.for_each(|column| halve(column, r));
    }
}

/// Binds the first variable of a whole table.
fn halve<X: PrimeCharacteristicRing + Copy + Send + Sync>(table: &mut Vec<X>, r: X) {
    let half = table.len() / 2;
    bind_in_place(table, half, X::ZERO, r);
    table.truncate(half);
}

/// The values at `0, 1, ..., degree` of a round, where `at_one` tells whether the one at 1 is wanted.
fn message<V, X, E>(
    plan: &Plan<V, X>,
    columns: &[&[V]],
    (linear, helpers): (&[X], &[Vec<X>]),
    (high, low): (&[E], &[X]),
    total: impl Fn(X) -> E + Sync,
    points: &[usize],
) -> Vec<E>
where
    V: PrimeCharacteristicRing + Copy + Send + Sync,
    X: Algebra<V> + Copy + Send + Sync,
    E: Field,
{
    use rayon::prelude::*;
    let half = linear.len() / 2;
    let last = points.last().copied().unwrap_or(0);
    let run = |h: usize| {
        let mut sums = vec![X::ZERO; points.len()];
        let mut slots = vec![V::ZERO; columns.len() + plan.factors.len()];
        let mut steps = vec![V::ZERO; columns.len()];
        let mut extension = vec![X::ZERO; helpers.len()];
        let mut extension_steps = extension.clone();
        for (l, &weight) in low.iter().enumerate() {
            let i = h * low.len() + l;
            for ((slot, step), column) in slots.iter_mut().zip(&mut steps).zip(columns) {
                *slot = column[i];
                *step = column[i + half] - column[i];
            }
            for ((h, step), column) in extension.iter_mut().zip(&mut extension_steps).zip(helpers) {
                *h = column[i];
                *step = column[i + half] - column[i];
            }
            let (mut line, step_of_line) = (linear[i], linear[i + half] - linear[i]);
            let mut wanted = points.iter().zip(&mut sums).peekable();
            for x in 0..=last {
                if let Some((_, sum)) = wanted.next_if(|(point, _)| **point == x) {
                    *sum += weight * plan.at(&mut slots, &extension, line);
                }
                slots.iter_mut().zip(&steps).for_each(|(slot, &step)| *slot += step);
                extension.iter_mut().zip(&extension_steps).for_each(|(h, &step)| *h += step);
                line += step_of_line;
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

enum State<S: Setting> {
    /// Nothing bound; the linear column and the helpers are there.
    Base(Vec<PackedExt<S>>, Vec<Vec<PackedExt<S>>>),
    Packed(Tables<PackedExt<S>, PackedExt<S>>),
    Scalar(Tables<S::Ext, S::Ext>),
}

/// An instance in the row sumcheck.
pub struct Side<'a, S: Setting> {
    multiplied: Multiplied<'a, S::Ext>,
    log_height: usize,
    degree: usize,
    /// The point of the sumcheck's `eq`, as far as it concerns this instance.
    point: Vec<S::Ext>,
    /// What `t` is while nothing of it is bound, later the running claim.
    claim: S::Ext,
    /// The values of the current round, once known.
    values: Vec<S::Ext>,
    state: State<S>,
}

impl<'a, S: Setting> Side<'a, S> {
    /// Computes the first round already: before it, the instance is a constant that the round tells.
    pub fn new(
        multiplied: Multiplied<'a, S::Ext>,
        base: &BaseColumns<'_, S>,
        helpers: &[&[S::Ext]],
        log_height: usize,
        degree: usize,
        point: Vec<S::Ext>,
    ) -> Self {
        let weights = multiplied.weights;
        let state = if 1 << log_height >= 2 * lanes::<S>() {
            State::Base(base.linear(weights), helpers.iter().map(|h| pack::<S>(h)).collect())
        } else {
            let scalars = |var: &Var| base.column(*var).iter().map(|&x| x.into()).collect();
            let linear = base.linear_scalars(weights);
            let columns = multiplied.columns.iter().map(scalars).collect();
            State::Scalar(Tables { columns, linear, helpers: helpers.iter().map(|h| h.to_vec()).collect() })
        };
        let mut side = Self { multiplied, log_height, degree, point, claim: S::Ext::ZERO, values: Vec::new(), state };
        if log_height == 0 {
            side.claim = side.constant();
        } else {
            let points: Vec<usize> = (0..=degree).collect();
            side.values = side.compute(Some(base), &points);
            side.claim = side.values[0] + side.point[0] * (side.values[1] - side.values[0]);
        }
        side
    }

    /// The value of an instance of one row.
    fn constant(&self) -> S::Ext {
        let State::Scalar(tables) = &self.state else { return S::Ext::ZERO };
        let plan: Plan<S::Ext, S::Ext> = self.multiplied.plan(|w| w);
        let mut slots: Vec<S::Ext> = tables.columns.iter().map(|c| c[0]).collect();
        slots.resize(slots.len() + plan.factors.len(), S::Ext::ZERO);
        let helpers: Vec<S::Ext> = tables.helpers.iter().map(|h| h[0]).collect();
        plan.at(&mut slots, &helpers, tables.linear[0])
    }

    fn compute(&self, base: Option<&BaseColumns<'_, S>>, points: &[usize]) -> Vec<S::Ext> {
        let eq = SplitEq::<S::Base, S::Ext>::new(&self.point[1..]);
        let (packed, scalar) = ((eq.high(), eq.packed()), (eq.high(), eq.low()));
        match (&self.state, base) {
            (State::Base(linear, helpers), Some(base)) => {
                let plan: Plan<PackedBase<S>, PackedExt<S>> = self.multiplied.plan(broadcast::<S>);
                let columns: Vec<&[PackedBase<S>]> =
                    self.multiplied.columns.iter().map(|&var| base.packed(var)).collect();
                message(&plan, &columns, (linear, helpers), packed, total::<S>, points)
            }
            (State::Packed(tables), _) => {
                let plan: Plan<PackedExt<S>, PackedExt<S>> = self.multiplied.plan(broadcast::<S>);
                let columns: Vec<_> = tables.columns.iter().map(Vec::as_slice).collect();
                message(&plan, &columns, (&tables.linear, &tables.helpers), packed, total::<S>, points)
            }
            (State::Scalar(tables), _) => {
                let plan: Plan<S::Ext, S::Ext> = self.multiplied.plan(|w| w);
                let columns: Vec<_> = tables.columns.iter().map(Vec::as_slice).collect();
                message(&plan, &columns, (&tables.linear, &tables.helpers), scalar, |x| x, points)
            }
            (State::Base(..), None) => Vec::new(),
        }
    }

    /// Adds its values at `0, 2, ..., degree` in the round in which `left` variables are unbound.
    pub fn message(&mut self, left: usize, out: &mut [S::Ext]) {
        if left > self.log_height {
            out.iter_mut().for_each(|value| *value += self.claim);
            return;
        }
        if self.values.is_empty() {
            let points: Vec<usize> = [0].into_iter().chain(2..=self.degree).collect();
            self.values = self.compute(None, &points);
            let r = self.point[0];
            let one = (self.claim - (S::Ext::ONE - r) * self.values[0]) * r.inverse();
            self.values.insert(1, one);
        }
        out[0] += self.values[0];
        out[1..].iter_mut().zip(&self.values[2..]).for_each(|(out, &value)| *out += value);
    }

    /// Binds the round's variable.
    pub fn bind<'o>(&mut self, base: impl FnOnce() -> BaseColumns<'o, S>, left: usize, r: S::Ext) {
        if left > self.log_height {
            return;
        }
        self.claim = interpolate(&std::mem::take(&mut self.values), r);
        self.point.remove(0);
        let packed = broadcast::<S>(r);
        match &mut self.state {
            State::Base(linear, helpers) => {
                let base = base();
                let column = |&var: &Var| {
                    let column = base.packed(var);
                    bind(column, column.len() / 2, PackedBase::<S>::ZERO, packed)
                };
                let columns = self.multiplied.columns.iter().map(column).collect();
                halve(linear, packed);
                helpers.iter_mut().for_each(|helper| halve(helper, packed));
                self.state = Self::settle(Tables { columns, linear: take(linear), helpers: take(helpers) });
            }
            State::Packed(tables) => {
                tables.bind(packed);
                self.state = Self::settle(take(tables));
            }
            State::Scalar(tables) => tables.bind(r),
        }
    }

    /// Packed while there are two words.
    fn settle(tables: Tables<PackedExt<S>, PackedExt<S>>) -> State<S> {
        if tables.linear.len() >= 2 {
            return State::Packed(tables);
        }
        let Tables { columns, linear, helpers } = tables;
        let each = |columns: &[Vec<PackedExt<S>>]| columns.iter().map(|c| unpack::<S>(c)).collect();
        State::Scalar(Tables { columns: each(&columns), linear: unpack::<S>(&linear), helpers: each(&helpers) })
    }
}
