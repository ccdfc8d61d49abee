//! The prover's quotient: constraints evaluated on cosets twice (or more) the trace domains, one
//! polynomial for all heights.

use p3_dft::{Radix2DitParallel, TwoAdicSubgroupDft};
use p3_field::{BasedVectorSpace, Field, PackedValue, PrimeCharacteristicRing, TwoAdicField};
use p3_matrix::Matrix;
use p3_util::reverse_bits_len;
use rayon::prelude::*;
use trilemma_arith::Kernel;
use trilemma_arith::kernel::{Cells, Challenges, PackedBase, PackedExt};
use trilemma_core::claim::{Columns, CosetView};
use trilemma_core::{Setting, Smooth};

use super::layout::Layout;
use super::logup::gather;
use crate::instances::InstanceLayout;

/// What the quotient of one instance is computed from, on its coset in bit-reversed order.
pub struct Views<'o, F: Clone> {
    /// Fixed columns.
    pub fixed: Option<CosetView<'o, F>>,
    /// Advice columns.
    pub main: CosetView<'o, F>,
    /// Helper columns.
    pub helpers: Option<CosetView<'o, F>>,
    /// Accumulator.
    pub accumulator: Option<CosetView<'o, F>>,
}

/// Challenges and public values of one instance.
pub struct Folding<'a, E> {
    /// Bus challenges.
    pub challenges: &'a Challenges<E>,
    /// The instance's powers of `alpha`.
    pub alphas: &'a [E],
    /// `sigma / n`.
    pub share: E,
}

/// `C_t / Z_t` on the coset, as base columns in natural order.
pub fn instance_quotient<S: Smooth>(
    kernel: &dyn Kernel<S>,
    instance: &InstanceLayout,
    log_chunks: usize,
    views: &Views<'_, S::Base>,
    folding: &Folding<'_, S::Ext>,
) -> Vec<S::Base> {
    let d = <S::Ext as BasedVectorSpace<S::Base>>::DIMENSION;
    let lanes = PackedBase::<S>::WIDTH;
    let log_size = instance.log_height + log_chunks;
    let size = 1usize << log_size;
    let inverse_vanishing = inverse_vanishing::<S>(views.main.shift, instance.log_height, log_chunks);
    let bitrev = |i: usize| reverse_bits_len(i, log_size);
    let chunk = (64 * lanes).min(size);

    // Bit-reversed first, so that threads write what is theirs.
    let mut reversed = S::Base::zero_vec(size * d);
    reversed.par_chunks_mut(chunk * d).enumerate().for_each(|(i, out)| {
        let mut scratch = Scratch::<S>::default();
        for (g, out) in out.chunks_mut(lanes * d).enumerate() {
            let row = i * chunk + g * lanes;
            let folded = fold_rows(kernel, instance, views, folding, row, log_size, log_chunks, &mut scratch);
            let coefficients: &[PackedBase<S>] = folded.as_basis_coefficients_slice();
            for (lane, out) in out.chunks_exact_mut(d).enumerate() {
                let inverse = inverse_vanishing[bitrev(row + lane) & ((1 << log_chunks) - 1)];
                for (out, c) in out.iter_mut().zip(coefficients) {
                    *out = c.as_slice()[lane] * inverse;
                }
            }
        }
    });
    let mut natural = S::Base::zero_vec(size * d);
    natural.par_chunks_exact_mut(d).enumerate().for_each(|(i, out)| {
        let at = bitrev(i) * d;
        out.copy_from_slice(&reversed[at..at + d]);
    });
    natural
}

struct Scratch<S: Setting> {
    fixed: Vec<PackedBase<S>>,
    main: Vec<PackedBase<S>>,
    next: Vec<PackedBase<S>>,
    helpers: Vec<PackedBase<S>>,
    accumulator: Vec<PackedBase<S>>,
    accumulator_next: Vec<PackedBase<S>>,
    fractions: Vec<(PackedBase<S>, PackedExt<S>)>,
}

impl<S: Setting> Default for Scratch<S> {
    fn default() -> Self {
        Self {
            fixed: Vec::new(),
            main: Vec::new(),
            next: Vec::new(),
            helpers: Vec::new(),
            accumulator: Vec::new(),
            accumulator_next: Vec::new(),
            fractions: Vec::new(),
        }
    }
}

