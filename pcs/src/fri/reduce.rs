//! The prover's arithmetic between commitment and folding: values at points outside the domain, and
//! the words `sum a^i (p_i(z) - p_i(X)) / (z - X)`, one for each height.

use p3_field::coset::TwoAdicMultiplicativeCoset;
use p3_field::{
    ExtensionField, Field, PackedFieldExtension, PackedValue, PrimeCharacteristicRing, batch_multiplicative_inverse,
    dot_product,
};
use p3_matrix::Matrix;
use p3_matrix::dense::RowMajorMatrix;
use p3_matrix::interpolation::{Interpolate, compute_adjusted_weights};
use p3_util::reverse_slice_index_bits;
use rayon::prelude::*;
use trilemma_core::Smooth;
use trilemma_core::UniEval;
use trilemma_core::channel::Question;

use super::parameters::Parameters;
use super::{Grouped, log2};

/// `1 / (z - X)` over extended domains, in bit-reversed order, by point and log2 of the domain.
pub struct Inverses<S: Smooth>(Vec<(S::Ext, usize, Vec<S::Ext>)>);

impl<S: Smooth> Default for Inverses<S> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<S: Smooth> Inverses<S> {
    /// Computes what these questions need and is not there yet.
    pub fn prepare(
        &mut self,
        parameters: &Parameters,
        matrices: &[Vec<&RowMajorMatrix<S::Base>>],
        questions: &[Question<UniEval<S::Ext>>],
    ) {
        let mut domains: Vec<(usize, Vec<S::Base>)> = Vec::new();
        for q in questions {
            let (z, log) = (q.query.0, log2(matrices[q.oracle.0][q.matrix].height()));
            if self.get(z, log).is_some() {
                continue;
            }
            if !domains.iter().any(|(l, _)| *l == log) {
                let shift = parameters.shift(log - parameters.log_blowup);
                let coset = TwoAdicMultiplicativeCoset::new(shift, log);
                let mut points: Vec<S::Base> = coset.map(|c| c.iter().collect()).unwrap_or_default();
                reverse_slice_index_bits(&mut points);
                domains.push((log, points));
            }
            let points = domains.iter().find(|(l, _)| *l == log).map_or(&[][..], |(_, p)| p);
            let inverses = points
                .par_chunks(1 << 12)
                .flat_map_iter(|xs| {
                    let differences: Vec<S::Ext> = xs.iter().map(|&x| z - x).collect();
                    batch_multiplicative_inverse(&differences)
                })
                .collect();
            self.0.push((z, log, inverses));
        }
    }

    fn get(&self, z: S::Ext, log: usize) -> Option<&[S::Ext]> {
        self.0.iter().find(|(have, l, _)| (*have, *l) == (z, log)).map(|(_, _, inverses)| inverses.as_slice())
    }

    /// Values of every column at `z`, from the subcoset that determines them.
    pub fn evaluate(&self, parameters: &Parameters, extended: &RowMajorMatrix<S::Base>, z: S::Ext) -> Vec<S::Ext> {
        let log = log2(extended.height());
        let height = extended.height() >> parameters.log_blowup;
        let (low, _) = extended.split_rows(height);
        let inverses = self.get(z, log).unwrap_or(&[]);
        let weights = compute_adjusted_weights(z, &inverses[..height]);
        low.interpolate_coset_with_precomputation(parameters.shift(log - parameters.log_blowup), z, &weights)
    }

    /// The words to fold, tallest first; one of them when they are lifted.
    pub fn reduce(
        &self,
        parameters: &Parameters,
        matrices: &[Vec<&RowMajorMatrix<S::Base>>],
        grouped: &Grouped<'_, S::Ext>,
        a: S::Ext,
    ) -> Vec<Vec<S::Ext>> {
        type Packed<S> = <<S as trilemma_core::Setting>::Ext as ExtensionField<<S as trilemma_core::Setting>::Base>>::ExtensionPacking;
        let widest = matrices.iter().flatten().map(|m| m.width()).max().unwrap_or(0);
        let powers: Vec<Packed<S>> = Packed::<S>::packed_ext_powers_capped(a, widest).collect();
        let lanes = <S::Base as Field>::Packing::WIDTH;
        // Powers of `a` are counted over all words when they are lifted, else for each.
        let mut total = 0;
        let mut words: Vec<(usize, Vec<S::Ext>)> = Vec::new();
        for (matrix, points) in matrices.iter().flatten().zip(grouped.iter().flatten()) {
            let (height, width) = (matrix.height(), matrix.width());
            let at = words.iter().position(|(_, w)| w.len() == height).unwrap_or_else(|| {
                words.push((0, S::Ext::zero_vec(height)));
                words.len() - 1
            });
            let (used, word) = &mut words[at];
            let used = if parameters.lifted() { &mut total } else { used };
            // Folded columns once for all points of the matrix; later points rescale.
            let folded: Vec<S::Ext> =
                matrix.rowwise_packed_dot_product::<S::Ext>(&powers[..width.div_ceil(lanes)]).collect();
            for (z, values) in points {
                let offset = a.exp_u64(*used as u64);
                let value: S::Ext = dot_product(a.powers(), values.iter().copied());
                let inverses = self.get(*z, log2(height)).unwrap_or(&[]);
                word.par_iter_mut().zip(&folded).zip(inverses).for_each(|((w, &f), &inverse)| {
                    *w += (value - f) * inverse * offset;
                });
                *used += width;
            }
        }
        words.sort_by_key(|(_, w)| std::cmp::Reverse(w.len()));
        let words: Vec<Vec<S::Ext>> = words.into_iter().map(|(_, w)| w).collect();
        if parameters.lifted() { vec![lift(words)] } else { words }
    }
}

/// The sum of words, tallest first, each as a function of a power of the tallest one's variable: in
/// bit-reversed order, of the leading bits of the index.
fn lift<E: Field>(words: Vec<Vec<E>>) -> Vec<E> {
    let mut words = words.into_iter();
    let mut sum = words.next().unwrap_or_default();
    for word in words {
        let run = sum.len() / word.len();
        sum.par_chunks_mut(run).zip(word).for_each(|(sum, w)| sum.iter_mut().for_each(|s| *s += w));
    }
    sum
}
