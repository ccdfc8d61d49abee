//! What the prover computes: products of matrices, accumulators of sums, and quotients, each on one coset as
//! large as its domain, because every quotient has a lower degree than that.

use p3_dft::{Radix2DitParallel, TwoAdicSubgroupDft};
use p3_field::{BasedVectorSpace, Field, PrimeCharacteristicRing, TwoAdicField};
use p3_util::reverse_bits_len;
use rayon::prelude::*;
use trilemma_arith::r1cs::staged::Staged;
use trilemma_core::claim::CosetView;
use trilemma_core::{Columns, Setting, Smooth};

use super::index;
use super::layout::{INDEX_WIDTH, Layout, lagrange};
use super::prover::Run;

/// FFTs of columns over the challenge field; keeps the roots of unity.
pub struct Dft<S: Smooth>(Radix2DitParallel<S::Base>);

impl<S: Smooth> Default for Dft<S> {
    fn default() -> Self {
        Self(Radix2DitParallel::default())
    }
}

impl<S: Smooth> Dft<S> {
    /// From a subgroup to a coset of it.
    fn extend(&self, values: Vec<S::Ext>, shift: S::Base) -> Vec<S::Ext> {
        self.0.coset_dft_algebra(self.0.idft_algebra(values), shift)
    }

    /// From a coset to the subgroup.
    fn restrict(&self, values: Vec<S::Ext>, shift: S::Base) -> Vec<S::Ext> {
        self.0.dft_algebra(self.0.coset_idft_algebra(values, shift))
    }
}

/// `1 / Z` on a coset, which is constant.
fn inverse_vanishing<S: Smooth>(log_height: usize, shift: S::Base) -> S::Base {
    (shift.exp_power_of_2(log_height) - S::Base::ONE).inverse()
}

/// `sum a_i b_i`.
pub fn dot<E: Field>(a: &[E], b: &[E]) -> E {
    a.par_iter().zip(b).map(|(&a, &b)| a * b).sum()
}

/// A column over the challenge field as base columns.
pub fn extension_column<S: Setting>(values: Vec<S::Ext>) -> Columns<S::Base> {
    let d = <S::Ext as BasedVectorSpace<S::Base>>::DIMENSION;
    Columns::new(<S::Ext as BasedVectorSpace<S::Base>>::flatten_to_base(values), d)
}

/// Values cut into segments, zeros after the last, as base columns.
pub fn segments<F: Field, V: BasedVectorSpace<F> + PrimeCharacteristicRing>(
    values: impl Iterator<Item = V>,
    layout: &Layout,
) -> Vec<Columns<F>> {
    let mut values: Vec<V> = values.collect();
    let height = 1 << layout.log_segment;
    values.resize(values.len().next_multiple_of(height), V::ZERO);
    let column = |segment: &[V]| Columns::new(V::flatten_to_base(segment.to_vec()), V::DIMENSION);
    values.chunks_exact(height).map(column).collect()
}

/// Wires as they lie on `H`.
pub fn by_position<E: Field>(layout: &Layout, wires: &[E]) -> Vec<E> {
    let mut values = E::zero_vec(1 << layout.log_wires());
    wires.iter().enumerate().for_each(|(wire, &x)| values[layout.position(wire)] = x);
    values
}

/// `Az`, `Bz` and `Cz` on every row of `R`.
pub fn products<S: Smooth>(relation: &Staged<S>, layout: &Layout, wires: &[S::Ext]) -> [Vec<S::Ext>; 3] {
    let mut columns = [(); 3].map(|()| S::Ext::zero_vec(1 << layout.log_rows));
    let public = layout.public();
    columns[2][..public].copy_from_slice(&wires[..public]);
    let [a, b, c] = columns.each_mut().map(|column| column[public..].par_iter_mut());
    let rows = (0..relation.matrices.rows()).into_par_iter().with_min_len(1 << 8);
    rows.zip(a.zip(b).zip(c)).for_each(|(row, ((a, b), c))| {
        [*a, *b, *c] = relation.matrices.times(row, |wire| wires[wire]);
    });
    columns
}

/// `(Az(X) Bz(X) + p(X) - Cz(X)) / Z_R(X)` on `R`, if it is a polynomial.
pub fn row_quotient<S: Smooth>(
    dft: &Dft<S>,
    layout: &Layout,
    [a, b, c]: &[Vec<S::Ext>; 3],
    public: &[S::Ext],
) -> Vec<S::Ext> {
    let shift = S::Base::GENERATOR;
    let inverse = inverse_vanishing::<S>(layout.log_rows, shift);
    let mut values = dft.extend(a.clone(), shift);
    values.par_iter_mut().zip(dft.extend(b.clone(), shift)).for_each(|(a, b)| *a *= b);
    let mut c = c.clone();
    c.iter_mut().zip(public).for_each(|(c, &p)| *c -= p);
    values.par_iter_mut().zip(dft.extend(c, shift)).for_each(|(ab, c)| *ab = (*ab - c) * inverse);
    dft.restrict(values, shift)
}

