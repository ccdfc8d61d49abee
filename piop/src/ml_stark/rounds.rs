//! The prover's share of the row sumcheck for one instance.
//!
//! What is linear in the columns is one column after weighting; of the others, only those that are
//! multiplied take part in the rounds. The first round computes over the base field.

use p3_field::{Algebra, Field, PrimeCharacteristicRing};
use trilemma_arith::kernel::{PackedBase, PackedExt};
use trilemma_arith::products::{Linear, Products, Var, Weighted};
use trilemma_core::Setting;
use trilemma_core::multilinear::SplitEq;

use super::prover::BaseColumns;
use crate::packed::{bind, broadcast, lanes, total, unpack};
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

/// The products of a table over `V`: slots hold the multiplied columns, then the products.
struct Plan<V, X> {
    factors: Vec<(Combination<V>, Combination<V>)>,
    /// Slot and weight of the products that count.
    weights: Vec<(usize, X)>,
}

/// A table's products and what they are made of.
pub struct Multiplied<'a, E> {
    products: &'a Products,
    weights: &'a Weighted<E>,
    /// Columns that occur in a factor; their position is their slot.
    pub columns: Vec<Var>,
}

impl<'a, E: Field> Multiplied<'a, E> {
    pub fn new(products: &'a Products, weights: &'a Weighted<E>) -> Self {
        let factors = products.products.iter().flat_map(|(a, b)| [a, b]);
        let mut columns: Vec<Var> =
            factors.flat_map(|f| f.terms.keys().copied()).filter(|v| !matches!(v, Var::Product(_))).collect();
        columns.sort_unstable();
        columns.dedup();
        Self { products, weights, columns }
    }

    fn plan<V: PrimeCharacteristicRing + Copy, X>(&self, lift: impl Fn(E) -> X) -> Plan<V, X> {
        let slot = |var: &Var| match var {
            Var::Product(i) => self.columns.len() + i,
            column => self.columns.binary_search(column).unwrap_or(usize::MAX),
        };
        let combination = |linear: &Linear| Combination::new(linear, slot);
        let factors = self.products.products.iter().map(|(a, b)| (combination(a), combination(b))).collect();
        let weights = self.weights.products.iter().enumerate().filter(|(_, w)| !w.is_zero());
        Plan { factors, weights: weights.map(|(i, &w)| (self.columns.len() + i, lift(w))).collect() }
    }
}

/// Multiplied columns and the linear column over one kind of element.
struct Tables<V, X> {
    columns: Vec<Vec<V>>,
    linear: Vec<X>,
}

/// The values at `0, 1, ..., degree` of a round, where `at_one` tells whether the one at 1 is wanted.
fn message<V, X, E>(
    plan: &Plan<V, X>,
    columns: &[&[V]],
    linear: &[X],
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
        for (l, &weight) in low.iter().enumerate() {
            let i = h * low.len() + l;
            for ((slot, step), column) in slots.iter_mut().zip(&mut steps).zip(columns) {
                *slot = column[i];
                *step = column[i + half] - column[i];
            }
            let (mut line, step_of_line) = (linear[i], linear[i + half] - linear[i]);
            let mut wanted = points.iter().zip(&mut sums).peekable();
            for x in 0..=last {
                if let Some((_, sum)) = wanted.next_if(|(point, _)| **point == x) {
                    for (m, (a, b)) in plan.factors.iter().enumerate() {
                        slots[columns.len() + m] = a.at(&slots) * b.at(&slots);
                    }
                    let products = plan.weights.iter().fold(line, |acc, &(slot, w)| acc + w * slots[slot]);
                    *sum += weight * products;
                }
                slots.iter_mut().zip(&steps).for_each(|(slot, &step)| *slot += step);
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
    /// Nothing bound; the linear column is there.
    Base(Vec<PackedExt<S>>),
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
        log_height: usize,
        degree: usize,
        point: Vec<S::Ext>,
    ) -> Self {
        let weights = multiplied.weights;
        let state = if 1 << log_height >= 2 * lanes::<S>() {
            State::Base(base.linear(weights))
        } else {
            let scalars = |var: &Var| base.column(*var).iter().map(|&x| x.into()).collect();
            let linear = base.linear_scalars(weights);
            State::Scalar(Tables { columns: multiplied.columns.iter().map(scalars).collect(), linear })
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
        for (a, b) in &plan.factors {
            let product = a.at(&slots) * b.at(&slots);
            slots.push(product);
        }
        plan.weights.iter().fold(tables.linear[0], |acc, &(slot, w)| acc + w * slots[slot])
    }

    fn compute(&self, base: Option<&BaseColumns<'_, S>>, points: &[usize]) -> Vec<S::Ext> {
        let eq = SplitEq::<S::Base, S::Ext>::new(&self.point[1..]);
        let (packed, scalar) = ((eq.high(), eq.packed()), (eq.high(), eq.low()));
        match (&self.state, base) {
            (State::Base(linear), Some(base)) => {
                let plan: Plan<PackedBase<S>, PackedExt<S>> = self.multiplied.plan(broadcast::<S>);
                let columns: Vec<&[PackedBase<S>]> =
                    self.multiplied.columns.iter().map(|&var| base.packed(var)).collect();
                message(&plan, &columns, linear, packed, total::<S>, points)
            }
            (State::Packed(tables), _) => {
                let plan: Plan<PackedExt<S>, PackedExt<S>> = self.multiplied.plan(broadcast::<S>);
                let columns: Vec<_> = tables.columns.iter().map(Vec::as_slice).collect();
                message(&plan, &columns, &tables.linear, packed, total::<S>, points)
            }
            (State::Scalar(tables), _) => {
                let plan: Plan<S::Ext, S::Ext> = self.multiplied.plan(|w| w);
                let columns: Vec<_> = tables.columns.iter().map(Vec::as_slice).collect();
                message(&plan, &columns, &tables.linear, scalar, |x| x, points)
            }
            (State::Base(_), None) => Vec::new(),
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
        let half = |len: usize| len / 2;
        self.state = match &self.state {
            State::Base(linear) => {
                let base = base();
                let column = |&var: &Var| {
                    let column = base.packed(var);
                    bind(column, half(column.len()), PackedBase::<S>::ZERO, packed)
                };
                let columns = self.multiplied.columns.iter().map(column).collect();
                Self::settle(columns, bind(linear, half(linear.len()), PackedExt::<S>::ZERO, packed))
            }
            State::Packed(t) => {
                let column = |c: &Vec<_>| bind(c, half(c.len()), PackedExt::<S>::ZERO, packed);
                Self::settle(t.columns.iter().map(column).collect(), column(&t.linear))
            }
            State::Scalar(t) => {
                let column = |c: &Vec<_>| bind(c, half(c.len()), S::Ext::ZERO, r);
                State::Scalar(Tables { columns: t.columns.iter().map(column).collect(), linear: column(&t.linear) })
            }
        };
    }

    /// Packed while there are two words.
    fn settle(columns: Vec<Vec<PackedExt<S>>>, linear: Vec<PackedExt<S>>) -> State<S> {
        if linear.len() >= 2 {
            return State::Packed(Tables { columns, linear });
        }
        let columns = columns.iter().map(|c| unpack::<S>(c)).collect();
        State::Scalar(Tables { columns, linear: unpack::<S>(&linear) })
    }
}