#[expect(clippy::too_many_arguments, reason = "the inner loop's whole state")]
fn fold_rows<S: Smooth>(
    kernel: &dyn Kernel<S>,
    instance: &InstanceLayout,
    views: &Views<'_, S::Base>,
    folding: &Folding<'_, S::Ext>,
    row: usize,
    log_size: usize,
    log_chunks: usize,
    s: &mut Scratch<S>,
) -> PackedExt<S> {
    let load = |view: &CosetView<'_, S::Base>, out: &mut Vec<PackedBase<S>>| {
        gather(&view.values, view.width, row, out);
    };
    let load_next = |view: &CosetView<'_, S::Base>, out: &mut Vec<PackedBase<S>>| {
        gather_next::<S>(view, row, log_size, log_chunks, out);
    };
    if let Some(fixed) = &views.fixed {
        load(fixed, &mut s.fixed);
    }
    load(&views.main, &mut s.main);
    if instance.uses_next {
        load_next(&views.main, &mut s.next);
    }
    s.fractions.clear();
    let cells = Cells { fixed: &s.fixed, main: &s.main, next: &s.next };
    let alphas = folding.alphas;
    let mut folded = kernel.packed(cells, folding.challenges, &alphas[..instance.constraints], &mut s.fractions);
    if let Some(accumulator) = &views.accumulator {
        if let Some(helpers) = &views.helpers {
            load(helpers, &mut s.helpers);
        }
        load(accumulator, &mut s.accumulator);
        load_next(accumulator, &mut s.accumulator_next);
        let mut last = join::<S>(&s.accumulator_next) - join::<S>(&s.accumulator) + PackedExt::<S>::from(folding.share);
        let d = <S::Ext as BasedVectorSpace<S::Base>>::DIMENSION;
        let mut helpers = s.helpers.chunks_exact(d).map(join::<S>);
        for (pair, &alpha) in s.fractions.chunks(2).zip(&alphas[instance.constraints..]) {
            let h = helpers.next().map_or(last, |h| {
                last -= h;
                h
            });
            let constraint = match *pair {
                [(m, d), (n, e)] => h * (d * e) - e * m - d * n,
                [(m, d)] => h * d - m,
                _ => PackedExt::<S>::ZERO,
            };
            folded += constraint * alpha;
        }
    }
    folded
}

fn join<S: Setting>(coefficients: &[PackedBase<S>]) -> PackedExt<S> {
    PackedExt::<S>::from_basis_coefficients_fn(|i| coefficients[i])
}

/// The rows one step further along the trace domain.
fn gather_next<S: Setting>(
    view: &CosetView<'_, S::Base>,
    row: usize,
    log_size: usize,
    log_chunks: usize,
    out: &mut Vec<PackedBase<S>>,
) {
    let mask = (1 << log_size) - 1;
    let starts: Vec<usize> = (0..PackedBase::<S>::WIDTH)
        .map(|lane| {
            let natural = reverse_bits_len((row + lane) & mask, log_size);
            reverse_bits_len((natural + (1 << log_chunks)) & mask, log_size) * view.width
        })
        .collect();
    out.clear();
    out.extend((0..view.width).map(|c| PackedBase::<S>::from_fn(|lane| view.values[starts[lane] + c])));
}

/// `1 / (x^n - 1)` for `x = g w^i`, which depends on `i` modulo the number of chunks.
fn inverse_vanishing<S: Smooth>(shift: S::Base, log_height: usize, log_chunks: usize) -> Vec<S::Base> {
    let shift = shift.exp_power_of_2(log_height);
    let root = S::Base::two_adic_generator(log_chunks);
    root.powers().take(1 << log_chunks).map(|r| (shift * r - S::Base::ONE).inverse()).collect()
}

/// The quotients of all instances of one height, added up on their coset.
pub struct Part<F> {
    /// log2 of the instances' height.
    pub log_height: usize,
    /// The coset's shift.
    pub shift: F,
    /// Base columns in natural order.
    pub values: Vec<F>,
}

/// Adds up the quotients and cuts the sum into columns.
pub fn combine<S: Smooth>(layout: &Layout, parts: Vec<Part<S::Base>>) -> Columns<S::Base> {
    let d = <S::Ext as BasedVectorSpace<S::Base>>::DIMENSION;
    let dft = Radix2DitParallel::<S::Base>::default();
    let (height, chunks) = (1usize << layout.log_max(), 1usize << layout.log_chunks);
    let mut coefficients = S::Base::zero_vec(height * chunks * d);
    for part in parts {
        let part = dft.coset_idft_batch(Columns::new(part.values, d), part.shift);
        coefficients.par_iter_mut().zip(part.values.par_iter()).for_each(|(c, &p)| *c += p);
    }
    let mut cut = S::Base::zero_vec(height * chunks * d);
    cut.par_chunks_exact_mut(chunks * d).enumerate().for_each(|(row, out)| {
        for (chunk, out) in out.chunks_exact_mut(d).enumerate() {
            let at = (chunk * height + row) * d;
            out.copy_from_slice(&coefficients[at..at + d]);
        }
    });
    dft.dft_batch(Columns::new(cut, chunks * d)).to_row_major_matrix()
}