/// `sum_M eta_M M` of an entry.
fn weighted<S: Setting>(eta: &[S::Ext; 3], values: [S::Base; 3]) -> S::Ext {
    let terms = eta.iter().zip(values).filter(|(_, x)| !x.is_zero());
    terms.map(|(&eta, x)| eta * x).sum()
}

/// `r` on `H`: the sum of all rows of the matrices, weighted.
pub fn matrix_column<S: Smooth>(run: &Run<'_, S>) -> Vec<S::Ext> {
    let (relation, layout) = (run.relation, run.layout);
    let parts = rayon::current_num_threads().clamp(1, 4);
    let (rows, public) = (relation.matrices.rows(), layout.public());
    let part = rows.div_ceil(parts).max(1);
    let add = |mut sums: Vec<S::Ext>, start: usize| {
        for row in start..rows.min(start + part) {
            for (wire, &values) in relation.matrices.row(row) {
                sums[layout.position(wire)] += run.at_alpha[public + row] * weighted::<S>(&run.eta, values);
            }
        }
        sums
    };
    let zero = || S::Ext::zero_vec(1 << layout.log_wires());
    let starts = (0..rows).into_par_iter().step_by(part).with_max_len(1);
    let mut column = starts.map(|start| add(zero(), start)).reduce(zero, |mut a, b| {
        a.par_iter_mut().zip(b).for_each(|(a, b)| *a += b);
        a
    });
    (0..public).for_each(|i| column[layout.position(i)] += run.at_alpha[i] * run.eta[2]);
    column
}

/// `S` on a domain, from 0, with `S(g x) - S(x) = term(x) - sum / n`; terms after the last are zero.
pub fn accumulate<S: Smooth>(mut terms: impl Iterator<Item = S::Ext>, log_height: usize, sum: S::Ext) -> Vec<S::Ext> {
    let share = sum * S::Base::ONE.div_2exp_u64(log_height as u64);
    let mut acc = S::Ext::ZERO;
    let step = |_| {
        let here = acc;
        acc += terms.next().unwrap_or_default() - share;
        here
    };
    (0..1usize << log_height).map(step).collect()
}

/// `(S(g X) - S(X) + sum / n - r(X) z(X)) / Z(X)` on the domain, if it is a polynomial, from `r`, `z` and `S`.
pub fn wire_quotient<S: Smooth>(
    dft: &Dft<S>,
    log_height: usize,
    columns: [Vec<S::Ext>; 3],
    sum: S::Ext,
) -> Vec<S::Ext> {
    let shift = S::Base::GENERATOR;
    let inverse = inverse_vanishing::<S>(log_height, shift);
    let share = sum * S::Base::ONE.div_2exp_u64(log_height as u64);
    let [matrices, z, accumulator] = columns.map(|column| dft.extend(column, shift));
    let mut values = matrices;
    let mask = values.len() - 1;
    values.par_iter_mut().zip(z).enumerate().for_each(|(i, (value, z))| {
        *value = (accumulator[(i + 1) & mask] - accumulator[i] + share - *value * z) * inverse;
    });
    dft.restrict(values, shift)
}

/// `sum_M eta_M M(y, x) L_y(alpha) L_x(xi)` of every entry.
pub fn entry_terms<S: Smooth>(run: &Run<'_, S>, xi: S::Ext) -> Vec<S::Ext> {
    let log = run.layout.log_wires();
    let at_xi = lagrange::<S>(log, xi, 1 << log);
    let entries = index::entries(run.relation, run.layout);
    entries.map(|(row, column, values)| run.at_alpha[row] * at_xi[column] * weighted::<S>(&run.eta, values)).collect()
}

/// Challenges and claim of the sum over entries.
pub struct Entries<E> {
    /// `alpha` and `xi`.
    pub point: [E; 2],
    /// Weights of the columns `A_K`, `B_K` and `C_K` in `a`.
    pub weights: [E; 3],
    /// What the entries add up to.
    pub sum: E,
}

/// `(b(X) (T(g X) - T(X) + sum / n) - a(X)) / Z(X)` on the domain, if it is a polynomial.
pub fn entry_quotient<S: Smooth>(
    dft: &Dft<S>,
    log_height: usize,
    index: &CosetView<'_, S::Base>,
    accumulator: Vec<S::Ext>,
    entries: &Entries<S::Ext>,
) -> Vec<S::Ext> {
    let inverse = inverse_vanishing::<S>(log_height, index.shift);
    let share = entries.sum * S::Base::ONE.div_2exp_u64(log_height as u64);
    let accumulator = dft.extend(accumulator, index.shift);
    let mask = accumulator.len() - 1;
    let ([alpha, xi], [wa, wb, wc]) = (entries.point, entries.weights);
    let both = alpha * xi;
    let (rows, _) = index.values.as_chunks::<INDEX_WIDTH>();
    let quotient = (0..accumulator.len()).into_par_iter().with_min_len(1 << 8).map(|i| {
        let [row, column, product, a, b, c] = rows[reverse_bits_len(i, log_height)];
        let denominator = both - alpha * column - xi * row + product;
        let change = accumulator[(i + 1) & mask] - accumulator[i] + share;
        (denominator * change - wa * a - wb * b - wc * c) * inverse
    });
    dft.restrict(quotient.collect(), index.shift)
}
