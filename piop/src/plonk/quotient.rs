//! The prover's quotient: the constraints on as many cosets of the domain as the quotient has parts.

use std::borrow::Cow;

use p3_dft::{Radix2DitParallel, TwoAdicSubgroupDft};
use p3_field::{BasedVectorSpace, Field, PackedValue, PrimeCharacteristicRing, TwoAdicField};
use p3_matrix::Matrix;
use p3_matrix::bitrev::BitReversibleMatrix;
use p3_util::reverse_bits_len;
use rayon::prelude::*;
use trilemma_arith::kernel::{Challenges, PackedBase, PackedExt};
use trilemma_arith::plonkish::Circuit;
use trilemma_core::Smooth;
use trilemma_core::claim::{Columns, CosetView};

use super::grid::{Grid, Slots, ext, words};
use super::index::domain;
use super::layout::{Layout, Poly};
use super::lookup::Fingerprints;
use super::program::{Machine, Program};
use super::witness::{Arguments, Factors};
use super::{lookup, permutation};
use crate::packed::{broadcast, lanes};

/// What a matrix's values on cosets come from.
pub enum Source<'o, F: Clone> {
    /// A low-degree extension that the scheme keeps.
    Extended(CosetView<'o, F>),
    /// The transform of the columns, in bit-reversed order.
    Transformed(Columns<F>),
}

impl<F: TwoAdicField + Ord> Source<'_, F> {
    /// The transform of columns on the domain.
    pub fn transform(columns: Columns<F>) -> Self {
        Self::Transformed(reversed(columns))
    }

    fn width(&self) -> usize {
        match self {
            Self::Extended(view) => view.width,
            Self::Transformed(columns) => columns.width,
        }
    }

    /// The values on the coset of `shift`, block `block` of an extension in bit-reversed order; rows
    /// in bit-reversed order too.
    fn coset(&self, block: usize, rows: usize, shift: F) -> Cow<'_, [F]> {
        match self {
            Self::Extended(view) => Cow::Borrowed(&view.values[block * rows * view.width..][..rows * view.width]),
            Self::Transformed(columns) => Cow::Owned(reversed(scaled(columns, shift)).values),
        }
    }
}

/// The values of columns of coefficients on the domain, in bit-reversed order.
fn reversed<F: TwoAdicField + Ord>(columns: Columns<F>) -> Columns<F> {
    Radix2DitParallel::default().dft_batch(columns).bit_reverse_rows()
}

/// The coefficients of `f(shift X)` from the transform `sum_r f(w^r) w^(r j)` of its values.
fn scaled<F: TwoAdicField>(transform: &Columns<F>, shift: F) -> Columns<F> {
    const ROWS: usize = 1 << 8;
    let (width, rows) = (transform.width, transform.height());
    let log_rows = rows.trailing_zeros() as usize;
    let mut coefficients = F::zero_vec(rows * width);
    coefficients.par_chunks_mut(ROWS * width).enumerate().for_each(|(chunk, out)| {
        let start = shift.exp_u64((chunk * ROWS) as u64) * F::ONE.div_2exp_u64(log_rows as u64);
        let factors = shift.shifted_powers(start);
        for ((i, out), factor) in out.chunks_exact_mut(width).enumerate().zip(factors) {
            let from = reverse_bits_len((rows - chunk * ROWS - i) % rows, log_rows) * width;
            out.iter_mut().zip(&transform.values[from..from + width]).for_each(|(out, &c)| *out = c * factor);
        }
    });
    Columns::new(coefficients, width)
}

/// What folding the constraints takes.
pub struct Folding<'a, S: Smooth> {
    /// The circuit.
    pub circuit: &'a Circuit<S>,
    /// Its columns.
    pub layout: &'a Layout,
    /// Where they lie.
    pub slots: &'a Slots,
    /// The circuit's challenges.
    pub challenges: &'a Challenges<S::Ext>,
    /// Fingerprints of the arguments.
    pub fingerprints: &'a Fingerprints<S::Ext>,
    /// Powers of `alpha`, one a constraint.
    pub alphas: &'a [S::Ext],
}

