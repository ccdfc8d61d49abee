//! The prover's arithmetic between commitment and folding: values at points outside the domain, and
//! the words `sum a^i (p_i(z) - p_i(X)) / (z - X)`, one for each height.

use p3_field::{
    ExtensionField, Field, PackedFieldExtension, PackedValue, PrimeCharacteristicRing,
    batch_multiplicative_inverse, dot_product,
};
use p3_field::coset::TwoAdicMultiplicativeCoset;
use p3_matrix::Matrix;
use p3_matrix::dense::RowMajorMatrix;
use p3_matrix::interpolation::{Interpolate, compute_adjusted_weights};
use p3_util::reverse_slice_index_bits;
use rayon::prelude::*;
use trilemma_core::Smooth;
use trilemma_core::UniEval;
use trilemma_core::channel::Question;

use super::Grouped;

/// `1 / (z - X)` over the tallest extended domain asked at `z`, in bit-reversed order.
pub struct Inverses<S: Smooth>(Vec<(S::Ext, Vec<S::Ext>)>);

impl<S: Smooth> Default for Inverses<S> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<S: Smooth> Inverses<S> {
    /// Computes what these questions need and is not there yet.
    pub fn prepare(&mut self, matrices: &[Vec<&RowMajorMatrix<S::Base>>], questions: &[Question<UniEval<S::Ext>>]) {
        let mut heights: Vec<(S::Ext, usize)> = Vec::new();
        for q in questions {
            let height = matrices[q.oracle.0][q.matrix].height();
            match heights.iter_mut().find(|(z, _)| *z == q.query.0) {
                Some((_, h)) => *h = height.max(*h),
                None => heights.push((q.query.0, height)),
            }
        }
        heights.retain(|(z, h)| self.get(*z).is_none_or(|have| have.len() < *h));
        let Some(max) = heights.iter().map(|(_, h)| *h).max() else { return };
        let log = max.trailing_zeros() as usize;
        let coset = TwoAdicMultiplicativeCoset::new(S::Base::GENERATOR, log);
        let mut points: Vec<S::Base> = coset.map(|c| c.iter().collect()).unwrap_or_default();
        reverse_slice_index_bits(&mut points);
        for (z, height) in heights {
            let inverses: Vec<S::Ext> = points[..height]
                .par_chunks(1 << 12)
                .flat_map_iter(|xs| {
                    let differences: Vec<S::Ext> = xs.iter().map(|&x| z - x).collect();
                    batch_multiplicative_inverse(&differences)
                })
                .collect();
            self.0.retain(|(have, _)| *have != z);
            self.0.push((z, inverses));
        }
    }

    fn get(&self, z: S::Ext) -> Option<&[S::Ext]> {
        self.0.iter().find(|(have, _)| *have == z).map(|(_, inverses)| inverses.as_slice())
    }

    /// Values of every column at `z`, from the subcoset that determines them.
    pub fn evaluate(&self, extended: &RowMajorMatrix<S::Base>, log_blowup: usize, z: S::Ext) -> Vec<S::Ext> {
        let height = extended.height() >> log_blowup;
        let (low, _) = extended.split_rows(height);
        let inverses = self.get(z).unwrap_or(&[]);
        let weights = compute_adjusted_weights(z, &inverses[..height]);
        low.interpolate_coset_with_precomputation(S::Base::GENERATOR, z, &weights)
    }

    /// The words to fold, tallest first.
    pub fn reduce(
        &self,
        matrices: &[Vec<&RowMajorMatrix<S::Base>>],
        grouped: &Grouped<'_, S::Ext>,
        a: S::Ext,
    ) -> Vec<Vec<S::Ext>> {
        type Packed<S> = <<S as trilemma_core::Setting>::Ext as ExtensionField<<S as trilemma_core::Setting>::Base>>::ExtensionPacking;
        let widest = matrices.iter().flatten().map(|m| m.width()).max().unwrap_or(0);
        let powers: Vec<Packed<S>> = Packed::<S>::packed_ext_powers_capped(a, widest).collect();
        let lanes = <S::Base as Field>::Packing::WIDTH;
        let mut words: Vec<(usize, Vec<S::Ext>)> = Vec::new();
        for (matrix, points) in matrices.iter().flatten().zip(grouped.iter().flatten()) {
            let (height, width) = (matrix.height(), matrix.width());
            let at = words.iter().position(|(_, w)| w.len() == height).unwrap_or_else(|| {
                words.push((0, S::Ext::zero_vec(height)));
                words.len() - 1
            });
            let (used, word) = &mut words[at];
            // Folded columns once for all points of the matrix; later points rescale.
            let folded: Vec<S::Ext> =
                matrix.rowwise_packed_dot_product::<S::Ext>(&powers[..width.div_ceil(lanes)]).collect();
            for (z, values) in points {
                let offset = a.exp_u64(*used as u64);
                let value: S::Ext = dot_product(a.powers(), values.iter().copied());
                let inverses = self.get(*z).unwrap_or(&[]);
                word.par_iter_mut().zip(&folded).zip(inverses).for_each(|((w, &f), &inverse)| {
                    *w += (value - f) * inverse * offset;
                });
                *used += width;
            }
        }
        words.sort_by_key(|(_, w)| std::cmp::Reverse(w.len()));
        words.into_iter().map(|(_, w)| w).collect()
    }
}
