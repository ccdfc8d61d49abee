//! What the prover computes: products of matrices, accumulators of sums, and quotients, each on one coset as
//! large as its domain, because every quotient has a lower degree than that.

use p3_dft::{Radix2DitParallel, TwoAdicSubgroupDft};
use p3_field::{BasedVectorSpace, Field, PrimeCharacteristicRing};
use p3_matrix::dense::RowMajorMatrix;
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
    /// From a subgroup to a coset of it; row-major columns.
    fn extend(&self, values: Vec<S::Ext>, width: usize, shift: S::Base) -> Vec<S::Ext> {
        let coefficients = self.0.idft_algebra_batch(RowMajorMatrix::new(values, width));
        self.0.coset_dft_algebra_batch(coefficients, shift).values
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
    extension_columns::<S>(values, 1)
}

/// Row-major columns over the challenge field as base columns.
pub fn extension_columns<S: Setting>(values: Vec<S::Ext>, width: usize) -> Columns<S::Base> {
    let d = <S::Ext as BasedVectorSpace<S::Base>>::DIMENSION;
    Columns::new(<S::Ext as BasedVectorSpace<S::Base>>::flatten_to_base(values), d * width)
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

/// Three columns row by row, so that one FFT is of all of them.
fn side_by_side<E: Field>([a, b, c]: [&[E]; 3]) -> Vec<E> {
    let mut cells = E::zero_vec(3 * a.len());
    let rows = cells.par_chunks_exact_mut(3).zip(a).zip(b).zip(c);
    rows.for_each(|(((row, &a), &b), &c)| row.copy_from_slice(&[a, b, c]));
    cells
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
    let mut cells = side_by_side([a, b, c].map(Vec::as_slice));
    cells.chunks_exact_mut(3).zip(public).for_each(|(row, &p)| row[2] -= p);
    let cells = dft.extend(cells, 3, shift);
    let quotient = cells.as_chunks().0.par_iter().map(|&[a, b, c]| (a * b - c) * inverse);
    dft.restrict(quotient.collect(), shift)
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
pub fn wire_quotient<S: Smooth>(dft: &Dft<S>, log_height: usize, columns: [&[S::Ext]; 3], sum: S::Ext) -> Vec<S::Ext> {
    let shift = S::Base::GENERATOR;
    let inverse = inverse_vanishing::<S>(log_height, shift);
    let share = sum.div_2exp_u64(log_height as u64);
    let cells = dft.extend(side_by_side(columns), 3, shift);
    let (rows, _) = cells.as_chunks::<3>();
    let quotient = rows.par_iter().enumerate().map(|(i, &[matrices, z, here])| {
        let [.., next] = rows[(i + 1) % rows.len()];
        (next - here + share - matrices * z) * inverse
    });
    dft.restrict(quotient.collect(), shift)
}

/// `sum_M eta_M M(y, x) L_y(alpha) L_x(xi)` of every entry.
pub fn entry_terms<S: Smooth>(run: &Run<'_, S>, xi: S::Ext) -> Vec<S::Ext> {
    let log = run.layout.log_wires();
    let at_xi = lagrange::<S>(log, xi, 1 << log);
    let entries = index::entries(run.relation, run.layout);
    entries.map(|(row, column, values)| run.at_alpha[row] * at_xi[column] * weighted::<S>(&run.eta, values)).collect()
}

/// What the entries of each group add up to.
pub fn group_sums<E: Field>(layout: &Layout, terms: &[E]) -> Vec<E> {
    (0..layout.groups).map(|group| terms.iter().skip(group).step_by(layout.groups).copied().sum()).collect()
}

/// An accumulator for every group, as row-major columns, for terms whose sums are claimed.
pub fn group_accumulators<S: Smooth>(layout: &Layout, mut terms: Vec<S::Ext>, sums: &[S::Ext]) -> Vec<S::Ext> {
    let shares: Vec<S::Ext> = sums.iter().map(|sum| sum.div_2exp_u64(layout.log_entries as u64)).collect();
    terms.resize(layout.groups << layout.log_entries, S::Ext::ZERO);
    let mut acc = S::Ext::zero_vec(layout.groups);
    for row in terms.chunks_exact_mut(layout.groups) {
        for ((cell, acc), &share) in row.iter_mut().zip(&mut acc).zip(&shares) {
            *acc += std::mem::replace(cell, *acc) - share;
        }
    }
    terms
}

/// Challenges and claims of the sums over entries.
pub struct Entries<'a, E> {
    /// `alpha` and `xi`.
    pub point: [E; 2],
    /// Weights of the columns `A_i`, `B_i` and `C_i` in `a`.
    pub weights: [E; 3],
    /// What the groups of entries add up to.
    pub sums: &'a [E],
    /// Batches the groups.
    pub mu: E,
}

/// `sum_i mu^i (b_i(X) (T_i(g X) - T_i(X) + w_i / n) - a_i(X)) / Z(X)` on the domain, if it is a polynomial.
pub fn entry_quotient<S: Smooth>(
    dft: &Dft<S>,
    log_height: usize,
    index: &CosetView<'_, S::Base>,
    accumulators: Vec<S::Ext>,
    entries: &Entries<'_, S::Ext>,
) -> Vec<S::Ext> {
    let inverse = inverse_vanishing::<S>(log_height, index.shift);
    let groups = entries.sums.len();
    let claims: Vec<(S::Ext, S::Ext)> =
        entries.sums.iter().map(|sum| sum.div_2exp_u64(log_height as u64)).zip(entries.mu.powers()).collect();
    let accumulators = dft.extend(accumulators, groups, index.shift);
    let ([alpha, xi], [wa, wb, wc]) = (entries.point, entries.weights);
    let both = alpha * xi;
    let (rows, _) = index.values.as_chunks::<INDEX_WIDTH>();
    let height = 1usize << log_height;
    let quotient = (0..height).into_par_iter().with_min_len(1 << 8).map(|i| {
        let rows = &rows[reverse_bits_len(i, log_height) * groups..];
        let (here, next) = (&accumulators[i * groups..], &accumulators[(i + 1) % height * groups..]);
        let groups = rows.iter().zip(here.iter().zip(next)).zip(&claims);
        let folded: S::Ext = groups
            .map(|((&[row, column, product, a, b, c], (&here, &next)), &(share, weight))| {
                let denominator = both - alpha * column - xi * row + product;
                weight * (denominator * (next - here + share) - wa * a - wb * b - wc * c)
            })
            .sum();
        folded * inverse
    });
    dft.restrict(quotient.collect(), index.shift)
}