/// The quotient's parts on the domain; `shift` is that of the extensions.
pub fn quotient<S: Smooth>(
    folding: &Folding<'_, S>,
    sources: &[Source<'_, S::Base>],
    shift: S::Base,
) -> Columns<S::Base> {
    let (layout, slots) = (folding.layout, folding.slots);
    let (rows, log_parts, parts) = (layout.rows(), layout.log_parts(), layout.degree - 1);
    let d = <S::Ext as BasedVectorSpace<S::Base>>::DIMENSION;
    let gates = &folding.alphas[..layout.gates];
    let program = Program::new(folding.circuit, layout, slots, folding.challenges, folding.fingerprints, gates);
    let arguments = Arguments::new(layout, slots, folding.fingerprints);
    let generator = S::Base::two_adic_generator(layout.log_rows + log_parts);
    let domain = domain::<S>(layout.log_rows);
    let (mut tops, mut remainders) = (Vec::new(), Vec::new());
    for block in 0..parts {
        let shift = shift * generator.exp_u64(reverse_bits_len(block, log_parts) as u64);
        let points: Vec<S::Base> =
            (0..rows).into_par_iter().map(|row| shift * domain[reverse_bits_len(row, layout.log_rows)]).collect();
        let values: Vec<Cow<'_, [S::Base]>> = sources.iter().map(|s| s.coset(block, rows, shift)).collect();
        let matrices = values.iter().zip(sources).map(|(v, s)| (v.as_ref(), s.width())).collect();
        let grid = Grid { matrices, points: &points, reversed: true };
        let top = shift.exp_power_of_2(layout.log_rows);
        let folded = fold(folding, &program, &arguments, &grid, top - S::Base::ONE);
        let natural = Columns::new(folded, d).bit_reverse_rows().to_row_major_matrix();
        remainders.push(Radix2DitParallel::default().coset_idft_batch(natural, shift).values);
        tops.push(top);
    }
    split::<S>(&tops, &remainders)
}

/// The constraints folded and divided by the vanishing polynomial's value on the coset.
fn fold<S: Smooth>(
    folding: &Folding<'_, S>,
    program: &Program<S>,
    arguments: &Arguments<'_, S>,
    grid: &Grid<'_, S::Base>,
    vanishing: S::Base,
) -> Vec<S::Base> {
    let rows = folding.layout.rows();
    let d = <S::Ext as BasedVectorSpace<S::Base>>::DIMENSION;
    let block = words::<S>() * lanes::<S>();
    let inverse_vanishing = vanishing.inverse();
    // L_0 / Z = 1 / (n (x - 1)).
    let share = S::Base::ONE.div_2exp_u64(folding.layout.log_rows as u64);
    let mut folded = S::Base::zero_vec(rows * d);
    folded.par_chunks_mut(block * d).enumerate().for_each_init(
        || (program.machine(), Factors::default()),
        |(machine, factors), (i, out)| {
            let start = i * block;
            program.run(grid, start, machine);
            let points = &grid.points[start..(start + block).min(rows)];
            let differences: Vec<S::Base> = points.iter().map(|&x| x - S::Base::ONE).collect();
            let inverses = p3_field::batch_multiplicative_inverse(&differences);
            for (word, out) in out.chunks_mut(lanes::<S>() * d).enumerate() {
                let mut sum = fold_arguments(folding, arguments, grid, machine, word, factors);
                sum *= PackedBase::<S>::from(inverse_vanishing);
                if !folding.layout.chunks.is_empty() {
                    let at = |lane: usize| inverses[(word * lanes::<S>() + lane) % inverses.len()] * share;
                    let first = PackedBase::<S>::from_fn(at);
                    let rows = &machine.rows.here[word * lanes::<S>()..][..lanes::<S>()];
                    let product = ext::<S>(grid, folding.slots.of(Poly::Product(0)), rows);
                    let alpha = folding.alphas.last().copied().unwrap_or_default();
                    sum += (product - PackedExt::<S>::ONE) * first * broadcast::<S>(alpha);
                }
                let coefficients = sum.as_basis_coefficients_slice();
                for (lane, out) in out.chunks_exact_mut(d).enumerate() {
                    out.iter_mut().zip(coefficients).for_each(|(out, c)| *out = c.as_slice()[lane]);
                }
            }
        },
    );
    folded
}

/// Gates, partial products and sums of fractions of a word of rows, folded.
fn fold_arguments<S: Smooth>(
    folding: &Folding<'_, S>,
    arguments: &Arguments<'_, S>,
    grid: &Grid<'_, S::Base>,
    machine: &Machine<S>,
    word: usize,
    factors: &mut Factors<S>,
) -> PackedExt<S> {
    let (layout, slots) = (folding.layout, folding.slots);
    let range = word * lanes::<S>()..(word + 1) * lanes::<S>();
    let (here, next) = (&machine.rows.here[range.clone()], &machine.rows.next[range]);
    let at = |poly| ext::<S>(grid, slots.of(poly), here);
    let mut alphas = folding.alphas[layout.gates..].iter();
    let mut sum = machine.gates[word];
    let mut add = |constraint: PackedExt<S>| {
        if let Some(&alpha) = alphas.next() {
            sum += constraint * broadcast::<S>(alpha);
        }
    };
    if !layout.permuted.is_empty() {
        arguments.factors(grid, here, factors);
    }
    if !layout.chunks.is_empty() {
        factors.products.clear();
        factors.products.extend((0..layout.chunks.len()).map(|j| at(Poly::Product(j))));
        let first = ext::<S>(grid, slots.of(Poly::Product(0)), next);
        let Factors { identities, sigmas, products, .. } = &*factors;
        permutation::constraints(&layout.chunks, products, first, identities, sigmas).for_each(&mut add);
    }
    if !layout.groups.is_empty() {
        factors.helpers.clear();
        factors.helpers.extend((1..layout.groups.len()).map(|g| at(Poly::Helper(g - 1))));
        let step = ext::<S>(grid, slots.of(Poly::Accumulator), next) - at(Poly::Accumulator);
        let lookups = layout.buses.len();
        let fingerprints = &machine.lookups[word * lookups..][..lookups];
        let sums = layout.groups.iter().map(|group| arguments.sum(group, grid, here, fingerprints, factors));
        lookup::constraints(sums, &factors.helpers, step).for_each(&mut add);
    }
    sum
}

/// The parts `q_c` of `Q = sum_c X^(c n) q_c` on the domain, from the remainders of `Q` by
/// `X^n - top_b`, which are `sum_c top_b^c q_c`.
fn split<S: Smooth>(tops: &[S::Base], remainders: &[Vec<S::Base>]) -> Columns<S::Base> {
    let d = <S::Ext as BasedVectorSpace<S::Base>>::DIMENSION;
    let (parts, rows) = (tops.len(), remainders.first().map_or(0, Vec::len) / d);
    let basis: Vec<Vec<S::Base>> = (0..parts).map(|b| lagrange_basis(tops, b)).collect();
    let mut coefficients = S::Base::zero_vec(rows * parts * d);
    coefficients.par_chunks_exact_mut(parts * d).enumerate().for_each(|(row, out)| {
        for (c, out) in out.chunks_exact_mut(d).enumerate() {
            for (basis, remainder) in basis.iter().zip(remainders) {
                out.iter_mut().zip(&remainder[row * d..]).for_each(|(out, &r)| *out += basis[c] * r);
            }
        }
    });
    Radix2DitParallel::default().dft_batch(Columns::new(coefficients, parts * d)).to_row_major_matrix()
}

/// The coefficients of the polynomial that is 1 at point `b` and 0 at the others.
fn lagrange_basis<F: Field>(points: &[F], b: usize) -> Vec<F> {
    let mut coefficients = vec![F::ONE];
    for (_, &point) in points.iter().enumerate().filter(|(i, _)| *i != b) {
        let inverse = (points[b] - point).inverse();
        coefficients.push(F::ZERO);
        for i in (0..coefficients.len()).rev() {
            let below = if i > 0 { coefficients[i - 1] } else { F::ZERO };
            coefficients[i] = (below - coefficients[i] * point) * inverse;
        }
    }
    coefficients
}
